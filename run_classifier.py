"""Fine-tunes a BERT to classify texts and pairs of texts, scores it, and predicts.

python run_classifier.py --task_name=mrpc --data_dir=MRPC --init_checkpoint=DIR --output_dir=out --do_train --do_eval
    the tasks of GLUE, XNLI, SWAG and IMDb; all flags of google-research/bert are understood.

python run_classifier.py --task_name=csv --train_file=train.csv --eval_file=dev.csv --label_column=topic …
    your own data: tsv, csv or jsonl, with one label, several labels or a number (--label_type) an example.

python run_classifier.py --task_name=csv --init_checkpoint=out --output_dir=out --do_predict --predict_file=-
    answers the texts that are typed, or piped into it, a line each.
"""

from absl import flags

from official import command_line
from official.serving import serving_flags
from official.tasks.classification import classification_tasks
from official.tasks.fine_tuning import fine_tuning_flags
from official.training import flags as device_flags

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(fine_tuning_flags)
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(serving_flags)

# === The original's flags ===
flags.DEFINE_string("data_dir", None, "Where the files of the task are.")
flags.DEFINE_enum(
    "task_name", None, classification_tasks.NAMES, "The task, or the form of your own data.", case_sensitive=False
)
flags.DEFINE_integer("max_seq_length", 128, "Tokens that a text or pair is cut to.", lower_bound=3)

# === Ours ===
flags.DEFINE_string("train_file", None, "To learn from (default: the task's file in data_dir; train.csv, …).")
flags.DEFINE_string("eval_file", None, "To score with (default: the task's file in data_dir; dev.csv, …).")
flags.DEFINE_string("predict_file", None, "To predict for (default: as above; test.csv, …); - is standard input.")
flags.DEFINE_string("text_a_column", None, "Name of a column, or its number from 0 where there is no header.")
flags.DEFINE_string("text_b_column", None, "The same for the second text of a pair; empty for none.")
flags.DEFINE_string("label_column", None, "The same for the label.")
flags.DEFINE_enum(
    "label_type", "single", ["single", "multi", "regression"], "What a label is: multi is a,b,… or a list."
)
flags.DEFINE_list("labels", None, "The labels (default: those of the training data, or the checkpoint's).")
flags.DEFINE_string(
    "tfds_name", None, "A tensorflow-datasets data set, NAME[/CONFIG]; the files' flags then name splits."
)
flags.DEFINE_string("tfds_data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_string("xnli_language", "zh", "Language of XNLI.")
flags.DEFINE_string("class_weights", None, "What an example of a class counts: balanced, or a:1,b:3.")
flags.DEFINE_bool("write_submission", False, "Write predictions as the GLUE server wants them.")
flags.DEFINE_bool("write_tf_records", False, "Write {train,eval,predict}.tf_record too, for other trainers.")


def main():
    command_line.require(FLAGS, "output_dir", *([] if FLAGS.tfds_name else ["task_name"]))
    command_line.require_one(FLAGS, "do_train", "do_eval", "do_predict")
    command_line.require(FLAGS, *classification_tasks.needed_flags(FLAGS))
    command_line.import_tensorflow()
    from official.tasks.classification import classification
    from official.tasks.fine_tuning import fine_tuning_run

    strategy = device_flags.strategy_of_flags()
    wanted = classification.Wanted(
        do_train=FLAGS.do_train,
        do_eval=FLAGS.do_eval,
        do_predict=FLAGS.do_predict,
        write_submission=FLAGS.write_submission,
        from_stdin=FLAGS.do_predict and FLAGS.predict_file == classification_tasks.STANDARD_INPUT,
        class_weights=FLAGS.class_weights,
    )
    task = classification_tasks.task_of_flags(FLAGS)
    export = serving_flags.exporter(
        FLAGS,
        kind="classifier" if task.choices == 1 else "multiple_choice",
        label_type=task.label_type,
        model_name=FLAGS.task_name or "classifier",
    )
    run = fine_tuning_run.run_of_flags(FLAGS)
    outcome, reads_pairs = classification.classify(run, strategy, task, wanted)
    export(outcome.model, text_pairs=reads_pairs)


if __name__ == "__main__":
    command_line.run(main)
