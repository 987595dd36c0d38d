"""Question answering on SQuAD v1.1 and v2.0: trains, answers and scores.

python run_squad.py --init_checkpoint=DIRECTORY --output_dir=out --do_train --train_file=train-v1.1.json
    --do_predict --do_eval --predict_file=dev-v1.1.json
    All flags of google-research/bert are understood; a checkpoint that carries config and vocabulary needs neither.

python run_squad.py --init_checkpoint=out/model --output_dir=out --do_predict --predict_file=-
    answers lines of standard input at once: a question, a tab and a context, or {"question": "…", "context": "…"}.
"""

from absl import flags

from official import command_line
from official.serving import serving_flags
from official.tasks.fine_tuning import fine_tuning_flags
from official.tasks.squad import squad_flags
from official.training import flags as device_flags

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(fine_tuning_flags)
flags.adopt_module_key_flags(serving_flags)
flags.adopt_module_key_flags(squad_flags)

# === The original's flags ===
flags.DEFINE_string("train_file", None, "JSON to train on, of SQuAD v1.1, or of v2.0 with --version_2_with_negative.")
flags.DEFINE_string("predict_file", None, "JSON with the questions to answer; -: lines of standard input.")
flags.DEFINE_integer("max_seq_length", 384, "Tokens of a window: [CLS] question [SEP] context [SEP].", lower_bound=4)
flags.DEFINE_integer("doc_stride", 128, "Tokens from the start of a window on a long context to the next.", 1)
flags.DEFINE_bool("verbose_logging", False, "Whether to name the answers that were not found in their words.")
flags.DEFINE_bool("write_tf_records", False, "Write train.tf_record and eval.tf_record too, for other trainers.")


@flags.multi_flags_validator(
    ["null_score_diff_threshold", "version_2_with_negative"],
    "the threshold decides nothing without --version_2_with_negative",
)
def _has_use(values):
    return values["null_score_diff_threshold"] != "best" or values["version_2_with_negative"]


@flags.multi_flags_validator(["max_seq_length", "max_query_length"], "a window must hold more than a question")
def _has_room(values):
    return values["max_seq_length"] > values["max_query_length"] + 3


@flags.multi_flags_validator(["do_eval", "predict_file"], "standard input has no answers to score against")
def _can_be_scored(values):
    return not (values["do_eval"] and values["predict_file"] == "-")


@flags.multi_flags_validator(
    ["do_train", "do_eval", "num_trials", "keep_best", "early_stopping_patience"],
    "to compare models, --do_train and --do_eval must be given",
)
def _can_be_compared(values):
    compares = values["num_trials"] > 1 or values["keep_best"] or values["early_stopping_patience"] is not None
    return not compares or (values["do_train"] and values["do_eval"])


def main():
    command_line.require(FLAGS, "output_dir")
    command_line.require_one(FLAGS, "do_train", "do_eval", "do_predict")
    if FLAGS.do_train:
        command_line.require(FLAGS, "train_file")
    if FLAGS.do_eval or FLAGS.do_predict:
        command_line.require(FLAGS, "predict_file")
    command_line.import_tensorflow()
    from official.tasks.fine_tuning import fine_tuning_run
    from official.tasks.squad import squad, squad_run, squad_threshold

    strategy = device_flags.strategy_of_flags()
    run, asked = fine_tuning_run.run_of_flags(FLAGS), squad_run.run_of_flags(FLAGS)
    export = serving_flags.exporter(FLAGS, kind="question_answering", model_name="squad")
    outcome = squad.fine_tune(run, asked, strategy)
    threshold = squad_threshold.given_threshold(
        FLAGS.null_score_diff_threshold, outcome.output_dir, run.init_checkpoint
    )
    export(outcome.model, null_score_diff_threshold=threshold)


if __name__ == "__main__":
    command_line.run(main)
