"""Inputs as a person reads them, against records that the original wrote."""

import re

import numpy as np
import pytest
import tensorflow as tf

from official.inputs import pretraining, records
from official.tasks.dry_run import decoded
from official.tasks.dry_run.pretraining_sample import PretrainingSample
from official.tokenization.wordpiece import WordPieceTokenizer


@pytest.fixture(scope="module")
def vocabulary(golden_bert):
    return (golden_bert / "ckpt" / "vocab.txt").read_text().split("\n")


@pytest.fixture(scope="module")
def originals(golden_bert):
    """The records as protocol buffers, read without this project."""
    data = tf.data.TFRecordDataset(str(golden_bert / "pretrain.tfrecord")).as_numpy_iterator()
    found = []
    for record in data:
        features = tf.train.Example.FromString(record).features.feature
        found.append({name: list(value.int64_list.value or value.float_list.value) for name, value in features.items()})
    return found


@pytest.fixture(scope="module")
def parsed(golden_bert):
    parse = records.parse_example(pretraining.static_features(64, 10))
    batches = records.evaluation_batches([str(golden_bert / "pretrain.tfrecord")], parse, 32, repeat=False)
    return list(batches.as_numpy_iterator())


def rows_of(batches):
    return [
        {name: values[row] for name, values in batch.items()}
        for batch in batches
        for row in range(len(batch["input_ids"]))
    ]


def original_tokens(record, names):
    """Each token, and what was there where it is to be predicted, as (segment, token, answer or None)."""
    masked = zip(record["masked_lm_positions"], record["masked_lm_ids"], record["masked_lm_weights"])
    answers = {place: names(answer) for place, answer, weight in masked if weight}
    length = sum(record["input_mask"])
    tokens = zip(record["segment_ids"][:length], record["input_ids"][:length])
    return [(segment, names(token), answers.get(place)) for place, (segment, token) in enumerate(tokens)]


def read_back(lines):
    """The same, out of what is shown."""
    found, segment = [], None
    for line in lines[1:]:
        if match := re.match(r"  segment (\d)  (.*)", line):
            segment, line = int(match[1]), match[2]
        for word in line.split():
            masked = re.fullmatch(r"\{(.+)→(.+)\}", word)
            found.append((segment, masked[1], masked[2]) if masked else (segment, word, None))
    return found


@pytest.mark.parametrize("named", [True, False])
def test_every_golden_record_is_shown_as_the_original_wrote_it(originals, parsed, vocabulary, named):
    tokens = vocabulary if named else None
    for original, row in zip(originals, rows_of(parsed), strict=True):
        lines = decoded.pretraining_example(row, tokens)
        assert read_back(lines) == original_tokens(original, vocabulary.__getitem__ if named else str)
        segments, length = original["segment_ids"], sum(original["input_mask"])
        second = sum(segments)
        predicted = round(sum(original["masked_lm_weights"]))
        (label,) = original["next_sentence_labels"]
        said = (
            f"{length} tokens ({length - second} + {second}) of 64, {predicted} masked; next_sentence_labels {label}:"
        )
        assert lines[0].startswith(said) and ("does not" in lines[0]) == bool(label)
        assert max(map(len, lines)) <= decoded.WIDTH


def test_shares_are_those_of_the_golden_records(golden_bert, originals, parsed, vocabulary):
    tokenizer = WordPieceTokenizer.from_file(str(golden_bert / "ckpt" / "vocab.txt"))
    sample = PretrainingSample.of(parsed, tokenizer)
    triples = [triple for record in originals for triple in original_tokens(record, vocabulary.__getitem__)]
    answers = [(token, answer) for _, token, answer in triples if answer]
    assert (sample.examples, sample.real, sample.tokens) == (len(originals), len(triples), 64 * len(originals))
    assert sample.predictions == len(answers)
    assert sample.masked == sum(token == "[MASK]" for token, _ in answers)
    assert sample.kept == sum(token == answer for token, answer in answers)
    assert sample.unknown == sum(token == "[UNK]" for _, token, _ in triples)
    assert sample.full == sum(sum(record["masked_lm_weights"]) == 10 for record in originals)
    assert sample.not_next == sum(record["next_sentence_labels"][0] for record in originals)
    lines = dict(sample.lines(tokenizer))
    assert lines["read as"].startswith(f"[MASK] {sample.masked / len(answers):.1%}, ")
    assert "[UNK]" not in dict(PretrainingSample.of(parsed, None).lines(None))


NAMES = ["[PAD]", "[CLS]", "[SEP]", "who", "?", "the", "cat", "sat", "##s"]


def row(ids, segments, **more):
    ids, mask = ids + [0], [1] * len(ids) + [0]
    columns = {"input_ids": ids, "input_mask": mask, "segment_ids": [*segments, 0]} | more
    return {name: np.array(values) for name, values in columns.items()}


QUESTION = ([1, 3, 4, 2, 5, 6, 8, 7, 2], [0, 0, 0, 0, 1, 1, 1, 1, 1])


def test_an_answer_stands_between_its_marks():
    lines = decoded.answered_row(row(*QUESTION, start_positions=5, end_positions=6), NAMES)
    assert lines == [
        "9 tokens (4 + 5) – start_positions 5, end_positions 6: cat ##s",
        "  segment 0  [CLS] who ? [SEP]",
        "  segment 1  the «cat ##s» sat [SEP]",
    ]
    one = decoded.answered_row(row(*QUESTION, start_positions=4, end_positions=4), NAMES)
    assert one[2] == "  segment 1  «the» cat ##s sat [SEP]"
    none = decoded.answered_row(row(*QUESTION, start_positions=0, end_positions=0), NAMES)
    assert "no answer in this window" in none[0] and none[1] == "  segment 0  [CLS] who ? [SEP]"


def test_a_word_has_its_label_behind_its_first_piece():
    shown = row([1, 6, 8, 7, 2], [0] * 5, token_labels=[-1, 1, -1, 0, -1, -1])
    assert decoded.tagged_row(shown, NAMES, ("O", "B-PET")) == [
        "5 tokens – 2 words labelled",
        "  segment 0  [CLS] cat/B-PET ##s sat/O [SEP]",
    ]


@pytest.mark.parametrize(
    ("label_type", "labels", "choices", "value", "said"),
    [
        ("single", ("no", "yes"), 1, 1, "label yes"),
        ("multi", ("a", "b", "c"), 1, np.array([1, 0, 1]), "labels a, c"),
        ("multi", ("a", "b"), 1, np.array([0, 0]), "labels none"),
        ("regression", ("value",), 1, 2.5, "label 2.5"),
        (None, ("choice",), 4, 2, "choice 3 of 4 is right"),
    ],
)
def test_labels_are_called_by_their_names(label_type, labels, choices, value, said):
    assert decoded.label_speller(label_type, labels, choices)(value) == said
