"""The flags that describe one case, shared by the first two stages."""

from absl import flags
from absl.flags import FlagValues

from benchmarks.tpu_check.cases import DEFECTS, TASKS, Case

flags.DEFINE_enum("task", "pretraining", TASKS, "Whose training step.")
flags.DEFINE_string("bert_config_file", "bert-tiny", "The bert_config.json of the model, or a preset.")
flags.DEFINE_integer("batch_size", 8, "Examples a replica.", lower_bound=1)
flags.DEFINE_integer("max_seq_length", 128, "Length of the sequences.", lower_bound=1)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Masked words of a sequence, in pretraining.", lower_bound=1)
flags.DEFINE_string("topology", "v5e:2x2", "The TPU, by libtpu's name.")
flags.DEFINE_integer("gradient_accumulation_steps", 1, "Micro-batches of a replica.", lower_bound=1)
flags.DEFINE_bool("recompute", False, "Whether blocks are computed again in the backward pass.")
flags.DEFINE_enum(
    "optimizer", "adamw_bert", ["adamw_bert", "adamw", "lamb", "lamb_albert"], "As run_pretraining.py has them."
)
flags.DEFINE_enum("defect", "", ["", *DEFECTS], "What to build into the step that a TPU can't run.")
flags.DEFINE_enum("method", "bert", ["bert", "roberta", "albert", "electra"], "Of pretraining.")
flags.DEFINE_bool("pack_examples", False, "Whether rows hold several examples, in fine-tuning.")


def case_of_flags(values: FlagValues) -> Case:
    """The case that the command line describes."""
    return Case(**{name: values[name].value for name in Case._fields})
