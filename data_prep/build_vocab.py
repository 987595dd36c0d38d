"""Learns a WordPiece vocabulary from text.

python data_prep/build_vocab.py --input_file=corpus.txt --vocab_file=vocab.txt --vocab_size=30522
"""

import os
import pathlib
import sys

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_string("input_file", None, "Text files: a comma-separated list of files and globs.")
flags.DEFINE_string("vocab_file", None, "Where to write the vocabulary, one token a line.")
flags.DEFINE_integer("vocab_size", 30_522, "How many tokens at most.", 1)
flags.DEFINE_bool("do_lower_case", True, "Lower-case the text: makes an uncased vocabulary.")
flags.DEFINE_bool(
    "strip_accents",
    None,
    "Strip accents; by default what do_lower_case says. --nostrip_accents keeps Hangul syllables whole.",
)
flags.DEFINE_integer(
    "num_unused_tokens",
    99,
    "How many [unusedN] to reserve. With 99 or more the special tokens have "
    "the ids of the released vocabularies, which have 994.",
    0,
    1_000_000,
)
flags.DEFINE_integer("min_frequency", 2, "Leave out characters and pieces that are rarer.", 1)
flags.DEFINE_integer(
    "limit_alphabet",
    None,
    "Keep that many of the most frequent characters. Default: 1000, or as "
    "many more as cover 99.95 % of the text, but no more than half of the vocabulary.",
    1,
)
flags.DEFINE_integer("num_workers", None, "Processes (default: the cores there are). The output is always the same.", 1)
flags.DEFINE_enum(
    "input_format",
    "text",
    ["text", "jsonl", "python_documentation"],
    "text: lines. jsonl: an object a line. python_documentation: the documentation of the installed "
    "packages, without --input_file.",
)
flags.DEFINE_string("jsonl_field", "text", "The field of a JSON object that holds its text.")
flags.DEFINE_string("tfds_name", None, "A tensorflow-datasets data set, NAME[/CONFIG][:SPLIT], not --input_file.")
flags.DEFINE_string("tfds_text_feature", "text", "The feature that holds the text.")
flags.DEFINE_string("tfds_data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.mark_flags_as_required(["vocab_file"])


def check_output(path: str) -> None:
    """Finds out before the long work whether its result has a place to go.

    Raises:
        InputError: `path` is a directory or a file that is read, or the directory it is to stand in does not exist.
    """
    if files.is_remote(path):
        return
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        raise InputError(f"--vocab_file: {directory}: no such directory")
    if os.path.isdir(path):
        raise InputError(f"--vocab_file: {path}: is a directory, a file was expected")
    inputs = files.expand_patterns(FLAGS.input_file, "input_file") if FLAGS.input_file else []
    if os.path.exists(path) and any(os.path.exists(other) and os.path.samefile(other, path) for other in inputs):
        raise InputError(f"--vocab_file: {path}: is a file that is read")


def main() -> None:
    check_output(FLAGS.vocab_file)

    from data_prep import vocabulary
    from data_prep.documents import open_source
    from data_prep.processes import available_cores, workers
    from data_prep.progress import Progress
    from data_prep.word_counts import count_words

    num_workers = FLAGS.num_workers or available_cores()
    os.environ.setdefault("RAYON_NUM_THREADS", str(num_workers))  # The threads of the tokenizers library.
    source = open_source(
        FLAGS.input_file,
        FLAGS.input_format,
        FLAGS.jsonl_field,
        FLAGS.tfds_name,
        FLAGS.tfds_text_feature,
        FLAGS.tfds_data_dir,
        splitting=False,
    )
    progress = Progress("counting words", source.total_bytes, ("MB", 1e6))
    with workers(num_workers) as pool:
        counts = count_words(
            source.lines,
            lower_case=FLAGS.do_lower_case,
            strip_accents=FLAGS.strip_accents,
            workers=pool,
            progress=progress,
        )
    progress.finish()
    if not counts:
        raise InputError(f"{source.name}: there is no word in it to learn a vocabulary from")
    print(f"learning {FLAGS.vocab_size:,} tokens from {len(counts):,} different words", file=sys.stderr, flush=True)
    tokens = vocabulary.learn_from_counts(
        counts, FLAGS.vocab_size, FLAGS.num_unused_tokens, FLAGS.min_frequency, FLAGS.limit_alphabet
    )
    with files.write_whole(FLAGS.vocab_file) as file:
        file.writelines(f"{token}\n" for token in tokens)
    covered = vocabulary.coverage(tokens, counts)
    print(
        f"{FLAGS.vocab_file}: {len(tokens):,} tokens from {covered.words:,} words, {len(counts):,} different ones; "
        f"{100 * covered.unknown / covered.words:.4f} % of the words are [UNK], "
        f"{covered.pieces / covered.words:.3f} pieces a word"
    )


if __name__ == "__main__":
    command_line.run(main)
