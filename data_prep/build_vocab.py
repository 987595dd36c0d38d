"""Learns a vocabulary from text: of WordPiece, or a SentencePiece model.

python data_prep/build_vocab.py --input_file=corpus.txt --vocab_file=vocab.txt --vocab_size=30522
python data_prep/build_vocab.py --kind=sentencepiece --input_file=corpus.txt --vocab_file=spiece.model
"""

import os
import pathlib
import sys
from collections.abc import Mapping

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from data_prep import runner_flags, source_flags
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "kind",
    "wordpiece",
    ["wordpiece", "sentencepiece"],
    "wordpiece: BERT's. sentencepiece: a unigram model with ALBERT's settings; num_unused_tokens, min_frequency and "
    "limit_alphabet don't count.",
)
flags.DEFINE_string(
    "vocab_file",
    None,
    "Where to write the vocabulary, one token a line; of sentencepiece the model, and beside it the pieces with their "
    "scores (.vocab).",
)
flags.DEFINE_integer("vocab_size", None, "How many tokens at most. Default: 30,522; of sentencepiece 30,000.", 1)
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
flags.adopt_module_key_flags(source_flags)
flags.adopt_module_key_flags(runner_flags)
flags.mark_flags_as_required(["vocab_file"])


def count_words() -> tuple[Mapping[str, int], str]:
    """The words of the text that the flags describe with their counts, and its name for messages."""
    text = source_flags.text_of_flags(splitting=False)
    tokenizer = {"lower_case": FLAGS.do_lower_case, "strip_accents": FLAGS.strip_accents}
    if FLAGS.runner:
        from data_prep.on_beam import word_counts

        runner = {"runner": FLAGS.runner, "beam_options": FLAGS.beam_options}
        return word_counts.count_words(text, **tokenizer, **runner, output=FLAGS.vocab_file)

    from data_prep.documents import open_source
    from data_prep.processes import workers
    from data_prep.word_counts import count_words
    from official.progress import Progress

    source = open_source(text)
    progress = Progress("counting words", source.total_bytes, ("MB", 1e6))
    with workers(num_workers()) as pool:
        counts = count_words(source.lines, **tokenizer, workers=pool, progress=progress)
    progress.finish()
    return counts, source.name


def learn_wordpiece() -> None:
    os.environ.setdefault("RAYON_NUM_THREADS", str(num_workers()))  # The threads of the tokenizers library.
    counts, name = count_words()
    if not counts:
        raise InputError(f"{name}: there is no word in it to learn a vocabulary from")

    from data_prep import vocabulary

    size = FLAGS.vocab_size or vocabulary.VOCAB_SIZE
    print(f"learning {size:,} tokens from {len(counts):,} different words", file=sys.stderr, flush=True)
    tokens = vocabulary.learn_from_counts(
        counts, size, FLAGS.num_unused_tokens, FLAGS.min_frequency, FLAGS.limit_alphabet
    )
    with files.write_whole(FLAGS.vocab_file) as file:
        file.writelines(f"{token}\n" for token in tokens)
    covered = vocabulary.coverage(tokens, counts)
    print(
        f"{FLAGS.vocab_file}: {len(tokens):,} tokens from {covered.words:,} words, {len(counts):,} different ones; "
        f"{100 * covered.unknown / covered.words:.4f} % of the words are [UNK], "
        f"{covered.pieces / covered.words:.3f} pieces a word"
    )


def learn_sentence_piece() -> None:
    if FLAGS.runner:
        raise InputError("--runner: is for --kind=wordpiece")
    scores_file = f"{FLAGS.vocab_file.removesuffix('.model')}.vocab"
    source_flags.check_output(scores_file, "vocab_file")

    from data_prep import sentence_piece_vocabulary
    from data_prep.documents import open_source
    from official.tokenization.sentence_piece_text import TextRules

    size = FLAGS.vocab_size or sentence_piece_vocabulary.VOCAB_SIZE
    source = open_source(source_flags.text_of_flags(splitting=False))
    print(f"learning {size:,} pieces", file=sys.stderr, flush=True)
    rules = TextRules(lower_case=FLAGS.do_lower_case, keep_accents=FLAGS.strip_accents is False)
    learnt = sentence_piece_vocabulary.learn_model(source.lines, size, rules=rules, name=source.name)
    with files.write_whole(scores_file) as file:
        file.writelines(learnt.vocabulary_lines())
    with files.write_whole(FLAGS.vocab_file, "wb") as file:
        file.write(learnt.model)
    print(f"{FLAGS.vocab_file}: {len(learnt.scores):,} pieces; {scores_file}: their scores")


def num_workers() -> int:
    from data_prep.processes import available_cores

    return FLAGS.num_workers or available_cores()


def main() -> None:
    command_line.import_tensorflow_for(FLAGS.input_file, FLAGS.vocab_file)
    source_flags.check_output(FLAGS.vocab_file, "vocab_file")
    runner_flags.check()
    learn = {"wordpiece": learn_wordpiece, "sentencepiece": learn_sentence_piece}
    learn[FLAGS.kind]()


if __name__ == "__main__":
    command_line.run(main)
