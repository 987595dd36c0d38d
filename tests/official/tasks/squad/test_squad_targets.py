"""What SQuAD's annotators marked, in tokens: found as the original finds it, and what is not found is told."""

import time

import published_squad as published
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squad_texts import TEXTS, TOKENIZER

from official.errors import InputError
from official.tasks.squad.squad_features import tokenize_contexts
from official.tasks.squad.squad_files import Answer, Question, SquadFile
from official.tasks.squad.squad_targets import find_targets


def targets_of(context, *answers, version_2=False, **fields):
    """Targets of one question with these (text, start), and of another that is found."""
    marked = None if answers == (None,) else tuple(Answer(*answer) for answer in answers)
    asked = Question("q", "who?", 0, marked, place="data[0].paragraphs[0].qas[0]", **fields)
    other = Question("other", "who?", 1, (Answer("fox", 0),))
    file = SquadFile("f.json", [context, "fox"], [asked, other])
    contexts = tokenize_contexts(file.contexts, TOKENIZER)
    return find_targets(file, contexts, TOKENIZER, version_2), contexts


def answer_tokens(context, answer, **options):
    """The tokens of the answer; None where the question was left out."""
    targets, contexts = targets_of(context, answer, **options)
    if targets.questions[0].id == "other":
        return None
    return TOKENIZER.convert_ids_to_tokens(contexts.ids_of(0)[targets.starts[0] : targets.ends[0] + 1])


@pytest.mark.parametrize(
    ("context", "answer", "tokens"),
    [
        ("the fox (19-19). a", ("19", 9), ["1", "##9"]),
        ("the fox (19-19). a", ("(19-19)", 8), ["(", "1", "##9", "-", "1", "##9", ")"]),
        ("the fox jumped over", ("fox jumped", 4), ["fox", "jump", "##ed"]),
        ("the fox jumped over", ("jump", 8), ["jump"]),
        ("the abb fox", ("bb", 5), ["a", "##b", "##b"]),  # No word begins so: the whole of it.
        ("the\u202ffox\tjumped", ("fox jumped", 4), ["fox", "jump", "##ed"]),
        ("the  fox", ("  fox", 3), ["fox"]),
        ("the fox", ("the fox", 0), ["the", "fox"]),
        ("the zebra fox", ("zebra", 4), ["[UNK]"]),
        ("the fox", ("quick", 4), None),
        ("the fox", ("", 4), None),
        ("the fox", ("fox", -1), None),
        ("the fox", ("fox", 5), None),
        ("the fox", ("fox", 1000), None),
        ("", ("fox", 0), None),
    ],
)
def test_answers_become_tokens_or_are_left_out(context, answer, tokens):
    assert answer_tokens(context, answer) == tokens


@settings(max_examples=200, deadline=None)
@given(context=TEXTS, place=st.tuples(st.integers(0, 100), st.integers(1, 30)), other=st.booleans())
def test_answers_are_where_the_original_finds_them(context, place, other):
    start = min(place[0], max(len(context) - 1, 0))
    text = context[start : start + place[1]]
    if other:
        text = text[::-1]
    words, _ = published.words_and_places(context)
    if not text.split() or not words or start < len(context) - len(context.lstrip(published.WHITE_SPACE)):
        return  # Answers without a word, and those that begin before the first word: ours to define.
    span = published.answer_words(context, text, start)
    targets, _ = targets_of(context, (text, start))
    if span is None:
        assert targets.questions[0].id == "other"
    else:
        pieces = [TOKENIZER.tokenize(word) for word in words]
        expected = published.answer_tokens(pieces, *span, TOKENIZER.tokenize(text))
        assert (targets.starts[0], targets.ends[0]) == expected


def test_how_many_were_not_found_is_told_with_their_ids(capsys):
    targets, _ = targets_of("the fox", ("quick", 4))
    assert [question.id for question in targets.questions] == ["other"]
    assert capsys.readouterr().err == "note: f.json: questions left out, whose answer is not at its offset: 1 (q)\n"


def test_of_several_answers_the_first_is_taken_and_that_is_told(capsys):
    targets, _ = targets_of("the fox", ("fox", 4), ("the", 0))
    assert (targets.starts[0], targets.ends[0]) == (1, 1)
    assert "several answers, of which the first is taken: 1 (q)" in capsys.readouterr().err


@pytest.mark.parametrize("answers", [[], [("fox", 4)], [None]])
def test_impossible_questions_have_no_answer_under_version_2(answers):
    targets, _ = targets_of("the fox", *answers, version_2=True, is_impossible=True)
    assert (targets.starts[0], targets.ends[0]) == (-1, -1) and targets.questions[0].id == "q"


@pytest.mark.parametrize(
    ("answers", "options", "message"),
    [
        ([], {}, "answers is empty, which only --version_2_with_negative allows"),
        ([], {"is_impossible": True}, "answers is empty, which only --version_2_with_negative allows"),
        ([None], {}, "answers is missing: there is nothing to train on"),
        ([], {"version_2": True}, "answers is empty, and is_impossible is not true"),
        ([None], {"version_2": True, "is_impossible": False}, "answers is missing, and is_impossible is not true"),
    ],
)
def test_a_question_without_answer_is_refused_with_its_place(answers, options, message):
    with pytest.raises(InputError, match=r"f.json: data\[0\].paragraphs\[0\].qas\[0\].") as raised:
        targets_of("the fox", *answers, **options)
    assert message in str(raised.value)


def test_a_file_without_any_answer_at_its_offset_is_refused():
    file = SquadFile("f.json", ["the fox"], [Question("q", "who?", 0, (Answer("a", 4),))])
    with pytest.raises(InputError, match="f.json: there is no question whose answer is at its offset"):
        find_targets(file, tokenize_contexts(file.contexts, TOKENIZER), TOKENIZER, False)


def test_an_answer_in_one_word_of_a_hundred_thousand_ideographs_takes_no_time():
    context = "中" * 50_000 + "国" + "中" * 49_999
    started = time.monotonic()
    assert answer_tokens(context, ("国", 50_000)) == ["国"]
    assert answer_tokens(context, ("中" * 20_000 + "国", 30_000))[-1] == "国"
    assert time.monotonic() - started < 5
