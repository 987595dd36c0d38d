"""The flags of question answering that `run_squad.py` and `run_distillation.py` have in common: the original's."""

import math

from absl import flags

flags.DEFINE_integer("max_query_length", 64, "Tokens of a question; longer ones are cut.", lower_bound=0)
flags.DEFINE_integer("n_best_size", 20, "Candidates for each question in nbest_predictions.json.", lower_bound=1)
flags.DEFINE_integer("max_answer_length", 30, "Tokens of an answer, at most.", lower_bound=1)
flags.DEFINE_bool("version_2_with_negative", False, "Whether there may be no answer, as in SQuAD v2.0.")
flags.DEFINE_string(
    "null_score_diff_threshold",
    "0.0",
    "There is no answer where that is better than the best answer by more than this. best: what --do_eval finds, or "
    "found before (in squad_scores.json of output_dir or beside init_checkpoint).",
)


@flags.validator("null_score_diff_threshold", "a number or 'best' was expected")
def _is_threshold(value):
    try:
        return value == "best" or math.isfinite(float(value))
    except ValueError:
        return False
