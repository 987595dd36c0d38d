"""Classes, labels, vectors and words for [MASK] that are served are those of the original and of the Python model."""

import random

import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.serving.servable import as_examples
from official.tasks.tagging import conll
from tests import scripts
from tests.official.serving import programs, small_models


def rows_of(path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def test_classes_of_pairs_are_those_of_the_original(golden_bert, export_golden, program):
    path = export_golden("ckpt_mrpc", "mrpc", text_pairs=True, max_seq_length=48)
    text_a, text_b = (
        programs.strings(*(row[column] for row in rows_of(golden_bert / "mrpc" / "test.tsv"))) for column in (3, 4)
    )
    texts = {"text_a": text_a, "text_b": text_b}
    by_text, by_record = program(path, [("serving_default", texts), ("classify", {"inputs": as_examples(texts)})])
    expected = np.loadtxt(golden_bert / "mrpc" / "test_results.tsv", delimiter="\t")
    np.testing.assert_allclose(by_text["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(by_record["scores"], expected, atol=1e-5)
    labels = [f"LABEL_{number}".encode() for number in (0, 1)]
    assert by_record["classes"].tolist() == [labels] * len(expected)
    assert by_text["label"].tolist() == [labels[best] for best in expected.argmax(axis=1)]


def python_model(golden_bert, texts, tokenizer):
    """Token ids of each text, and the Python model's outputs for it by itself."""
    model = checkpoints.load(str(golden_bert / "ckpt" / "bert_model.ckpt"))
    for text in texts:
        ids = [tokenizer.cls_id, *tokenizer.encode(text)[:94], tokenizer.sep_id]
        ones = tf.ones([1, len(ids)], tf.int32)
        yield ids, model({"input_ids": tf.constant([ids]), "input_mask": ones, "segment_ids": ones * 0})


@pytest.fixture(scope="module")
def tokenizer(golden_bert):
    return checkpoints.read_tokenizer(str(golden_bert / "ckpt" / "bert_model.ckpt"))


@pytest.fixture(scope="module")
def lines(golden_bert):
    """Real lines of the golden text, some beyond the model's 96 tokens."""
    texts = (golden_bert / "text.txt").read_text("utf-8").splitlines()
    texts = [text for text in texts if text.strip()]
    return texts + [" ".join(texts[:20])]


def test_vectors_are_those_of_the_python_model(golden_bert, export_golden, program, lines, tokenizer):
    path = export_golden("ckpt", "encoder", kind="encoder")
    asked = {"text": programs.strings(*lines)}
    vectors, of_tokens = program(path, [("serving_default", asked), ("token_embeddings", asked)])
    for row, (ids, outputs) in enumerate(python_model(golden_bert, lines, tokenizer)):
        states = outputs["sequence_output"][0].numpy()
        np.testing.assert_allclose(of_tokens["embeddings"][row][: len(ids)], states, atol=1e-5)
        assert not of_tokens["embeddings"][row][len(ids) :].any()
        assert [token.decode() for token in of_tokens["tokens"][row] if token] == tokenizer.convert_ids_to_tokens(ids)
        np.testing.assert_allclose(vectors["mean_output"][row], states.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(vectors["pooled_output"][row], outputs["pooled_output"][0], atol=1e-5)


def test_words_for_masks_are_those_of_the_python_model(golden_bert, export_golden, program, lines, tokenizer):
    path = export_golden("ckpt", "fill_mask", kind="fill_mask", top_k=7)
    draw = random.Random(0)
    masked = [" ".join("[MASK]" if draw.random() < 0.2 else word for word in text.split()) for text in lines]
    (found,) = program(path, [("serving_default", {"text": programs.strings(*masked)})])
    tokenizer = tokenizer.with_atomic_tokens("[MASK]")
    for row, (ids, outputs) in enumerate(python_model(golden_bert, masked, tokenizer)):
        positions = [place for place, number in enumerate(ids) if number == tokenizer.mask_id]
        assert found["num_masks"][row] == len(positions)
        probabilities = tf.nn.softmax(outputs["mlm_logits"])[0].numpy()[positions]
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :7]
        names = [[tokenizer.tokens[number].encode() for number in guesses] for guesses in best]
        assert found["tokens"][row][: len(positions)].tolist() == names
        values = np.take_along_axis(probabilities, best, axis=1)
        np.testing.assert_allclose(found["probabilities"][row][: len(positions)], values, atol=1e-5)
        assert not found["probabilities"][row][len(positions) :].any()


def test_labels_of_long_sentences_are_those_of_the_run_script(exported, session, in_c, tmp_path):
    small_models.write_model("tagger", tmp_path / "tagger")
    draw = random.Random(0)
    words = [*small_models.WORDS, "\u200b", "zebras", "internationalization", "größer", "中国"]
    sentences = [draw.choices(words, k=draw.choice((1, 2, 5, 20, 80))) for _ in range(60)]
    file = tmp_path / "test.txt"
    file.write_text("\n\n".join("\n".join(f"{word}\tO" for word in words) for words in sentences) + "\n", "utf-8")
    flags = {"predict_file": file, "do_predict": True, "init_checkpoint": tmp_path / "tagger", "max_seq_length": 16}
    done = scripts.run("run_ner.py", *scripts.flags_of(flags | {"output_dir": tmp_path / "out"}))
    assert done.returncode == 0, done.stderr
    predicted = conll.read(str(tmp_path / "out" / "test_predictions.txt"), 0, -1).sentences
    labels = [[label.encode() for label in sentence.labels] for sentence in predicted]
    width = max(map(len, sentences))
    padded = programs.column([word.encode() for row in sentences for word in (row + [""] * width)[:width]])
    texts = programs.strings(*(" ".join(row) for row in sentences))
    requests = [("serving_words", {"words": padded.reshape(-1, width)}), ("serving_default", {"text": texts})]
    for program in (session, in_c):
        for answer in program(exported("tagger"), requests):
            assert answer["num_words"].tolist() == [len(row) for row in sentences]
            assert [row[: len(own)].tolist() for row, own in zip(answer["labels"], labels)] == labels
            assert {label for row in labels for label in row} == {b"O", b"B-LOC", b"I-LOC"}
