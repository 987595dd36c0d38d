"""Running text is split where a reader would split it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["He came.", "She left!", "Why?", "Nobody knows…"],
        ["“Stop!” he cried, and ran.", "(It was late.)", "Then it rained."],
        ["Mr. Smith met Dr. Jones on St. James's Street.", "They spoke."],
        ["J. R. R. Tolkien wrote it.", "So did I."],
        ["It costs 3.50 pounds, i.e. little, e.g. for you.", "See Fig. 3 there."],
        ["They sold apples, pears, etc. and more, etc.", "Then they left."],
        ["Well... maybe not.", "Perhaps."],
        ["It works with numpy.ndarray and tf.data.", "Use it."],
        ["日本語です。", "これも文です！", "そうですか？"],
        ["학교에 갔다.", "집에 왔다."],
        ["No full stop"],
        [],
    ],
)
def test_sentences_joined_by_a_space_are_found_again(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


@given(st.text())
def test_nothing_is_lost_or_added_but_white_space(text):
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(st.text(st.sampled_from("aA .!?。\n”)")))
def test_no_sentence_is_empty_or_has_white_space_around_it(text):
    assert all(sentence and sentence == sentence.strip() for sentence in split_sentences(text))
