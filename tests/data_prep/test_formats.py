"""Records of every input format: made from text, read by the published reader, the same for any number of processes."""

import functools

import made_rows
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import pretraining_data
from data_prep.documents import TextSource, open_source
from data_prep.formats import FORMATS
from data_prep.pretraining_data import create
from data_prep.recipe import PretrainingData
from data_prep.row_shuffle import RowShuffle
from data_prep.streams import PER_DOCUMENT, PUBLISHED
from data_prep.token_store import TokenizerOptions
from official.errors import InputError
from official.inputs.pretraining import dynamic_features, mask_dynamically, static_features
from official.objectives.masked_lm import Masking

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"the a cat dog sat ran on mat ##s ##ing ##ed , .".split()]
PAD, UNK, CLS, SEP, MASK = range(5)
WORDS = ["the", "a", "cats", "dogs", "sat", "raned", "on", "mating", "mat,", "dog."]
LENGTH, PREDICTIONS = 24, 5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A directory with a corpus of 40 documents and a vocabulary."""
    directory, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)

    def sentences():
        return (" ".join(rng.choice(WORDS, rng.integers(1, 30))) for _ in range(rng.integers(1, 20)))

    (directory / "text.txt").write_text("\n\n".join("\n".join(sentences()) for _ in range(40)))
    (directory / "vocab.txt").write_text("\n".join(TOKENS))
    return directory


def make(corpus, path, name, **options):
    """Makes the records of a format in the file `path`; its summary."""
    options = {"max_seq_length": LENGTH, "max_predictions_per_seq": PREDICTIONS, "example_format": name} | options
    data = PretrainingData(output_files=(str(path),), tokenizer=TokenizerOptions(str(corpus / "vocab.txt")), **options)
    return create(data, open_source(TextSource(str(corpus / "text.txt"))))


def read(path, features) -> dict[str, np.ndarray]:
    """All records in arrays, parsed with these features."""
    records = tf.data.TFRecordDataset(str(path)).batch(1 << 20)
    (batch,) = records.map(lambda serialized: tf.io.parse_example(serialized, features)).as_numpy_iterator()
    return batch


@pytest.mark.parametrize("name", FORMATS)
def test_masked_records_are_read_by_the_published_reader(corpus, tmp_path, name):
    summary = make(corpus, tmp_path / "out", name, dupe_factor=2, do_whole_word_mask=True, max_ngram=3)
    rows = read(tmp_path / "out", static_features(LENGTH, PREDICTIONS))
    lengths = rows["input_mask"].sum(axis=1)
    assert len(lengths) == summary.examples and summary.counts.tokens[0] == lengths.sum()
    assert (rows["input_ids"][:, 0] == CLS).all()
    assert (rows["input_ids"][np.arange(len(lengths)), lengths - 1] == SEP).all()
    assert (rows["input_ids"][rows["input_mask"] == 0] == PAD).all()
    assert (rows["masked_lm_weights"].sum(axis=1) >= 1).mean() > 0.9  # Some words are too long for their row.
    counted = rows["masked_lm_weights"] == 1
    assert not np.isin(rows["masked_lm_ids"][counted], [PAD, CLS, SEP, MASK]).any()
    labels = rows["next_sentence_labels"][:, 0]
    assert set(labels) == ({0, 1} if FORMATS[name].labels else {0})
    has_second = rows["segment_ids"].any(axis=1)
    if name in ("full_sentences", "doc_sentences"):
        assert not has_second.any()
    elif name != "electra":
        assert has_second.all()
    else:
        assert 0 < has_second.mean() < 1


@pytest.mark.parametrize("name", FORMATS)
def test_unmasked_records_are_masked_when_they_are_read(corpus, tmp_path, name):
    make(corpus, tmp_path / "out", name, dynamic_masking=True)
    rows = read(tmp_path / "out", dynamic_features(LENGTH))
    assert not (rows["input_ids"] == MASK).any()
    begins = np.array([not token.startswith(("##", "[")) or token == "[UNK]" for token in TOKENS])
    np.testing.assert_array_equal(rows["word_starts"], begins[rows["input_ids"]])
    masking = Masking(vocab_size=len(TOKENS), cls_id=CLS, sep_id=SEP, mask_id=MASK, max_predictions_per_seq=PREDICTIONS)
    transform = mask_dynamically(LENGTH, masking, seed=1)
    records = tf.data.TFRecordDataset(str(tmp_path / "out")).enumerate()
    masked = records.map(lambda index, record: transform(record, tf.constant(0, tf.int64), index)).batch(1 << 20)
    (batch,) = masked.as_numpy_iterator()
    last = LENGTH - 1 - np.argmax(rows["input_ids"][:, ::-1] == SEP, axis=1)
    np.testing.assert_array_equal(batch["input_mask"].sum(axis=1), last + 1)
    assert (batch["input_ids"] == MASK).any(axis=1).mean() > 0.7


@pytest.mark.parametrize("name", ["full_sentences", "doc_sentences"])
def test_the_text_of_all_records_is_the_text_of_the_corpus(corpus, tmp_path, name):
    make(corpus, tmp_path / "out", name, dynamic_masking=True)
    rows = read(tmp_path / "out", dynamic_features(LENGTH))
    tokenizer = TokenizerOptions(str(corpus / "vocab.txt")).make()
    ids = tokenizer.encode((corpus / "text.txt").read_text())
    expected = np.bincount(ids, minlength=len(TOKENS))
    made = np.bincount(rows["input_ids"].reshape(-1), minlength=len(TOKENS))
    np.testing.assert_array_equal(made[MASK:], expected[MASK:])


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
@pytest.mark.parametrize("name", FORMATS)
def test_records_depend_on_the_seed_and_not_on_the_number_of_processes(corpus, tmp_path, monkeypatch, name, streams):
    if FORMATS[name].crosses_documents and streams == PER_DOCUMENT:
        with pytest.raises(InputError, match="--example_format=full_sentences: a row may hold several documents"):
            make(corpus, tmp_path / "out", name, random_streams=streams)
        return
    make(corpus, tmp_path / "one", name, random_streams=streams)
    make(corpus, tmp_path / "other seed", name, random_streams=streams, random_seed=1)
    monkeypatch.setattr("data_prep.token_store.BATCH_CHARACTERS", 500)
    monkeypatch.setattr(pretraining_data, "INSTANCES_AT_A_TIME", 7)
    monkeypatch.setattr(pretraining_data, "RowShuffle", functools.partial(RowShuffle, bucket_bytes=1000))
    make(corpus, tmp_path / "two", name, random_streams=streams, num_workers=2)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other seed").read_bytes()


@pytest.mark.parametrize(
    "name, options, passes",
    [
        ("segment_pair", {}, 10),
        ("segment_pair", {"dynamic_masking": True}, 10),
        ("full_sentences", {}, 10),
        ("full_sentences", {"dynamic_masking": True}, 1),
        ("doc_sentences", {"dynamic_masking": True, "dupe_factor": 3}, 3),
        ("sentence_order", {"dynamic_masking": True}, 10),
        ("electra", {"dynamic_masking": True}, 1),
    ],
)
def test_text_is_gone_through_again_where_that_makes_other_rows(name, options, passes):
    data = PretrainingData(
        output_files=("out",), tokenizer=TokenizerOptions("vocab.txt"), example_format=name, **options
    )
    assert data.passes == passes


@pytest.mark.parametrize(
    "name, said, unsaid",
    [
        ("segment_pair", ["of documents were packed to a shorter length", "next sentence: ", "% follows"], ["order"]),
        ("sentence_pair", ["next sentence: ", "% random"], ["short sequences"]),
        ("full_sentences", ["% padding"], ["short sequences", "next sentence", "order"]),
        (
            "sentence_order",
            ["sentence order: ", "% exchanged", "with random text, since nothing followed"],
            ["follows,"],
        ),
        ("electra", ["of the examples aim at a shorter length"], ["next sentence", "order"]),
    ],
)
def test_the_report_says_what_the_format_has(corpus, tmp_path, name, said, unsaid):
    report = make(corpus, tmp_path / "out", name).report()
    assert all(part in report for part in said) and not any(part in report for part in unsaid), report


@pytest.mark.parametrize("name", FORMATS)
@given(sizes=made_rows.SIZES, length=st.integers(5, 30), seed=st.integers(0, 9), at_a_time=st.integers(1, 40))
@settings(max_examples=40)
def test_rows_fit_and_do_not_depend_on_how_many_are_made_at_a_time(name, sizes, length, seed, at_a_time):
    documents = made_rows.documents_of(sizes)
    rows, counts = made_rows.make_rows(documents, name, length, seed, dupe_factor=2, short_seq_prob=0.5)
    again, _ = made_rows.make_rows(
        documents, name, length, seed, dupe_factor=2, short_seq_prob=0.5, at_a_time=at_a_time
    )
    assert rows == again and counts.instances.sum() == len(rows)
    assert all(all(segments) and 1 + sum(len(part) + 1 for part in segments) <= length for segments, _ in rows)
