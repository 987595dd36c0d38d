"""What a server is warmed up with: parsed as it does, and answered."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from official.serving import warmup
from official.serving.servable import Signature
from tests.official.serving import programs, small_models
from tests.official.serving.test_signatures import SIGNATURES


def logs_of(path):
    """The records of an export."""
    records = tf.data.TFRecordDataset(os.path.join(path, "assets.extra", "tf_serving_warmup_requests"))
    return [prediction_log_pb2.PredictionLog.FromString(record) for record in records.as_numpy_iterator()]


def request_of(log) -> tuple[str, str, programs.Request]:
    """The method and the model of a record, and what is fed for it: as the server makes it."""
    method = log.WhichOneof("log_type").removesuffix("_log")
    request = getattr(log, f"{method}_log").request
    spec = request.model_spec
    if method == "predict":
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    else:
        examples = request.input.example_list.examples
        inputs = {"inputs": programs.column([example.SerializeToString() for example in examples])}
    return method, spec.name, (spec.signature_name, inputs)


@pytest.mark.slow
def test_every_signature_is_asked_with_every_batch_size_and_answers(exported, session):
    requests, rows_asked = {}, {}
    for name in small_models.KINDS:
        asked = [request_of(log) for log in logs_of(exported(name))]
        assert {model for _, model, _ in asked} == {name}
        methods = {signature: text.split(":")[0] for signature, text in SIGNATURES[name].items()}
        assert {signature: method for method, _, (signature, _) in asked} == methods
        assert asked[0][2][0] == "serving_default"
        requests[exported(name)] = [request for _, _, request in asked]
        rows_asked[name] = {
            signature: [len(next(iter(inputs.values()))) for _, _, (other, inputs) in asked if other == signature]
            for signature in methods
        }
    assert all(rows == list(small_models.BATCH_SIZES) for of_kind in rows_asked.values() for rows in of_kind.values())
    answers, _ = session.exchange(requests)
    for path, asked in requests.items():
        for (signature, inputs), (error, outputs) in zip(asked, answers[path], strict=True):
            assert not error, (path, signature)
            rows = len(next(iter(inputs.values())))
            assert {len(values) for values in outputs.values()} == {rows}


def test_a_file_has_no_more_than_a_server_reads(tmp_path):
    signature = Signature(function=dict, inputs=[], sample=lambda rows: {"text": np.array([b"a"] * rows, object)})
    signatures = {f"signature_{number}": signature for number in range(3)}
    warmup.write_warmup(str(tmp_path), "model", signatures, range(1, 501))
    records = list(tf.data.TFRecordDataset(str(tmp_path / "tf_serving_warmup_requests")).as_numpy_iterator())
    assert len(records) == 1_000
    last = prediction_log_pb2.PredictionLog.FromString(records[-1]).predict_log.request
    assert last.model_spec.signature_name == "signature_1" and last.inputs["text"].tensor_shape.dim[0].size == 500


@pytest.mark.parametrize("name", ["classifier", "questions_v1", "tagger"])
def test_the_longest_row_fills_the_model(exported, name):
    texts = [
        inputs
        for _, _, (signature, inputs) in map(request_of, logs_of(exported(name)))
        if signature == "serving_default"
    ]
    longest = max(len(text.split()) for inputs in texts for values in inputs.values() for text in values)
    assert longest >= {"classifier": 64, "questions_v1": 16, "tagger": 16}[name]
