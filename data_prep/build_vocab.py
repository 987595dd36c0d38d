"""Learns a vocabulary from text: of WordPiece, of byte-level BPE, or a SentencePiece model.

python data_prep/build_vocab.py --input_file=corpus.txt --vocab_file=vocab.txt --vocab_size=30522
python data_prep/build_vocab.py --input_file=corpus.txt --kind=byte_level_bpe --vocab_file=vocab.json
python data_prep/build_vocab.py --input_file=corpus.txt --kind=sentencepiece --vocab_file=spiece.model
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

WORDPIECE, BYTE_LEVEL_BPE, SENTENCE_PIECE = KINDS = ("wordpiece", "byte_level_bpe", "sentencepiece")
WORDPIECE_ONLY = ("num_unused_tokens", "limit_alphabet", "do_lower_case", "strip_accents")

flags.DEFINE_enum(
    "kind",
    WORDPIECE,
    KINDS,
    "wordpiece: BERT's. byte_level_bpe: GPT-2's and RoBERTa's, of text as it is; has no unused tokens and no alphabet. "
    "sentencepiece: a unigram model with ALBERT's settings; has no such things either, nor a least frequency.",
)
flags.DEFINE_string(
    "vocab_file",
    None,
    "Where to write the vocabulary: one token a line; of byte-level BPE vocab.json, with merges.txt and tokenizer.json "
    "beside it; of sentencepiece the model, with its pieces and their scores (.vocab).",
)
flags.DEFINE_integer("vocab_size", None, "How many tokens at most (default: 30,522; 50,265; 30,000).", 1)
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
    if FLAGS.kind == BYTE_LEVEL_BPE:
        tokenizer = {"byte_level": True}
    else:
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


def num_workers() -> int:
    from data_prep.processes import available_cores

    return FLAGS.num_workers or available_cores()


def check_flags() -> None:
    """Finds out before long work whether the flags can be followed."""
    command_line.import_tensorflow_for(FLAGS.input_file, FLAGS.vocab_file)
    source_flags.check_output(FLAGS.vocab_file, "vocab_file")
    runner_flags.check()
    if FLAGS.kind == BYTE_LEVEL_BPE:
        from data_prep import byte_level_bpe

        for flag in WORDPIECE_ONLY:
            if FLAGS[flag].present and FLAGS[flag].value:
                raise InputError(f"--{flag}: is for --kind={WORDPIECE}")
        for path in byte_level_bpe.files_of(FLAGS.vocab_file):
            source_flags.check_output(path, "vocab_file")
        if len(set(byte_level_bpe.files_of(FLAGS.vocab_file))) < 3:
            raise InputError(f"--vocab_file: {FLAGS.vocab_file}: another name was expected, such as vocab.json")


def announce(vocab_size: int, what: str) -> int:
    """Says what is learnt; answers with the number of tokens: the flag's, or this one."""
    size = FLAGS.vocab_size or vocab_size
    print(f"learning {size:,} {what}", file=sys.stderr, flush=True)
    return size


def counted() -> Mapping[str, int]:
    """The words of the text; InputError where there is none."""
    os.environ.setdefault("RAYON_NUM_THREADS", str(num_workers()))  # The threads of the tokenizers library.
    counts, name = count_words()
    if not counts:
        raise InputError(f"{name}: there is no word in it to learn a vocabulary from")
    return counts


def learn_wordpiece() -> str:
    """Writes the vocabulary; answers with what is to be said of it."""
    counts = counted()

    from data_prep import vocabulary

    size = announce(vocabulary.VOCAB_SIZE, f"tokens from {len(counts):,} different words")
    tokens = vocabulary.learn_from_counts(
        counts, size, FLAGS.num_unused_tokens, FLAGS.min_frequency, FLAGS.limit_alphabet
    )
    with files.write_whole(FLAGS.vocab_file) as file:
        file.writelines(f"{token}\n" for token in tokens)
    covered = vocabulary.coverage(tokens, counts)
    return (
        f"{FLAGS.vocab_file}: {len(tokens):,} tokens from {covered.words:,} words, {len(counts):,} different ones; "
        f"{100 * covered.unknown / covered.words:.4f} % of the words are [UNK], "
        f"{covered.pieces / covered.words:.3f} pieces a word"
    )


def learn_byte_level_bpe() -> str:
    """The same, with two files beside it."""
    counts = counted()

    from data_prep import byte_level_bpe

    size = announce(byte_level_bpe.VOCAB_SIZE, f"tokens from {len(counts):,} different words")
    tokenizer = byte_level_bpe.learn_from_counts(counts, size, FLAGS.min_frequency)
    byte_level_bpe.write(tokenizer, FLAGS.vocab_file)
    _, *others = byte_level_bpe.files_of(FLAGS.vocab_file)
    return (
        f"{FLAGS.vocab_file}: {tokenizer.vocab_size:,} tokens from {sum(counts.values()):,} words, {len(counts):,} "
        f"different ones; {byte_level_bpe.tokens_per_word(tokenizer, counts):.3f} tokens a word; "
        f"with it {', '.join(map(os.path.basename, others))}"
    )


def learn_sentence_piece() -> str:
    """Writes the model, and its pieces with their scores; answers with what is to be said of it."""
    if FLAGS.runner:
        raise InputError(f"--runner: is for other kinds than --kind={SENTENCE_PIECE}")
    scores_file = f"{FLAGS.vocab_file.removesuffix('.model')}.vocab"
    source_flags.check_output(scores_file, "vocab_file")

    from data_prep import sentence_piece_vocabulary
    from data_prep.documents import open_source
    from official.tokenization.sentence_piece_text import TextRules

    source = open_source(source_flags.text_of_flags(splitting=False))
    size = announce(sentence_piece_vocabulary.VOCAB_SIZE, "pieces")
    rules = TextRules(lower_case=FLAGS.do_lower_case, keep_accents=FLAGS.strip_accents is False)
    learnt = sentence_piece_vocabulary.learn_model(source.lines, size, rules=rules, name=source.name)
    with files.write_whole(scores_file) as file:
        file.writelines(learnt.vocabulary_lines())
    with files.write_whole(FLAGS.vocab_file, "wb") as file:
        file.write(learnt.model)
    return f"{FLAGS.vocab_file}: {len(learnt.scores):,} pieces; {scores_file}: their scores"


def main() -> None:
    check_flags()
    learn = {
        WORDPIECE: learn_wordpiece,
        BYTE_LEVEL_BPE: learn_byte_level_bpe,
        SENTENCE_PIECE: learn_sentence_piece,
    }
    print(learn[FLAGS.kind]())


if __name__ == "__main__":
    command_line.run(main)
