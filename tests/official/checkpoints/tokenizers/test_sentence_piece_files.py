"""SentencePiece tokenizers out of the files of every make and into them, against transformers and the library."""

import base64
import copy
import json
import pathlib

import pytest
import tokenizers
from sentencepiece import sentencepiece_model_pb2

from official.checkpoints.tokenizers import sentence_piece_json
from official.checkpoints.tokenizers.tokenizer_files import (
    describe_tokenizer,
    read_tokenizer,
    write_hugging_face,
    write_tf1,
)
from official.errors import InputError
from official.tokenization.sentence_piece import AS_ALBERT, AS_XLNET, SentencePieceTokenizer
from official.tokenization.sentence_piece_text import TextRules

GOLDEN = pathlib.Path(__file__).parents[3] / "golden"
MODEL = (GOLDEN / "sentence_piece.model").read_bytes()
PARSED = sentencepiece_model_pb2.ModelProto.FromString(MODEL)
ANSWERS = json.loads((GOLDEN / "sentence_piece.json").read_text("utf-8"))
TEXTS = ANSWERS["texts"]
SYMBOLS = '()"-.–£€'
JSON, CONFIG = "tokenizer.json", "tokenizer_config.json"
TOKENIZERS = {
    "published": SentencePieceTokenizer(MODEL),
    "transformers": SentencePieceTokenizer(MODEL, rules=TextRules(convert_quotes=True), digit_comma=AS_XLNET),
    "cased": SentencePieceTokenizer(MODEL, rules=TextRules(lower_case=False, keep_accents=True), digit_comma=None),
    "spaces": SentencePieceTokenizer(MODEL, rules=TextRules(remove_space=False)),
    "atomic": SentencePieceTokenizer(
        MODEL, atomic_tokens=["<a>", "<b>", "[MASK]", "▁the"], added_tokens=["<a>", "<b>"]
    ),
}
any_tokenizer = pytest.mark.parametrize("name", TOKENIZERS)


def state(tokenizer):
    """All that decides what a tokenizer does, but the model."""
    names = "tokens vocab rules digit_comma atomic_tokens special parted"
    return {name: getattr(tokenizer, name) for name in names.split()}


def written(tokenizer, directory):
    assert not [note for note in write_hugging_face(tokenizer, str(directory), 512) if "comma" not in note]
    return directory


def saved_by_transformers(version, directory):
    """Their directory without spiece.model; what the golden file leaves out is the model's."""
    files = copy.deepcopy(ANSWERS[f"saved by transformers {version}"]["files"])
    scores = files[JSON]["model"]["vocab"]
    files[JSON]["model"]["vocab"] = [
        [piece.piece, scores.get(str(index), piece.score)] for index, piece in enumerate(PARSED.pieces)
    ]
    for step in files[JSON]["normalizer"]["normalizers"]:
        if step["type"] == "Precompiled":
            step["precompiled_charsmap"] = base64.b64encode(PARSED.normalizer_spec.precompiled_charsmap).decode()
    for name, values in files.items():
        (directory / name).write_text(json.dumps(values), "utf-8")
    return directory


def changed(directory, name, change):
    values = json.loads((directory / name).read_text("utf-8"))
    change(values)
    (directory / name).write_text(json.dumps(values), "utf-8")
    return directory


def refused(directory):
    with pytest.raises(InputError) as error:
        read_tokenizer(str(directory))
    message = str(error.value)
    assert "\n" not in message and len(message) < 1000
    return message


@any_tokenizer
def test_what_is_written_is_read_again(name, tmp_path):
    read = read_tokenizer(str(written(TOKENIZERS[name], tmp_path)))
    assert state(read) == state(TOKENIZERS[name])
    assert read.model == MODEL
    assert read.vocab_file == str(tmp_path / "spiece.model")
    assert [read.encode(text) for text in TEXTS] == [TOKENIZERS[name].encode(text) for text in TEXTS]


def differs(text):
    """Where the tokenizers library may not do as SentencePiece does.

    It finds special tokens that we leave; of equal ways to part a text ("000") it takes another, since it reckons in
    doubles; Σ and marks without a combining class are its own.
    """
    return any(part in text for part in ("[MASK]", "[CLS]", "<unk>", "00", "Σ", "\x00", "½", "\U0001d7d8", "٣,", "²,"))


@any_tokenizer
def test_the_tokenizers_library_gives_the_same_ids(name, tmp_path):
    theirs = tokenizers.Tokenizer.from_file(str(written(TOKENIZERS[name], tmp_path) / JSON))
    ours = TOKENIZERS[name]
    texts = [text for text in TEXTS if not differs(text) and "," not in text]  # Before a comma it comes near, no more.
    assert len(texts) > 80
    for text in texts:
        assert theirs.encode(text, add_special_tokens=False).ids == ours.encode(text), ascii(text)
    assert theirs.encode("a", "the").tokens == ["[CLS]", "▁a", "[SEP]", "▁the", "[SEP]"]
    assert theirs.encode("a", "the").type_ids == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "text, tokens",
    [("12, 19, 1", "▁1 2 , ▁1 9 , ▁1"), ("19,", "▁1 9 ,"), ("100,", "▁1 00 ,"), ("the 2,", "▁the ▁ 2 ,")],
)
def test_pieces_before_a_comma_are_avoided_by_the_library(text, tokens, tmp_path):
    theirs = tokenizers.Tokenizer.from_file(str(written(TOKENIZERS["transformers"], tmp_path) / JSON))
    assert theirs.encode(text, add_special_tokens=False).tokens == tokens.split()


def test_a_directory_of_transformers_without_json_is_its_slow_tokenizer(tmp_path):
    (tmp_path / "spiece.model").write_bytes(MODEL)
    (tmp_path / "config.json").write_text('{"model_type": "albert"}')
    read = read_tokenizer(str(tmp_path))
    assert state(read) == state(TOKENIZERS["transformers"])
    with_names = read.with_atomic_tokens("[MASK]", "[CLS]", "<unk>")  # Which transformers finds in every text.
    assert [with_names.encode(text) for text in TEXTS] == ANSWERS["slow"]


def test_a_directory_of_the_original_is_the_published_tokenizer(tmp_path):
    (tmp_path / "30k-clean.model").write_bytes(MODEL)
    (tmp_path / "30k-clean.vocab").write_text("", "utf-8")
    (tmp_path / "albert_config.json").write_text("{}")
    (tmp_path / "model.ckpt-best.index").write_bytes(b"")
    for path in (tmp_path, tmp_path / "model.ckpt-best"):
        read = read_tokenizer(str(path))
        assert state(read) == state(TOKENIZERS["published"])
    assert [read.encode(text) for text in TEXTS] == ANSWERS["published"]


@pytest.mark.parametrize("version", [4, 5])
def test_json_alone_gives_the_ids_of_transformers(version, tmp_path):
    """Version 4 has a ▁ for white space at the end of a text, and for what stands alone before an added token."""
    read = read_tokenizer(str(saved_by_transformers(version, tmp_path)))
    assert read.rules == TextRules(convert_quotes=True) and read.digit_comma is None
    assert set(SYMBOLS) <= set(read.atomic_tokens)
    answers = zip(TEXTS, ANSWERS[f"saved by transformers {version}"]["ids"])
    compared = [(text, ids) for text, ids in answers if not differs(text)]
    if version == 4:
        compared = [(text, ids) for text, ids in compared if not set(SYMBOLS) & set(text) and text[-1:].isalnum()]
    assert len(compared) > 25
    assert [read.encode(text) for text, _ in compared] == [ids for _, ids in compared]


def test_user_defined_symbols_are_no_added_tokens_where_the_model_is_there(tmp_path):
    saved_by_transformers(4, tmp_path)
    (tmp_path / "spiece.model").write_bytes(MODEL)
    read = read_tokenizer(str(tmp_path))
    assert read.atomic_tokens == () and read.digit_comma == AS_XLNET
    assert read.tokenize("well-known") == TOKENIZERS["published"].tokenize("well-known")


@pytest.mark.parametrize(
    "name, notes",
    [
        ("published", []),
        ("transformers", ["digit_comma", "convert_quotes"]),
        ("atomic", ["▁the", "<a>, <b>: not in the model"]),
    ],
)
def test_the_original_gets_the_model_and_its_vocabulary(name, notes, tmp_path):
    told = write_tf1(TOKENIZERS[name], str(tmp_path))
    assert len(told) == len(notes)
    if name != "atomic":
        assert all(note in line for note, line in zip(notes, told))
    assert (tmp_path / "30k-clean.model").read_bytes() == MODEL
    lines = (tmp_path / "30k-clean.vocab").read_text("utf-8").split("\n")
    assert [line.split("\t")[0] for line in lines[:-1]] == [piece.piece for piece in PARSED.pieces]
    assert lines[0] == "<pad>\t0"


def test_a_description_says_kind_size_and_settings():
    size = len(PARSED.pieces)
    assert describe_tokenizer(TOKENIZERS["published"]) == f"SentencePiece, {size:,} tokens, lower-cased"
    assert describe_tokenizer(TOKENIZERS["cased"]) == f"SentencePiece, {size:,} tokens, cased, accents kept"
    assert describe_tokenizer(TOKENIZERS["atomic"]).endswith("lower-cased, 4 kept whole")


def test_older_files_add_tokens(tmp_path):
    (tmp_path / "spiece.model").write_bytes(MODEL)
    (tmp_path / CONFIG).write_text('{"do_lower_case": false}')
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<a>": len(PARSED.pieces)}))
    (tmp_path / "special_tokens_map.json").write_text('{"additional_special_tokens": ["▁the"]}')
    read = read_tokenizer(str(tmp_path))
    assert read.tokenize("X<a>▁the") == ["▁", "<unk>", "<a>", "▁the"]
    assert read.vocab["<a>"] == read.vocab_size - 1 == len(PARSED.pieces)


def set_in(*path):
    *path, value = path

    def change(values):
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "name, change, message",
    [
        (CONFIG, set_in("tokenizer_class", "XLNetTokenizer"), "tokenizer_class is 'XLNetTokenizer'"),
        (CONFIG, set_in("mask_token", "<mask>"), "mask_token is '<mask>'"),
        (CONFIG, set_in("do_lower_case", "yes"), "do_lower_case is 'yes'"),
        (CONFIG, set_in("keep_accents", True), "keep_accents is true"),
        (CONFIG, set_in("digit_comma", "t5"), "digit_comma is 't5'"),
        (CONFIG, set_in("sp_model_kwargs", {"alpha": 1}), "sp_model_kwargs"),
        (CONFIG, set_in("added_tokens_decoder", []), "added_tokens_decoder"),
        (CONFIG, set_in("added_tokens_decoder", {"x": {}}), "a key of added_tokens_decoder"),
        (CONFIG, set_in("never_split", "x"), "never_split is 'x'"),
        (CONFIG, set_in("extra_special_tokens", 3), "a list of tokens"),
        (JSON, set_in("model", "byte_fallback", True), "model.byte_fallback is true"),
        (JSON, set_in("model", "unk_id", None), "model.unk_id is null"),
        (JSON, set_in("model", "unk_id", 10**9), "model.unk_id"),
        (JSON, set_in("model", "vocab", []), "model.vocab"),
        (JSON, set_in("model", "vocab", 7, ["x"]), "model.vocab[7]"),
        (JSON, set_in("model", "vocab", 7, ["x", float("nan")]), "model.vocab[7]"),
        (JSON, set_in("model", "vocab", 7, ["other", -1.0]), "the piece of id 7 is 'other'"),
        (JSON, set_in("normalizer", None), "normalizer"),
        (JSON, set_in("normalizer", "normalizers", 0, {"type": "NFC"}), "normalizer.normalizers[0]"),
        (JSON, set_in("pre_tokenizer", {"type": "ByteLevel"}), "pre_tokenizer.type"),
        (JSON, set_in("pre_tokenizer", "prepend_scheme", "never"), "prepend_scheme"),
        (JSON, set_in("added_tokens", None), "added_tokens is null"),
    ],
)
def test_what_ours_can_not_be_is_refused_with_its_place(name, change, message, tmp_path):
    told = refused(changed(written(TOKENIZERS["transformers"], tmp_path), name, change))
    assert told.startswith(f"{tmp_path / name}: ") and message in told


def test_tokens_found_in_normalised_text_are_refused(tmp_path):
    entry = {"content": "Covid", "normalized": True, "special": False, "single_word": False}
    change = set_in("added_tokens_decoder", {str(len(PARSED.pieces)): entry})
    assert "with normalized true" in refused(changed(written(TOKENIZERS["published"], tmp_path), CONFIG, change))


@pytest.mark.parametrize("field", ["pieces", "character map"])
def test_json_alone_that_is_no_model_is_refused(field, tmp_path):
    written(TOKENIZERS["published"], tmp_path)
    (tmp_path / "spiece.model").unlink()
    if field == "pieces":
        change = set_in("model", "vocab", 20, ["▁the", -1.0])  # Twice.
    else:
        change = set_in("normalizer", "normalizers", -3, {"type": "Precompiled", "precompiled_charsmap": "!"})
    told = refused(changed(tmp_path, JSON, change))
    assert told.startswith(str(tmp_path / JSON))


@pytest.mark.parametrize("content", [b"", b"junk", MODEL[:3000]])
def test_a_broken_model_is_refused_with_its_name(content, tmp_path):
    (tmp_path / "spiece.model").write_bytes(content)
    assert refused(tmp_path).startswith(f"{tmp_path / 'spiece.model'}: not a SentencePiece model")


def test_a_model_that_json_can_not_describe_is_not_written(tmp_path):
    model = sentencepiece_model_pb2.ModelProto.FromString(MODEL)
    model.normalizer_spec.add_dummy_prefix = False
    with pytest.raises(InputError, match="another add_dummy_prefix"):
        write_hugging_face(SentencePieceTokenizer(model.SerializeToString()), str(tmp_path / "new"), 512)
    assert not (tmp_path / "new").exists()


def test_combining_marks_are_named_by_the_pattern():
    import re
    import sys
    import unicodedata

    pattern = re.compile(
        re.sub(r"\\x\{(\w+)\}", lambda match: f"\\U{match[1]:0>8}", sentence_piece_json.combining_pattern())
    )
    for character in map(chr, range(sys.maxunicode + 1)):
        assert bool(pattern.fullmatch(character)) == (unicodedata.combining(character) != 0)


def test_the_ways_to_part_before_a_comma_are_told_apart():
    text = "12,"
    assert TOKENIZERS["published"].digit_comma == AS_ALBERT
    assert TOKENIZERS["published"].tokenize(text) == ["▁1", "▁", "2", ","]
    assert TOKENIZERS["transformers"].tokenize(text) == ["▁1", "2", ","]
    assert TOKENIZERS["cased"].tokenize(text) == ["▁1", "2,"]
