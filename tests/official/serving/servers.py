"""A stand-in for TensorFlow Serving: its gRPC and REST interfaces, answered by a Session on an exported model.

What REST looks like is as in tensorflow_serving/util/json_tensor.cc.
"""

import base64
import contextlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 - its operations
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc


class Models:
    """The models of an export directory, newest versions, each in a Session."""

    def __init__(self, export_dir: str):
        self.export_dir = export_dir
        self._loaded = {}

    def load(self, name: str) -> tuple[tf.compat.v1.Session, dict]:
        """A Session and its signatures; LookupError if there is no such model."""
        if name not in self._loaded:
            directory = os.path.join(self.export_dir, name)
            if not os.path.isdir(directory):
                raise LookupError(f"Servable not found for request: Latest({name})")
            session = tf.compat.v1.Session(graph=tf.Graph())
            path = os.path.join(directory, max(filter(str.isdecimal, os.listdir(directory)), key=int))
            with session.graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
            self._loaded[name] = session, dict(meta_graph.signature_def)
        return self._loaded[name]

    def predict(self, name: str, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        session, signatures = self.load(name)
        info = signatures[signature or "serving_default"]
        feeds = {info.inputs[key].name: values for key, values in inputs.items()}
        return session.run({key: output.name for key, output in info.outputs.items()}, feeds)


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models: Models):
        self.models = models

    def GetModelMetadata(self, request, context):
        try:
            _, signatures = self.models.load(request.model_spec.name)
        except LookupError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, error.args[0])
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        response.metadata["signature_def"].Pack(get_model_metadata_pb2.SignatureDefMap(signature_def=signatures))
        return response

    def Predict(self, request, context):
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        try:
            outputs = self.models.predict(request.model_spec.name, request.model_spec.signature_name, inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, values in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(values))
        return response


class _Rest(http.server.BaseHTTPRequestHandler):
    models: Models

    def do_POST(self):
        try:
            name, method = self.path.removeprefix("/v1/models/").split(":")
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = 200, self._answer(name, method, asked)
        except (LookupError, ValueError, tf.errors.OpError) as error:
            status, answer = 404 if isinstance(error, LookupError) else 400, {"error": str(error)}
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, name: str, method: str, asked: dict) -> dict:
        if method != "predict":
            raise ValueError(f"Unsupported method: {method}")
        signature = asked.get("signature_name", "serving_default")
        inputs = self.models.load(name)[1][signature].inputs
        in_rows = "instances" in asked
        columns = _columns(asked["instances"], inputs) if in_rows else asked["inputs"]
        if not isinstance(columns, dict):
            columns = {next(iter(inputs)): columns}
        arrays = {key: _array(value, inputs[key].dtype) for key, value in columns.items()}
        outputs = self.models.predict(name, signature, arrays)
        listed = {key: _listed(values, key.endswith("_bytes")) for key, values in outputs.items()}
        if not in_rows:
            return {"outputs": listed if len(listed) > 1 else next(iter(listed.values()))}
        rows = [dict(zip(listed, row)) for row in zip(*listed.values())]
        return {"predictions": rows if len(listed) > 1 else [next(iter(row.values())) for row in rows]}

    def log_message(self, *arguments):
        """Says nothing."""


def _columns(rows: list, inputs: dict) -> dict[str, list]:
    """`instances` to `inputs`: with one input alone, a row may be its bare value."""
    named = [row if isinstance(row, dict) and "b64" not in row else {next(iter(inputs)): row} for row in rows]
    return {name: [row[name] for row in named] for name in inputs}


def _array(value, dtype: int) -> np.ndarray:
    return np.array(
        _encoded(value), object if dtype == tf.string.as_datatype_enum else tf.as_dtype(dtype).as_numpy_dtype
    )


def _encoded(value):
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return value.encode() if isinstance(value, str) else value


def _listed(values: np.ndarray, as_base64: bool):
    """Lists for JSON; strings that are not valid UTF-8 are an error."""

    def spelled(value):
        if isinstance(value, list):
            return [spelled(each) for each in value]
        if not isinstance(value, bytes):
            return value
        return {"b64": base64.b64encode(value).decode()} if as_base64 else value.decode()

    return spelled(values.tolist())


@contextlib.contextmanager
def grpc_server(models: Models) -> Iterator[str]:
    """Its address."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(models), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def rest_server(models: Models) -> Iterator[str]:
    """Its address."""
    handler = type("Handler", (_Rest,), {"models": models})
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
