"""Makes pretraining records from text: google-research/bert's create_pretraining_data.py, its flags and its output.

python data_prep/create_pretraining_data.py --input_file=text.txt --vocab_file=vocab.txt --output_file=data.tfrecord
"""

import pathlib
import sys

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from data_prep import runner_flags, source_flags
from official import command_line
from official.errors import InputError
from official.objectives import masking_flags

FLAGS = flags.FLAGS
SHARD = "{}-{:05}-of-{:05}"

flags.DEFINE_string("output_file", None, "TFRecord files, comma-separated: examples go round-robin over them.")
flags.DEFINE_string("vocab_file", None, "The vocabulary, one token a line.")
flags.DEFINE_enum(
    "example_format",
    "segment_pair",
    ["segment_pair", "sentence_pair", "full_sentences", "doc_sentences", "sentence_order", "electra"],
    "What an example is. segment_pair: BERT's two segments with next sentence prediction. sentence_pair: the same of "
    "single sentences. full_sentences: one segment filled with whole sentences, [SEP] between documents. "
    "doc_sentences: the same of one document. sentence_order: ALBERT's two segments, half of them exchanged (label 1). "
    "electra: one or two segments, cut to length, no label; for --masking=dynamic.",
)
flags.DEFINE_bool("do_whole_word_mask", False, "Mask the pieces of a word together.")
flags.DEFINE_integer("max_seq_length", 128, "Tokens of an example, [CLS] and [SEP] counted.", 5, 1 << 16)
flags.DEFINE_integer("max_predictions_per_seq", 20, "The most tokens masked in an example.", 1, 1 << 16)
flags.DEFINE_integer("random_seed", 12345, "The seed of all that is drawn.")
flags.DEFINE_enum(
    "random_streams",
    "published",
    ["published", "per_document"],
    "published: one stream, the original's records. per_document: a stream for each document, drawn on any machine.",
)
flags.DEFINE_integer(
    "dupe_factor",
    None,
    "How many times the text is gone through, with other masks each time. Default: 10; 1 where --masking=dynamic and "
    "another pass would make the same rows or nearly so (full_sentences, doc_sentences, electra).",
    lower_bound=1,
)
flags.DEFINE_float("masked_lm_prob", 0.15, "The share of tokens that are masked, above 0.", 0.0, 1.0)
flags.DEFINE_float(
    "short_seq_prob",
    0.1,
    "The share of documents packed to a random shorter length (segment_pair and sentence_order).",
    0.0,
    1.0,
)
flags.DEFINE_integer("num_shards", 1, "Files made from one --output_file: NAME-00000-of-0000N and so on.", 1, 99_999)
flags.DEFINE_enum(
    "compression",
    "",
    ["", "GZIP"],
    "How records are compressed: run_pretraining.py recognises it, the original reads plain files.",
    case_sensitive=False,
)
flags.DEFINE_enum(
    "masking",
    "static",
    ["static", "dynamic"],
    "static: masks in the records, as published. dynamic: drawn anew in each epoch of training.",
)
flags.DEFINE_bool("split_sentences", None, "Split lines into sentences. Default: no for text, yes for everything else.")
flags.DEFINE_string(
    "temp_dir",
    None,
    "For temporary files (about half the size of the output); default: beside it, or where it is remote /tmp.",
)
flags.DEFINE_integer("show_examples", 3, "How many examples are printed.", 0, 1000)
flags.adopt_module_key_flags(masking_flags)
flags.adopt_module_key_flags(source_flags)
flags.adopt_module_key_flags(runner_flags)
flags.mark_flags_as_required(["output_file", "vocab_file"])
flags.register_validator("masked_lm_prob", lambda share: share > 0, "must be above 0")


def output_files() -> tuple[str, ...]:
    """The files to write.

    Raises:
        InputError: a file is named twice, is a directory or has none to stand in, or is one that is read.
    """
    paths = [path.strip() for path in FLAGS.output_file.split(",") if path.strip()]
    if not paths:
        raise InputError("--output_file: names no file")
    if FLAGS.num_shards > 1:
        if len(paths) > 1:
            raise InputError("--num_shards: splits one --output_file, but several are given")
        paths = [SHARD.format(paths[0], shard, FLAGS.num_shards) for shard in range(FLAGS.num_shards)]
    if len(set(paths)) < len(paths):
        raise InputError("--output_file: a file is named twice")
    for path in paths:
        source_flags.check_output(path, "output_file", also_read=[FLAGS.vocab_file])
    return tuple(paths)


def main() -> None:
    command_line.import_tensorflow_for(FLAGS.input_file, FLAGS.vocab_file, FLAGS.output_file)
    outputs = output_files()
    runner_flags.check()

    from data_prep.documents import open_source
    from data_prep.pretraining_data import create
    from data_prep.processes import default_workers
    from data_prep.recipe import PretrainingData
    from data_prep.token_store import TokenizerOptions

    text = source_flags.text_of_flags(FLAGS.split_sentences)
    options = PretrainingData(
        output_files=outputs,
        tokenizer=TokenizerOptions(FLAGS.vocab_file, FLAGS.do_lower_case, FLAGS.strip_accents),
        max_seq_length=FLAGS.max_seq_length,
        max_predictions_per_seq=FLAGS.max_predictions_per_seq,
        random_seed=FLAGS.random_seed,
        random_streams=FLAGS.random_streams,
        dupe_factor=FLAGS.dupe_factor,
        masked_lm_prob=FLAGS.masked_lm_prob,
        short_seq_prob=FLAGS.short_seq_prob,
        do_whole_word_mask=FLAGS.do_whole_word_mask,
        dynamic_masking=FLAGS.masking == "dynamic",
        example_format=FLAGS.example_format,
        **masking_flags.masking_of_flags(),
        compression=FLAGS.compression,
        num_workers=FLAGS.num_workers or default_workers(),
        examples_shown=FLAGS.show_examples,
        temp_dir=FLAGS.temp_dir,
    )
    if FLAGS.runner:
        from data_prep.on_beam.pretraining_data import create as create_on_beam

        print(create_on_beam(options, text, FLAGS.runner, FLAGS.beam_options).report())
    else:
        print(create(options, open_source(text)).report())


if __name__ == "__main__":
    command_line.run(main)
