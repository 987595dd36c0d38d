"""Converts, describes and changes checkpoints.

python -m official.checkpoints SOURCE --describe
    prints what it holds: family, sizes, heads, labels, tokenizer, parameters; every value is read and checked.

python -m official.checkpoints SOURCE TARGET --format=tf1
    converts. SOURCE: a TF1 checkpoint, a Hugging Face directory, a keras-hub preset, or an output_dir of ours.
    TARGET: a directory.

python -m official.checkpoints SOURCE… TARGET --average
    writes the mean of several checkpoints.
"""

from absl import flags

from official import command_line

FLAGS = flags.FLAGS

flags.DEFINE_bool("describe", False, "Print a table of each checkpoint, and write nothing.")
flags.DEFINE_enum("format", "hugging_face", ["hugging_face", "tf1", "keras_hub"], "What is written.")
flags.DEFINE_bool("average", False, "Write the mean of the sources.")
flags.DEFINE_string("add_tokens", None, "File of tokens to add, one a line; they take the places of [unusedN] first.")
flags.DEFINE_integer("max_position_embeddings", None, "Extend the model to sequences of this length.", lower_bound=1)
flags.DEFINE_enum("extend_positions", "tile", ["tile", "interpolate"], "How the table of positions is extended.")
flags.DEFINE_string("bert_config_file", None, "Config of a TF1 checkpoint that has none beside it, or a preset.")
flags.DEFINE_string("vocab_file", None, "Vocabulary, instead of what lies beside the checkpoint.")
flags.DEFINE_bool("do_lower_case", True, "Whether the vocabulary of --vocab_file is uncased.")
flags.DEFINE_bool("overwrite", False, "Write into a directory that holds a checkpoint already.")

ARGUMENTS = "SOURCE TARGET"


def main(*paths):
    command_line.require_arguments(paths, ARGUMENTS, at_least=1 if FLAGS.describe else 2)
    command_line.import_tensorflow()
    from official.checkpoints import conversion, describe

    if FLAGS.describe:
        config = conversion.read_given_config(FLAGS.bert_config_file)
        print("\n\n".join(describe.describe(path, config) for path in paths))
    else:
        *sources, target = paths
        conversion.convert(sources, target, conversion.changes_of_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, ARGUMENTS)
