"""Learning SentencePiece models: ALBERT's layout, determinism, what can't be learnt, and the command line."""

import json
import random
import subprocess
import sys

import pytest
from sentencepiece import sentencepiece_model_pb2

from data_prep.sentence_piece_vocabulary import learn_model
from official.errors import InputError
from official.tokenization.sentence_piece import SentencePieceTokenizer
from official.tokenization.sentence_piece_text import TextRules

# Their order and ids: README of google-research/albert, "--control_symbols" and "--user_defined_symbols".
PUBLISHED = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "(", ")", '"', "-", ".", "–", "£", "€"]
KINDS = sentencepiece_model_pb2.ModelProto.SentencePiece


def invented_lines(count=300, seed=0):
    rng = random.Random(seed)
    syllables = ["ka", "to", "ri", "né", "su", "MO", "an", "pel", ", ", ".", "(", "-", "12"]
    return [" ".join("".join(rng.choices(syllables, k=rng.randrange(1, 4))) for _ in range(8)) for _ in range(count)]


def test_special_tokens_and_symbols_have_alberts_ids():
    model = sentencepiece_model_pb2.ModelProto.FromString(learn_model(invented_lines(), 150).model)
    assert [piece.piece for piece in model.pieces[:13]] == PUBLISHED
    kinds = [KINDS.CONTROL, KINDS.UNKNOWN, *[KINDS.CONTROL] * 3, *[KINDS.USER_DEFINED] * 8]
    assert [piece.type for piece in model.pieces[:13]] == kinds
    assert len(model.pieces) == 150 and {piece.type for piece in model.pieces[13:]} == {KINDS.NORMAL}
    trainer = model.trainer_spec
    assert (trainer.model_type, round(trainer.character_coverage, 5)) == (trainer.UNIGRAM, 0.99995)
    assert not trainer.byte_fallback


def test_the_same_lines_make_the_same_bytes():
    program = (
        "import hashlib, sys; sys.path.insert(0, 'tests/data_prep')\n"
        "from test_sentence_piece_vocabulary import *\n"
        "print(hashlib.sha256(learn_model(invented_lines(), 150).model).hexdigest())"
    )
    command = [sys.executable, "-c", program]
    answers = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert answers[0] == answers[1] != ""


def test_the_tokenizer_parts_what_was_learnt():
    lines = invented_lines()
    tokenizer = SentencePieceTokenizer(learn_model(lines, 150).model)
    for line in lines:
        ids = tokenizer.encode(line)
        assert tokenizer.unk_id not in ids and len(ids) < 0.7 * len(line)
        assert tokenizer.decode(ids) == TextRules().apply(line)


@pytest.mark.parametrize(
    "rules, found, absent", [(TextRules(), "mone", "É"), (TextRules(lower_case=False, keep_accents=True), "É", "e")]
)
def test_text_is_prepared_as_the_tokenizer_will(rules, found, absent):
    letters = {c for piece, _ in learn_model(["MONÉ"] * 20, 60, rules=rules).scores[13:] for c in piece}
    assert set(found) <= letters and absent not in letters


def test_fewer_pieces_are_learnt_where_there_are_no_more():
    assert 13 < len(learn_model(["ab ba"] * 5, 30_000).scores) < 30


def test_long_lines_are_read_too():
    line = " ".join(["word"] * 2_000)
    assert "▁word" in dict(learn_model([line], 30).scores)


def test_scores_are_written_as_spm_train_writes_them():
    learnt = learn_model(invented_lines(), 100)
    lines = list(learnt.vocabulary_lines())
    assert lines[:2] == ["<pad>\t0\n", "<unk>\t0\n"]
    assert [line.split("\t")[0] for line in lines] == [piece for piece, _ in learnt.scores]
    for line, (_, score) in zip(lines, learnt.scores):
        assert float(line.split("\t")[1]) == pytest.approx(score, rel=1e-5)


@pytest.mark.parametrize("lines", [[], [""], [" ", "\t"], ["▁"], ["\u200b"], ["\x01\x02", "\u0301"], ["\u2585"]])
def test_text_without_a_visible_character_is_an_error(lines):
    with pytest.raises(InputError, match="novels: there is no text in it"):
        learn_model(lines, 100, name="novels")


def test_marks_of_the_library_in_a_text_do_no_harm():
    assert "▁the" in dict(learn_model(["the \u2585 the ▁ the"] * 20, 30).scores)


def test_too_few_pieces_for_the_characters_are_an_error():
    with pytest.raises(InputError, match=r"--vocab_size is 14: at least \d+ was expected"):
        learn_model(["the quick brown fox"] * 9, 14)


def test_what_ends_the_reading_ends_the_learning():
    def lines():
        yield "the cat"
        raise InputError("corpus.txt: broken")

    with pytest.raises(InputError, match=r"^corpus\.txt: broken$"):
        learn_model(lines(), 100)


def build(repository, *arguments):
    command = [sys.executable, "data_prep/build_vocab.py", "--kind=sentencepiece", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True)


def test_command_writes_model_and_vocabulary(repository, tmp_path):
    (tmp_path / "corpus.txt").write_text("\n".join(invented_lines()), "utf-8")
    path = tmp_path / "spiece.model"
    run = build(repository, f"--input_file={tmp_path}/corpus.txt", f"--vocab_file={path}", "--vocab_size=150")
    assert run.returncode == 0, run.stderr
    assert "150 pieces" in run.stdout
    assert path.read_bytes() == learn_model(invented_lines(), 150).model
    assert len((tmp_path / "spiece.vocab").read_text("utf-8").splitlines()) == 150
    assert SentencePieceTokenizer.from_file(str(path)).vocab_size == 150


@pytest.mark.parametrize(
    "content, flags, message",
    [
        ("▁", [], "corpus.jsonl: there is no text in it"),
        (json.dumps({"other": "x"}), ["--input_format=jsonl"], "corpus.jsonl:1: no field 'text'"),
        ("a b c", ["--vocab_size=5"], "--vocab_size is 5: at least"),
        ("a b c", ["--vocab_file=/no/such/spiece.model"], "--vocab_file: /no/such: no such directory"),
    ],
)
def test_bad_input_ends_with_one_line_and_no_file(repository, tmp_path, content, flags, message):
    (tmp_path / "corpus.jsonl").write_text(content + "\n", "utf-8")
    run = build(repository, f"--input_file={tmp_path}/corpus.jsonl", f"--vocab_file={tmp_path}/spiece.model", *flags)
    assert run.returncode == 1
    errors = [line for line in run.stderr.splitlines() if not line.startswith("learning")]
    assert len(errors) == 1 and message in errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl"]
