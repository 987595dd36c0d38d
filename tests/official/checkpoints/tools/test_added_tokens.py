"""New tokens: where they are put, what their rows start as, that text finds them, and that all else stays."""

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from official.checkpoints.tools.added_tokens import APPENDED, PRESENT, TAKEN, add_tokens
from official.errors import InputError
from official.models.bert import Bert, BertConfig
from official.tokenization.wordpiece import WordPieceTokenizer
from official.tokenization.wordpiece_graph import GraphWordPieceTokenizer
from tests.golden import seeded

WORD_ROWS, BIAS_ROWS = "bert/embeddings/word_embeddings", "cls/predictions/output_bias"
KNOWN = (
    "[PAD] [unused0] [UNK] [CLS] [SEP] [MASK] [unused2] [unused1] co ##vid ##o ##id vaccine ##s "
    "c + # [ ] ent e new york log ##log ##y x ##x"
).split()


def vocabulary(size: int = 101, known=KNOWN) -> list[str]:
    """The known tokens, and words that no text here holds."""
    return [*known, *(f"zz{number}" for number in range(size - len(known)))]


def tokenizer_of(tokens: list[str], **options) -> WordPieceTokenizer:
    return WordPieceTokenizer({token: index for index, token in enumerate(tokens)}, **options)


def tables(model) -> dict[str, np.ndarray]:
    return {variable.path.split("/", 1)[1]: np.asarray(variable) for variable in model.weights}


def mean_of(table: np.ndarray, tokens: str) -> np.ndarray:
    rows = [table[KNOWN.index(token)].astype(np.float64) for token in tokens.split()]
    return (sum(rows) / len(rows)).astype(np.float32)


@pytest.fixture(scope="module")
def tokenizer() -> WordPieceTokenizer:
    return tokenizer_of(vocabulary())


def test_unused_places_are_taken_in_the_order_of_their_ids_then_the_tables_grow(model, tokenizer):
    tokens = ["covid", "vaccines", "logy", "xx", "cox"]
    extended, new_tokenizer, added = add_tokens(model, tokenizer, tokens)
    assert added.ids == {"covid": 1, "vaccines": 6, "logy": 7, "xx": 101, "cox": 102}
    assert [entry.how for entry in added.entries] == [TAKEN] * 3 + [APPENDED] * 2
    assert [new_tokenizer.tokens[token_id] for token_id in added.ids.values()] == tokens
    assert new_tokenizer.vocab_size == extended.config.vocab_size == 103
    assert new_tokenizer.encode("covid vaccines logy xx cox") == [1, 6, 7, 101, 102]
    assert not [token for token in new_tokenizer.vocab if token.startswith("[unused")]


@pytest.mark.parametrize(
    ("token", "pieces"),
    [
        ("covid", "co ##vid"),
        ("covids", "co ##vid ##s"),
        ("vaccines", "vaccine ##s"),
        ("C++", "c + +"),
        ("[ENT]", "[ ent ]"),
        ("##ologs", "##o ##log ##s"),
        ("c-", "c"),  # There is no "-": its [UNK] says nothing.
    ],
)
@pytest.mark.parametrize("free_places", [True, False])
def test_a_new_row_starts_as_the_mean_of_the_rows_of_its_pieces(model, tokenizer, token, pieces, free_places):
    if not free_places:
        tokenizer = tokenizer_of([token.replace("unused", "used") for token in tokenizer.tokens])
    extended, _, added = add_tokens(model, tokenizer, [token])
    before, after = tables(model), tables(extended)
    for name in (WORD_ROWS, BIAS_ROWS):
        np.testing.assert_array_equal(after[name][added.ids[token]], mean_of(before[name], pieces), err_msg=name)


def test_a_token_of_unknown_pieces_starts_as_the_mean_of_all_tokens(make_model):
    model, tokenizer = make_model(0), tokenizer_of(vocabulary(90))  # Eleven rows are no token's.
    extended, _, added = add_tokens(model, tokenizer, ["qqq", "☃"])
    for name, table in tables(model).items():
        if name in (WORD_ROWS, BIAS_ROWS):
            expected = (table[:90].astype(np.float64).sum(0) / 90).astype(np.float32)
            for token_id in added.ids.values():
                np.testing.assert_allclose(tables(extended)[name][token_id], expected, rtol=1e-6)


def test_everything_else_is_the_same_to_the_last_bit_and_the_given_model_is_left_alone(make_model, tokenizer):
    model = make_model(0)
    extended, new_tokenizer, added = add_tokens(model, tokenizer, ["covid", "vaccines", "logy", "xx", "C++"])
    old = np.setdiff1d(np.arange(101), list(added.ids.values()))
    drawn = seeded.weights(seeded.SHAPES[0], seed=0)
    for name, values in tables(extended).items():
        kept = old if name in (WORD_ROWS, BIAS_ROWS) else slice(None)
        np.testing.assert_array_equal(values[kept], drawn[name][kept], err_msg=name)
        np.testing.assert_array_equal(tables(model)[name], drawn[name], err_msg=name)
    assert tokenizer.tokens == vocabulary() and not tokenizer.atomic_tokens
    assert [new_tokenizer.tokens[token_id] for token_id in old] == [tokenizer.tokens[token_id] for token_id in old]


def test_old_text_gives_the_same_numbers(model, tokenizer):
    extended, new_tokenizer, _ = add_tokens(model, tokenizer, ["covid", "logy", "xx", "xxx", "[ENT]"])
    assert new_tokenizer.encode("new york vaccine log ent") == (ids := tokenizer.encode("new york vaccine log ent"))
    before, after = (some({"input_ids": np.array([ids])}) for some in (model, extended))
    for name in ("sequence_output", "pooled_output", "nsp_logits"):
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    kept = [token_id for token_id in range(101) if token_id not in (1, 6, 7)]
    np.testing.assert_allclose(
        after["mlm_logits"].numpy()[..., kept], before["mlm_logits"].numpy()[..., kept], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("heads", "labels", "pooler"),
    [
        ((), (), True),
        ((), (), False),
        (("mlm",), (), False),
        (("mlm", "nsp"), (), True),
        (("sequence_classification",), ("bad", "good", "neither"), True),
        (("token_classification",), ("O", "B-GENE", "I-GENE"), False),
        (("question_answering",), (), False),
    ],
)
def test_heads_labels_and_what_the_model_shows_are_kept(tokenizer, heads, labels, pooler):
    model = Bert(BertConfig(**seeded.SHAPES[0]), heads, labels=labels, pooler=pooler, name="mine")
    extended = add_tokens(model, tokenizer, ["covid"]).model
    assert (extended.heads, extended.labels, extended.name) == (heads, labels, "mine")
    assert extended({"input_ids": np.array([[1]])}).keys() == model({"input_ids": np.array([[1]])}).keys()
    shown = Bert(model.config, output_hidden_states=True, output_attention_probs=True)
    answer = add_tokens(shown, tokenizer, ["covid"]).model({"input_ids": np.array([[1]])})
    assert {"hidden_states", "attention_probs"} <= answer.keys()


def test_spare_rows_are_used_before_the_tables_grow(model):
    tokenizer = tokenizer_of(vocabulary(99))
    extended, new_tokenizer, added = add_tokens(model, tokenizer, ["covid", "xx", "cox", "logs"])
    assert added.ids["logs"] == 99
    assert (extended.config.vocab_size, new_tokenizer.vocab_size) == (101, 100)
    extended, new_tokenizer, added = add_tokens(extended, new_tokenizer, ["logy", "cologs"])
    assert list(added.ids.values()) == [100, 101]
    assert (extended.config.vocab_size, new_tokenizer.vocab_size) == (102, 102)
    np.testing.assert_array_equal(tables(extended)[WORD_ROWS][100], mean_of(tables(model)[WORD_ROWS], "log ##y"))


def test_tables_smaller_than_the_vocabulary_are_refused(model):
    with pytest.raises(InputError, match="has 102 tokens, the model's tables have rows for 101 only"):
        add_tokens(model, tokenizer_of(vocabulary(102)), ["covid"])


def test_tokens_that_would_be_parted_become_atomic(model, tokenizer):
    tokens = ["C++", "[ENT]", "covid", "new-york", "c+", "logy"]
    _, new_tokenizer, added = add_tokens(model, tokenizer, tokens)
    assert set(new_tokenizer.atomic_tokens) == {"C++", "[ENT]", "new-york", "c+"}
    assert new_tokenizer.tokenize("xC++[ENT] covids c++ C+") == [
        "x",
        "C++",
        "[ENT]",
        "covid",
        "##s",
        "c+",
        "+",
        "c",
        "+",
    ]
    assert new_tokenizer.tokenize("New-York [ent]") == ["new", "[UNK]", "york", "[", "ent", "]"]
    in_graph = GraphWordPieceTokenizer(new_tokenizer)
    text = "xC++[ENT] covids c++ C+ New-York new-york"
    assert in_graph([text]).to_list() == [new_tokenizer.encode(text)]


def test_a_word_is_spelt_as_the_tokenizer_spells_words(model, tokenizer):
    _, lower, added = add_tokens(model, tokenizer, ["COVID", "Logý", "covid"])
    assert added.ids == {"COVID": 1, "Logý": 6, "covid": 1}
    assert [entry.how for entry in added.entries] == [TAKEN, TAKEN, PRESENT]
    assert lower.tokens[1] == "covid" and lower.tokens[6] == "logy" and not lower.atomic_tokens
    assert lower.encode("Covid LOGY logý") == [1, 6, 6]
    _, cased, added = add_tokens(model, tokenizer_of(vocabulary(), lower_case=False), ["COVID", "covid"])
    assert (cased.encode("COVID covid"), cased.atomic_tokens) == ([1, 6], ())


def test_a_continuation_is_found_within_words_only(model, tokenizer):
    _, new_tokenizer, added = add_tokens(model, tokenizer, ["##ologs", "##OLOGY"])
    assert added.ids == {"##ologs": 1, "##OLOGY": 6}
    assert new_tokenizer.tokenize("cologs Cology ologs") == ["co", "##log", "##s", "co", "##log", "##y", "[UNK]"]
    assert new_tokenizer.tokenize("xologs Xology") == ["x", "##ologs", "x", "##ology"]
    assert not new_tokenizer.atomic_tokens


def test_tokens_that_are_there_keep_id_and_row(model, tokenizer):
    tokens = ["vaccine", "##vid", "[MASK]", "[unused0]", "NEW", "covid", "covid", "vaccine"]
    extended, new_tokenizer, added = add_tokens(model, tokenizer, tokens)
    index = tokenizer.vocab
    assert added.ids == {
        "vaccine": index["vaccine"], "##vid": index["##vid"], "[MASK]": 5, "[unused0]": 1, "NEW": index["new"],
        "covid": 6,
    }  # fmt: skip
    assert [entry.how for entry in added.entries] == [PRESENT] * 5 + [TAKEN]
    for name in (WORD_ROWS, BIAS_ROWS):
        changed = np.flatnonzero(np.any(np.atleast_2d((tables(extended)[name] != tables(model)[name]).T), axis=0))
        assert changed.tolist() == [6]
    assert new_tokenizer.tokenize("[unused0] [MASK]") == ["[unused0]", "[MASK]"]


def test_adding_the_same_tokens_again_changes_nothing(model, tokenizer):
    tokens = ["covid", "C++", "##ologs", "[ENT]", "xx", "COX"]
    extended, new_tokenizer, added = add_tokens(model, tokenizer, tokens)
    again, same_tokenizer, nothing = add_tokens(extended, new_tokenizer, tokens)
    assert nothing.ids == added.ids and {entry.how for entry in nothing.entries} == {PRESENT}
    assert (same_tokenizer.tokens, same_tokenizer.atomic_tokens) == (new_tokenizer.tokens, new_tokenizer.atomic_tokens)
    for name, values in tables(again).items():
        np.testing.assert_array_equal(values, tables(extended)[name], err_msg=name)


def test_unused_places_that_serve_as_atomic_tokens_are_left_alone(model):
    tokenizer = tokenizer_of(vocabulary(), atomic_tokens=["[unused0]", "[MASK]"])
    _, new_tokenizer, added = add_tokens(model, tokenizer, ["covid"])
    assert added.ids == {"covid": 6}
    assert set(new_tokenizer.atomic_tokens) == {"[unused0]", "[MASK]"}


def test_the_options_of_the_tokenizer_go_along(model):
    options = dict(lower_case=True, strip_accents=False, max_input_chars_per_word=7)
    tokenizer = tokenizer_of(vocabulary(), **options)
    new_tokenizer = add_tokens(model, tokenizer, ["covíd"]).tokenizer
    assert {name: getattr(new_tokenizer, name) for name in options} == options
    assert new_tokenizer.encode("COVÍD covidxxx") == [1, 2]


def test_a_vocabulary_file_with_a_repeated_token_keeps_its_lines(model, tmp_path):
    lines = vocabulary(100)
    lines.insert(8, "log")
    (tmp_path / "vocab.txt").write_text("\n".join(lines) + "\n")
    tokenizer = WordPieceTokenizer.from_file(str(tmp_path / "vocab.txt"))
    new_tokenizer = add_tokens(model, tokenizer, ["covid"]).tokenizer
    assert new_tokenizer.tokens == [lines[0], "covid", *lines[2:]]
    assert new_tokenizer.encode("log") == tokenizer.encode("log")


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "one of the tokens to add is empty"),
        (" covid", "token ' covid' holds white space"),
        ("covid\n", r"token 'covid\\n' holds white space"),
        ("New York", "token 'New York' holds white space, where text is parted"),
        ("co\u00advid", r"token 'co\\xadvid' holds '\\xad', which is left out of every text"),
        ("\x00", "is left out of every text"),
        ("\u0301", "is made of accents only"),
        ("##+", r"token '##\+' would continue a word, as ## says, but no word can hold it"),
        ("##\u0301", "no word can hold it"),
        ("##NAME##", "no word can hold it"),
        ("x" * 201, "token 'xxxxxxxxxxxxxxxxxxxx'… is 201 characters long, words may be 200 long"),
    ],
)
def test_what_no_text_could_hold_is_refused(model, tokenizer, token, message):
    with pytest.raises(InputError, match=message) as caught:
        add_tokens(model, tokenizer, ["vaccine", token])
    assert "\n" not in str(caught.value)


def test_the_report_says_what_became_of_the_tokens(model, tokenizer):
    tokens = ["COVID", "C++", "[ENT]", "vaccine", *(f"w{number}" for number in range(20))]
    assert str(add_tokens(model, tokenizer, tokens).added) == (
        "24 tokens: 3 in the place of [unusedN], 20 appended, 1 there already; "
        "the vocabulary had 101 tokens and has 121\n"
        "  kept whole wherever a text holds them as written: C++, [ENT]\n"
        "  spelt as the tokenizer spells words: COVID → covid"
    )


@pytest.fixture(scope="module")
def small_model():
    return Bert(BertConfig(**seeded.SHAPES[0] | {"hidden_size": 2, "intermediate_size": 2}))


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.lists(st.text("cox+[]#é íÉX漢\u0301ΣσA", max_size=6), max_size=5),
    lower_case=st.booleans(),
    atomic=st.sampled_from([(), ("[ENT]", "o+")]),
)
def test_every_token_that_is_not_refused_is_found_whole(small_model, tokens, lower_case, atomic):
    known = [*KNOWN, "[ENT]", "o+"]
    tokenizer = tokenizer_of(vocabulary(101, known), lower_case=lower_case, atomic_tokens=atomic)
    try:
        model, new_tokenizer, added = add_tokens(small_model, tokenizer, tokens)
    except InputError:
        return
    assert added.ids.keys() == set(tokens)
    assert model.config.vocab_size == max(101, new_tokenizer.vocab_size)
    for entry in added.entries:
        assert new_tokenizer.tokens[entry.token_id] == entry.spelling
        if not entry.spelling.startswith("##") or entry.atomic:
            assert new_tokenizer.encode(entry.token) == [entry.token_id]
    new = [entry.spelling for entry in added.entries if entry.how != PRESENT]
    assert len(new_tokenizer.vocab) == len(tokenizer.vocab) + sum(entry.how == APPENDED for entry in added.entries)
    assert len(set(new)) == len(new)


def test_the_tokenizers_library_finds_the_same_tokens_in_the_new_vocabulary(model, tokenizer):
    _, ours, _ = add_tokens(model, tokenizer, ["covid", "Cox", "C++", "[ENT]", "##ologs", "漢"])
    theirs = tokenizers.BertWordPieceTokenizer(ours.vocab, lowercase=True)
    theirs.add_tokens([tokenizers.AddedToken(token, normalized=False) for token in ours.atomic_tokens])
    for text in ("Covids COX cox+ C++ c++", "x[ENT]y [ent] xologs", "漢漢 covid漢", "vaccine c++C++"):
        assert theirs.encode(text, add_special_tokens=False).ids == ours.encode(text), text
