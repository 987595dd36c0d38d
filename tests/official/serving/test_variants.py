"""What is written for other runtimes answers as the model does, in its own runtime."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError
from official.serving import exporting, variants
from official.serving.servable import Servable
from official.serving.variants import FILES, ONNX, TFLITE_INT8
from tests import scripts
from tests.official.serving import small_models

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "It was the best of times, it was the worst of times.",
    "A naïve café in Zürich, 3,000 m above the sea?",
    "no",
]
KINDS = ("classifier", "multi_label", "regression", "tagger", "questions_v1", "encoder", "fill_mask")


def read(source: pathlib.Path, **options) -> Servable:
    return exporting.read_servable(exporting.Export(source=str(source), export_dir="", **options))[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The small model of a kind."""

    def make(name: str) -> Servable:
        directory = tmp_path_factory.mktemp(name) / "model"
        small_models.write_model(name, directory)
        return read(directory, **small_models.KINDS[name].options)

    return make


def expected(servable: Servable, inputs: dict) -> dict[str, np.ndarray]:
    outputs = servable.traced(servable.model_outputs)({name: tf.constant(value) for name, value in inputs.items()})
    return {name: output.numpy() for name, output in zip(servable.model_outputs, outputs)}


def in_litert(directory: pathlib.Path, inputs: dict) -> dict[str, np.ndarray]:
    return tf.lite.Interpreter(str(directory / FILES[TFLITE_INT8])).get_signature_runner()(**inputs)


def in_onnx_runtime(directory: pathlib.Path, inputs: dict) -> dict[str, np.ndarray]:
    session = pytest.importorskip("onnxruntime").InferenceSession(str(directory / FILES[ONNX]))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)).min())


@pytest.mark.parametrize("kind", KINDS)
def test_litert_answers_with_the_outputs_of_the_model_for_every_kind(small, kind, tmp_path):
    servable = small(kind)
    variants.write_variants(servable, str(tmp_path), [TFLITE_INT8])
    for rows in (1, 3):
        inputs = servable.sample_tokens(rows)
        wanted = expected(servable, inputs)
        answers = in_litert(tmp_path, inputs)
        assert {name: value.shape for name, value in answers.items()} == {
            name: value.shape for name, value in wanted.items()
        }
        for name, value in wanted.items():
            # Rounding weights of 24 columns to 8 bits; on real models test_real_vectors_… measures it.
            assert np.abs(answers[name] - value).max() < 0.25 * np.abs(value).max(), name


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_runtime_gives_the_same_numbers_for_every_kind(small, kind, tmp_path):
    pytest.importorskip("tf2onnx")
    servable = small(kind)
    variants.write_variants(servable, str(tmp_path), [ONNX])
    for rows in (1, 3):
        inputs = servable.sample_tokens(rows)
        answers = in_onnx_runtime(tmp_path, inputs)
        for name, value in expected(servable, inputs).items():
            np.testing.assert_allclose(answers[name], value, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def real(minilm):
    """A real encoder, and what it is asked: each sentence padded to the longest."""
    servable = read(minilm)
    return servable, {name: value.numpy() for name, value in servable.texts(tf.constant(SENTENCES)).items()}


def means(states: np.ndarray, inputs: dict) -> np.ndarray:
    mask = inputs["input_mask"][:, :, np.newaxis]
    return (states * mask).sum(1) / mask.sum(1)


def test_real_vectors_in_8_bits_keep_their_direction_in_a_quarter_of_the_size(real, tmp_path):
    servable, inputs = real
    variants.write_variants(servable, str(tmp_path), [TFLITE_INT8])
    states = in_litert(tmp_path, inputs)["sequence_output"]
    # On 1,000 sentences of films: 0.998 in the mean, 0.9955 at least.
    assert least_cosine(means(states, inputs), means(expected(servable, inputs)["sequence_output"], inputs)) > 0.99
    weights = sum(variable.numpy().nbytes for variable in servable.variables_of_model)
    assert (tmp_path / FILES[TFLITE_INT8]).stat().st_size < 0.27 * weights


def test_real_vectors_in_onnx_are_the_same(real, tmp_path):
    pytest.importorskip("tf2onnx")
    servable, inputs = real
    variants.write_variants(servable, str(tmp_path), [ONNX])
    answers = in_onnx_runtime(tmp_path, inputs)
    for name, value in expected(servable, inputs).items():
        np.testing.assert_allclose(answers[name], value, rtol=1e-4, atol=2e-5, err_msg=name)


def test_real_vectors_in_bfloat16_keep_their_direction_in_half_the_size(real, minilm, tmp_path, session):
    servable, _ = real
    exact = servable.from_texts(tf.constant(SENTENCES))["mean_output"].numpy()
    path = exporting.export(exporting.Export(source=str(minilm), export_dir=str(tmp_path), mixed_precision="bfloat16"))
    tf.keras.config.set_dtype_policy("float32")
    request = {"text": np.array([text.encode() for text in SENTENCES], object)}
    (answers,) = session(path, [("serving_default", request)])
    # Where the processor multiplies bfloat16, 0.99992 at least on 1,000 sentences of films. Elsewhere TensorFlow fuses
    # nothing with its products, and bias, GELU and softmax round at each of their steps: 0.99977 on these four.
    assert least_cosine(answers["mean_output"], exact) > 0.9995
    stored = sum(file.stat().st_size for file in pathlib.Path(path, "variables").iterdir())
    weights = sum(variable.numpy().nbytes for variable in servable.variables_of_model)
    assert stored < 0.51 * weights


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    directory = tmp_path_factory.mktemp("classifier") / "model"
    small_models.write_model("classifier", directory)
    return directory


def test_the_script_writes_variants_where_a_server_does_not_look(classifier, tmp_path):
    flags = scripts.flags_of({"init_checkpoint": classifier, "export_dir": tmp_path, "variants": TFLITE_INT8})
    done = scripts.run("export_savedmodel.py", *flags)
    assert done.returncode == 0, done.stderr
    version = tmp_path / "model" / "1"
    assert (version / "assets.extra" / FILES[TFLITE_INT8]).stat().st_size > 10_000
    assert json.loads((version / "export.json").read_text())["variants"] == [TFLITE_INT8]


def test_variants_of_a_model_in_bfloat16_are_refused(classifier, tmp_path):
    asked = {"variants": [TFLITE_INT8], "mixed_precision": "bfloat16"}
    with pytest.raises(InputError, match="^--variants are made of a model in float32: --mixed_precision is bfloat16$"):
        exporting.export(exporting.Export(source=str(classifier), export_dir=str(tmp_path), **asked))
    assert not list(tmp_path.iterdir())


def test_a_converter_that_is_not_installed_is_named_before_anything_is_written(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(variants.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs tf2onnx, which is not installed: pip install 'bert-family\[onnx\]'$"):
        exporting.export(exporting.Export(source=str(classifier), export_dir=str(tmp_path), variants=[ONNX]))
    assert not list(tmp_path.iterdir())


def test_a_model_that_can_not_be_converted_is_one_line(small, tmp_path, monkeypatch):
    def fail(converter):
        raise RuntimeError("no such operation: Odd\n  %1 = tf.Odd\n" * 1_000)

    monkeypatch.setattr(tf.lite.TFLiteConverter, "convert", fail)
    with pytest.raises(InputError) as caught:
        variants.write_variants(small("classifier"), str(tmp_path), [TFLITE_INT8])
    assert str(caught.value) == "--variants=tflite_int8: the model can't be converted: no such operation: Odd"
    assert not list(tmp_path.iterdir())
