"""Asks a TensorFlow Serving server over gRPC; needs `pip install tensorflow-serving-api` and nothing else.

python client.py MODEL "a text"                                   one text
python client.py MODEL "a text" "another text"                    a pair, or a question and its context
python client.py MODEL "a text" "a choice" "another choice"       a text and what may follow
python client.py MODEL --signature=tokenize "a text"              another signature that takes texts

The server is $SERVING_ADDRESS, by default localhost:8500.
"""

import argparse
import os
import sys

import grpc
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

ORDER = ("text", "words", "text_a", "text_b", "choices", "question", "context")  # In which texts are given.
LISTS = {"words", "choices"}  # Several texts a row.


def input_names(stub, model, signature):
    """The texts that a signature takes, in their order."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    signatures = get_model_metadata_pb2.SignatureDefMap()
    stub.GetModelMetadata(request, timeout=10).metadata["signature_def"].Unpack(signatures)
    if signature not in signatures.signature_def:
        others = sorted(name for name in signatures.signature_def if not name.startswith("__"))
        raise SystemExit(f"{model}: has no signature {signature}; it has {', '.join(others)}")
    names = signatures.signature_def[signature].inputs
    if not set(names) <= set(ORDER):
        raise SystemExit(f"{model}: {signature} takes {', '.join(sorted(names))}: no texts")
    return sorted(names, key=ORDER.index)


def request_of(model, signature, names, texts):
    """A request of one row."""
    *single, last = names
    takes_list = last in LISTS
    if len(texts) < len(names) or (len(texts) > len(names) and not takes_list):
        raise SystemExit(f"{model}: {signature} takes {' and '.join(names)}, and {len(texts)} texts were given")
    rows = dict(zip(single, texts)) | {last: texts[len(single) :] if takes_list else texts[-1]}
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, row in rows.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto([row]))
    return request


def shown(value):
    """An answer as it is printed: strings are UTF-8."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--signature", default="serving_default")
    given = parser.parse_args()
    address = os.environ.get("SERVING_ADDRESS", "localhost:8500")
    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
    try:
        names = input_names(stub, given.model, given.signature)
        response = stub.Predict(request_of(given.model, given.signature, names, given.texts), timeout=60)
    except grpc.RpcError as error:
        sys.exit(f"{address}: {error.code().name}: {error.details()}")
    for name, output in sorted(response.outputs.items()):
        print(f"{name}: {shown(tf.make_ndarray(output).tolist()[0])}")


if __name__ == "__main__":
    main()
