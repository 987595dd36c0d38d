"""Byte-level BPE out of Hugging Face's files and into them, against transformers and the tokenizers library."""

import json
import pathlib

import pytest
import tokenizers

from official.checkpoints.tokenizers.tokenizer_files import (
    describe_tokenizer,
    read_tokenizer,
    write_hugging_face,
    write_tf1,
)
from official.errors import InputError
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer

GOLDEN = json.loads((pathlib.Path(__file__).parents[3] / "golden" / "byte_level_bpe.json").read_text("utf-8"))
JSON, CONFIG, SPECIAL = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
MODEL = GOLDEN["cases"]["roberta"]["files"][JSON]["model"]
VOCAB, MERGES = MODEL["vocab"], [tuple(pair) for pair in MODEL["merges"]]
MORE = VOCAB | {"<x1>": len(VOCAB), "fox": len(VOCAB) + 1}
TOKENIZERS = {
    "plain": ByteLevelBpeTokenizer(VOCAB, MERGES),
    "prefix space": ByteLevelBpeTokenizer(VOCAB, MERGES, add_prefix_space=True),
    "atomic": ByteLevelBpeTokenizer(
        MORE, MERGES, atomic_tokens=["<x1>", "fox", "<mask>"], strips_left=["<mask>"], strips_right=["<x1>"]
    ),
    "mask strips nothing": ByteLevelBpeTokenizer(VOCAB, MERGES, atomic_tokens=["<mask>"], strips_left=[]),
    "no special tokens": ByteLevelBpeTokenizer({t: i for t, i in VOCAB.items() if t not in SPECIAL_TOKENS}, MERGES),
}


def state(tokenizer):
    """All that decides what a tokenizer does."""
    names = "tokens vocab merges add_prefix_space atomic_tokens strips_left strips_right"
    found = {name: getattr(tokenizer, name) for name in names.split()}
    there = set(tokenizer.vocab)
    return found | {name: found[name] & there for name in ("strips_left", "strips_right")}


def write_files(directory, contents):
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def plain_files(**more):
    merges = "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in MERGES)
    return {"vocab.json": VOCAB, "merges.txt": merges} | more


def edited(directory, name, *keys, value):
    """Puts a value into a JSON file; `...` takes the field away."""
    path = directory / name
    values = inner = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")


@pytest.fixture
def written(tmp_path):
    """A directory as we write it."""
    write_hugging_face(TOKENIZERS["atomic"], str(tmp_path / "written"), 512)
    return tmp_path / "written"


@pytest.mark.parametrize("name", GOLDEN["cases"])
def test_what_transformers_writes_gives_the_ids_that_transformers_gives(tmp_path, name):
    case = GOLDEN["cases"][name]
    write_files(tmp_path, case["files"])
    tokenizer = read_tokenizer(str(tmp_path))
    assert not set(tokenizer.atomic_tokens) & set(SPECIAL_TOKENS)
    whole = tokenizer.with_atomic_tokens(*SPECIAL_TOKENS)  # transformers finds special tokens in texts.
    assert [whole.encode(text) for text in GOLDEN["texts"]] == case["ids"]
    assert tokenizer.vocab_size == case["size"]
    plain = [number for number, text in enumerate(GOLDEN["texts"]) if "<" not in text]
    assert [tokenizer.encode(GOLDEN["texts"][number]) for number in plain] == [case["ids"][number] for number in plain]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_tokenizers_library_gives_our_ids_from_what_we_write(tmp_path, name):
    ours = TOKENIZERS[name]
    assert write_hugging_face(ours, str(tmp_path), 512) == []
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / JSON))
    whole = ours.with_atomic_tokens(*(token for token in SPECIAL_TOKENS if token in ours.vocab))
    for text in GOLDEN["texts"]:
        assert theirs.encode(text, add_special_tokens=False).ids == whole.encode(text), text
    assert theirs.get_vocab() == ours.vocab
    assert (
        theirs.decode(theirs.encode("the fox é").ids) == ("" if ours.add_prefix_space is False else " ") + "the fox é"
    )


@pytest.mark.parametrize("name", TOKENIZERS)
def test_what_we_write_is_read_again(tmp_path, name):
    write_hugging_face(TOKENIZERS[name], str(tmp_path), 512)
    assert state(read_tokenizer(str(tmp_path))) == state(TOKENIZERS[name])


def test_pairs_of_texts_are_laid_out_as_robertas(written):
    theirs = tokenizers.Tokenizer.from_file(str(written / JSON))
    encoded = theirs.encode("a", "b")
    assert encoded.tokens == ["<s>", "a", "</s>", "</s>", "b", "</s>"] and encoded.type_ids == [0] * 6
    settings = json.loads((written / CONFIG).read_text("utf-8"))
    assert settings["tokenizer_class"] == "RobertaTokenizer" and settings["model_max_length"] == 512
    assert json.loads((written / SPECIAL).read_text("utf-8"))["mask_token"] == {
        "content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False,
    }  # fmt: skip


def test_vocabulary_and_merges_are_enough(tmp_path):
    write_files(tmp_path, plain_files())
    tokenizer = read_tokenizer(str(tmp_path))
    assert state(tokenizer) == state(TOKENIZERS["plain"])
    assert tokenizer.vocab_file == str(tmp_path / "vocab.json")
    write_files(tmp_path, {CONFIG: {"add_prefix_space": True}})
    assert read_tokenizer(str(tmp_path)).add_prefix_space


def test_older_directories_say_more_in_files_of_their_own(tmp_path):
    mask = {"content": "<mask>", "single_word": False, "lstrip": False, "rstrip": True, "normalized": True}
    write_files(tmp_path, plain_files(**{"added_tokens.json": {"<x1>": len(VOCAB)}, SPECIAL: {"mask_token": mask}}))
    tokenizer = read_tokenizer(str(tmp_path))
    assert tokenizer.vocab["<x1>"] == len(VOCAB) and tokenizer.atomic_tokens == ("<x1>",)
    assert tokenizer.strips_left == set() and tokenizer.strips_right == {"<mask>"}


def test_tokenizer_json_alone_is_enough_and_may_be_old(written):
    for name in (CONFIG, SPECIAL, "vocab.json", "merges.txt"):
        (written / name).unlink()
    edited(written, JSON, "model", "type", value=...)
    expected = state(TOKENIZERS["atomic"]) | {"atomic_tokens": ("<x1>", "fox")}
    assert state(read_tokenizer(str(written))) == expected


def test_merges_may_be_pairs(written):
    edited(written, JSON, "model", "merges", value=[list(pair) for pair in MERGES])
    assert read_tokenizer(str(written)).merges == MERGES


def test_tf1_directories_get_vocabulary_and_merges(tmp_path):
    assert write_tf1(TOKENIZERS["plain"], str(tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merges.txt", "vocab.json"]
    notes = write_tf1(TOKENIZERS["atomic"], str(tmp_path)) + write_tf1(TOKENIZERS["prefix space"], str(tmp_path))
    assert ["kept whole" in notes[0], "space is put" in notes[1]] == [True, True]


@pytest.mark.parametrize(
    "name, line",
    [
        ("atomic", "byte-level BPE, 423 tokens, 160 merges, 3 kept whole"),
        ("prefix space", "byte-level BPE, 421 tokens, 160 merges, a space put before texts"),
    ],
)
def test_a_tokenizer_is_described_in_a_line(name, line):
    assert describe_tokenizer(TOKENIZERS[name]) == line


TEMPLATE = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]


@pytest.mark.parametrize(
    "name, keys, value, message",
    [
        (JSON, ["normalizer"], {"type": "NFC"}, "normalizer is {'type': 'NFC'}: null was expected"),
        (JSON, ["pre_tokenizer"], None, "pre_tokenizer is null"),
        (JSON, ["pre_tokenizer", "type"], "Metaspace", "pre_tokenizer.type is 'Metaspace': \"ByteLevel\" was expected"),
        (JSON, ["pre_tokenizer", "use_regex"], False, "pre_tokenizer.use_regex is false: true was expected"),
        (JSON, ["pre_tokenizer", "add_prefix_space"], ..., "pre_tokenizer.add_prefix_space is null: true or false"),
        (JSON, ["pre_tokenizer", "add_prefix_space"], True, "add_prefix_space is false, but pre_tokenizer.add_prefix"),
        (
            JSON,
            ["post_processor", "type"],
            "ByteLevel",
            "post_processor.type is 'ByteLevel': \"RobertaProcessing\" was",
        ),
        (JSON, ["post_processor", "sep"], ["</s>", 5], "post_processor.sep is ['</s>', 5]: </s> with its id, 2, was"),
        (
            JSON,
            ["post_processor"],
            {"type": "TemplateProcessing", "pair": TEMPLATE},
            "<s> A </s> </s> B </s> was expec",
        ),
        (JSON, ["model", "dropout"], 0.1, "model.dropout is 0.1: null was expected"),
        (JSON, ["model", "ignore_merges"], True, "model.ignore_merges is true: false was expected"),
        (JSON, ["model", "byte_fallback"], True, "model.byte_fallback is true: false was expected"),
        (JSON, ["model", "end_of_word_suffix"], "</w>", "model.end_of_word_suffix is '</w>': \"\" was expected"),
        (JSON, ["model", "vocab"], [], "model.vocab is []: an object of tokens and their ids was expected"),
        (JSON, ["model", "vocab", "!"], 7, "have the same id, 7"),
        (JSON, ["model", "vocab", "!"], "4", "the id of '!' is '4': a whole number below"),
        (JSON, ["model", "merges"], None, "model.merges is null: a list of pairs of tokens was expected"),
        (JSON, ["model", "merges"], ["a b c"], "model.merges[0] is 'a b c': a pair of tokens was expected"),
        (JSON, ["model", "merges"], [["a", 1]], "model.merges[0] is ['a', 1]: a pair of tokens was expected"),
        (JSON, ["added_tokens"], {}, "added_tokens is {}: a list was expected"),
        (JSON, ["added_tokens", 0, "single_word"], True, "added_tokens[0].single_word is true: false was expected"),
        (JSON, ["added_tokens", 0, "lstrip"], "yes", "added_tokens[0].lstrip is 'yes': true or false was expected"),
        (JSON, ["added_tokens", 0, "id"], 7, "added_tokens[0].content is '<s>' with id 7"),
        (CONFIG, ["tokenizer_class"], "GPT2Tokenizer", "tokenizer_class is 'GPT2Tokenizer': one of RobertaTokenizer"),
        (CONFIG, ["add_prefix_space"], True, "add_prefix_space is true, but pre_tokenizer.add_prefix_space is false"),
        (CONFIG, ["add_prefix_space"], "no", "add_prefix_space is 'no': true or false was expected"),
        (CONFIG, ["do_lower_case"], True, "do_lower_case is true: false was expected"),
        (CONFIG, ["mask_token"], "[MASK]", "mask_token is '[MASK]': \"<mask>\" was expected"),
        (CONFIG, ["never_split"], "<mask>", "never_split is '<mask>': a list of tokens was expected"),
        (CONFIG, ["extra_special_tokens"], "<x>", "extra_special_tokens is '<x>': a list of tokens was expected"),
        (CONFIG, ["added_tokens_decoder"], [], "added_tokens_decoder is []: an object of ids and tokens was expected"),
        (CONFIG, ["added_tokens_decoder", "x"], {}, "a key of added_tokens_decoder is 'x': an id was expected"),
        ("vocab.json", ["!"], 5, "the id of '!' is 5, in"),
    ],
)
def test_what_ours_can_not_be_exactly_is_refused_in_a_line(written, name, keys, value, message):
    edited(written, name, *keys, value=value)
    with pytest.raises(InputError) as error:
        read_tokenizer(str(written))
    told = str(error.value)
    assert message in told and told.startswith(str(written)) and "\n" not in told and len(told) < 1000


def test_other_merges_beside_are_refused(written):
    (written / "merges.txt").write_text("#version: 0.2\nh e\n")
    with pytest.raises(InputError, match="merges.txt: other merges than in .*tokenizer.json"):
        read_tokenizer(str(written))


def test_a_byte_that_would_be_unk_is_refused(written):
    edited(written, JSON, "model", "unk_token", value="<unk>")
    assert state(read_tokenizer(str(written))) == state(TOKENIZERS["atomic"])  # No byte is.
    for name in ("vocab.json", JSON):
        path = written / name
        path.write_text(path.read_text("utf-8").replace('"ħ":', '"gone":'), "utf-8")
    with pytest.raises(InputError, match="model.unk_token is '<unk>': null, or all 256 bytes"):
        read_tokenizer(str(written))


def test_a_merge_that_is_no_line_is_not_written(tmp_path):
    odd = ByteLevelBpeTokenizer({"a b": 0, "c": 1, "a bc": 2}, [("a b", "c")])
    with pytest.raises(InputError, match="merges.txt: merge 0 is .* can't be a line"):
        write_hugging_face(odd, str(tmp_path), 512)
    assert not list(tmp_path.iterdir())
