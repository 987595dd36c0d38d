"""The flags that say how text is masked, for what writes masks into records and for what draws them in training."""

import math

from absl import flags

REPLACEMENTS = ("replace_with_mask_prob", "keep_original_prob", "replace_with_random_prob")

flags.DEFINE_integer(
    "max_ngram",
    1,
    "The most words masked in a row (tokens without --do_whole_word_mask): n of them with a share proportional to 1/n. "
    "ALBERT: 3.",
    lower_bound=1,
    upper_bound=100,
)
flags.DEFINE_bool("favor_shorter_ngram", True, "False: the longest n-grams have the share of the shortest.")
flags.DEFINE_float("replace_with_mask_prob", 0.8, "Share of the tokens to predict that become [MASK].", 0.0, 1.0)
flags.DEFINE_float("keep_original_prob", 0.1, "Share of them that stay what they are.", 0.0, 1.0)
flags.DEFINE_float("replace_with_random_prob", 0.1, "Share of them that become a random token.", 0.0, 1.0)


@flags.multi_flags_validator(REPLACEMENTS, message="the three must add up to 1")
def _add_up_to_one(values: dict[str, float]) -> bool:
    return math.isclose(sum(values.values()), 1.0, abs_tol=1e-6)


def masking_of_flags() -> dict[str, float | int | bool]:
    """The values of these flags by their names."""
    return {name: flags.FLAGS[name].value for name in ("max_ngram", "favor_shorter_ngram", *REPLACEMENTS)}
