"""Distils a fine-tuned model into a smaller one: a teacher labels texts, and a student learns what it says.

python run_distillation.py --task=classification --task_name=tsv --teacher=TEACHER --train_file=labelled.tsv
    --unlabelled_file=more.tsv --eval_file=dev.tsv --student=bert-mini --output_dir=out --do_train --do_eval
    the student is a preset or a bert_config.json, the model of --init_checkpoint, or some layers of the teacher
    (--student_layers); --train_file may be absent. What the teacher says is kept in --teacher_logits_dir.

python run_distillation.py --task=squad --teacher=TEACHER --unlabelled_file=questions.json --student_layers=0,2,4 …
python run_distillation.py --task=tagging --teacher=TEACHER --unlabelled_file=words.txt --init_checkpoint=STUDENT …
    the same for questions on texts and for words. The student scores and predicts as in run_squad.py and run_ner.py.
"""

from absl import flags

from official import command_line
from official.serving import serving_flags
from official.tasks.distillation import distillation_flags
from official.training import flags as device_flags

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(distillation_flags)
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(serving_flags)


def main():
    command_line.require(FLAGS, "task", "teacher", "output_dir")
    command_line.require_one(FLAGS, "do_train")
    command_line.require(FLAGS, *distillation_flags.needed_flags(FLAGS))
    distillation_flags.settle(FLAGS)
    command_line.import_tensorflow()
    from official.tasks.distillation import distillation

    strategy = device_flags.strategy_of_flags()
    export = serving_flags.exporter(FLAGS, **distillation.kind_of(FLAGS))
    student = distillation.distil(FLAGS, strategy)
    export(student.model, **student.served_as)


if __name__ == "__main__":
    command_line.run(main)
