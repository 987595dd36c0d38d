"""Asks a TensorFlow Serving server over gRPC; needs `pip install tensorflow-serving-api` and nothing else.

python client.py MODEL "a text"                   one text
python client.py MODEL "a text" "another text"    for models that read two: a pair, or a question and its context
python client.py MODEL --signature=tokenize "a text"

The server is $SERVING_ADDRESS, by default localhost:8500.
"""

import argparse
import os
import sys

import grpc
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc


def input_names(stub, model, signature):
    """The texts that a signature takes, in their order: text, text_a and text_b, question and context."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    metadata = stub.GetModelMetadata(request, timeout=10).metadata["signature_def"]
    signatures = get_model_metadata_pb2.SignatureDefMap()
    metadata.Unpack(signatures)
    if signature not in signatures.signature_def:
        raise SystemExit(f"{model}: has no signature {signature}; it has {', '.join(sorted(signatures.signature_def))}")
    names = signatures.signature_def[signature].inputs
    return sorted(names, key=["text", "text_a", "question", "text_b", "choices", "context"].index)


def ask(stub, model, signature, texts):
    """Named arrays, of one row each."""
    names = input_names(stub, model, signature)
    if len(names) != len(texts):
        raise SystemExit(f"{model}: {signature} takes {' and '.join(names)}, and {len(texts)} texts were given")
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, text in zip(names, texts):
        request.inputs[name].CopyFrom(tf.make_tensor_proto([text]))
    response = stub.Predict(request, timeout=60)
    return {name: tf.make_ndarray(response.outputs[name]) for name in sorted(response.outputs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--signature", default="serving_default")
    arguments = parser.parse_args()
    address = os.environ.get("SERVING_ADDRESS", "localhost:8500")
    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
    try:
        outputs = ask(stub, arguments.model, arguments.signature, arguments.texts)
    except grpc.RpcError as error:
        sys.exit(f"{address}: {error.code().name}: {error.details()}")
    for name, values in outputs.items():
        row = values[0].tolist()
        print(f"{name}: {row.decode() if isinstance(row, bytes) else row}")


if __name__ == "__main__":
    main()
