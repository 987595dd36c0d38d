"""Warm-up: requests that a server answers before it says that it is ready, so that the first client does not wait."""

import os
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    input_pb2,
    model_pb2,
    predict_pb2,
    prediction_log_pb2,
    regression_pb2,
)

from official.serving.servable import API_INPUTS, CLASSIFY, PREDICT, Request, Signature

WARMUP_FILE = "tf_serving_warmup_requests"
MOST = 1_000  # Of a file with more the server reads none (servables/tensorflow/saved_model_warmup_util.h:32).


def write_warmup(
    directory: str, model_name: str, signatures: Mapping[str, Signature], batch_sizes: Sequence[int]
) -> None:
    """Writes the requests of every signature and batch size, as far as a server reads them, the default ones first."""
    with tf.io.TFRecordWriter(os.path.join(directory, WARMUP_FILE)) as writer:
        for _, log in zip(range(MOST), requests(model_name, signatures, batch_sizes)):
            writer.write(log.SerializeToString(deterministic=True))


def requests(
    model_name: str, signatures: Mapping[str, Signature], batch_sizes: Sequence[int]
) -> Iterator[prediction_log_pb2.PredictionLog]:
    """A request of each batch size, for each signature."""
    for name, signature in signatures.items():
        spec = model_pb2.ModelSpec(name=model_name, signature_name=name)
        for rows in batch_sizes:
            yield _log(spec, signature.method, signature.sample(rows))


def _log(spec: model_pb2.ModelSpec, method: str, request: Request) -> prediction_log_pb2.PredictionLog:
    if method == PREDICT:
        inputs = {name: tf.make_tensor_proto(values) for name, values in request.items()}
        predict = predict_pb2.PredictRequest(model_spec=spec, inputs=inputs)
        return prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=predict))
    examples = [tf.train.Example.FromString(record) for record in request[API_INPUTS].tolist()]
    records = input_pb2.Input(example_list=input_pb2.ExampleList(examples=examples))
    if method == CLASSIFY:
        classify = classification_pb2.ClassificationRequest(model_spec=spec, input=records)
        return prediction_log_pb2.PredictionLog(classify_log=prediction_log_pb2.ClassifyLog(request=classify))
    regress = regression_pb2.RegressionRequest(model_spec=spec, input=records)
    return prediction_log_pb2.PredictionLog(regress_log=prediction_log_pb2.RegressLog(request=regress))
