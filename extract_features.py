"""Writes the vectors of every token of a text file, from chosen layers of a BERT, as JSON lines.

    python extract_features.py --input_file=in.txt --output_file=out.jsonl --vocab_file=vocab.txt \
        --bert_config_file=bert_config.json --init_checkpoint=bert_model.ckpt --layers=-1,-2,-3,-4
"""

from absl import flags

from official import command_line
from official.training import flags as device_flags

FLAGS = flags.FLAGS

flags.DEFINE_string("input_file", None, "Text, one line each; 'a ||| b' is a pair.")
flags.DEFINE_string("output_file", None, "Where the JSON lines go.")
flags.DEFINE_list("layers", ["-1", "-2", "-3", "-4"], "Which layers; −1 is the last.")
flags.DEFINE_string("bert_config_file", None, "The bert_config.json of the model, or a preset: bert-tiny … bert-large.")
flags.DEFINE_integer("max_seq_length", 128, "Longer lines are cut, shorter ones padded.", lower_bound=3)
flags.DEFINE_string("init_checkpoint", None, "Where the weights are.")
flags.DEFINE_string("vocab_file", None, "The model's vocabulary.")
flags.DEFINE_bool("do_lower_case", True, "Whether the vocabulary is uncased.")
flags.DEFINE_integer("batch_size", 32, "Lines in a step.", lower_bound=1)
flags.DEFINE_bool("use_one_hot_embeddings", False, "Look words up by a matrix product, which is faster on TPUs.")
flags.adopt_module_key_flags(device_flags)


def main():
    command_line.require(FLAGS, "input_file", "vocab_file", "bert_config_file", "init_checkpoint", "output_file")
    layers = command_line.whole_numbers(FLAGS, "layers")
    command_line.import_tensorflow()
    from official import files
    from official.models.registry import read_config
    from official.tasks import feature_extraction
    from official.tokenization.vocabulary_files import read_vocabulary_file

    tokenizer = read_vocabulary_file(FLAGS.vocab_file, lower_case=FLAGS.do_lower_case)
    tokenizer.require(tokenizer.special.cls, tokenizer.special.sep)
    extractor = feature_extraction.FeatureExtractor(
        read_config(FLAGS.bert_config_file),
        FLAGS.init_checkpoint,
        layers,
        device_flags.strategy_of_flags(),
        FLAGS.use_one_hot_embeddings,
    )
    lines = feature_extraction.read_lines(FLAGS.input_file)
    with files.write_whole(FLAGS.output_file) as file:
        for line in feature_extraction.extract_features(
            extractor, tokenizer, lines, FLAGS.batch_size, FLAGS.max_seq_length
        ):
            file.write(line + "\n")


if __name__ == "__main__":
    command_line.run(main)
