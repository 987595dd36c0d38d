"""The model for other runtimes, beside the SavedModel: LiteRT with weights of 8 bits, and ONNX.

They are called with token ids, as the signature `serving_tokens` is, and answer with what the model itself does: with
logits, or states. What makes ids of text is the caller's: neither runtime has TensorFlow Text.
"""

import importlib.util
import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from official import files
from official.errors import InputError
from official.serving.servable import Outputs, Servable
from official.serving.text_inputs import TOKEN_FEATURES

TFLITE_INT8, ONNX = VARIANTS = ("tflite_int8", "onnx")
FILES = {TFLITE_INT8: "model_int8.tflite", ONNX: "model.onnx"}
OPSET = 17  # Since 2022; with it ONNX Runtime has all that is used.
MOST_BYTES = 1_900_000_000  # Both formats end at 2 GiB, and a graph stands beside the weights.


def require_converters(wanted: Sequence[str], mixed_precision: str) -> None:
    """Finds out whether variants can be made.

    Raises:
        InputError: a converter is not installed, or the weights would have been rounded before.
    """
    if wanted and mixed_precision != "float32":
        raise InputError(f"--variants are made of a model in float32: --mixed_precision is {mixed_precision}")
    if ONNX in wanted and importlib.util.find_spec("tf2onnx") is None:
        raise InputError("--variants=onnx needs tf2onnx, which is not installed: pip install 'bert-family[onnx]'")


def write_variants(servable: Servable, directory: str, wanted: Sequence[str]) -> None:
    """Writes the files of `FILES`.

    Raises:
        InputError: the converter can't do it.
    """
    for name in wanted:
        size = sum(variable.numpy().nbytes for variable in servable.variables_of_model)
        if name == ONNX and size > MOST_BYTES:
            raise InputError(f"--variants={name}: {size / 1e9:.1f} GB of weights, less than 2 GB was expected")
        content = _CONVERT[name](servable)
        with files.write_whole(os.path.join(directory, FILES[name]), "wb") as file:
            file.write(content)


def _concrete(servable: Servable) -> Callable[..., Outputs]:
    """The model as a function of named int32 [B, T]."""
    call = servable.traced(servable.model_outputs)

    def by_name(**inputs: tf.Tensor) -> Outputs:
        return dict(zip(servable.model_outputs, call(inputs)))

    names = (*TOKEN_FEATURES, *servable.other_inputs())
    specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}
    return tf.function(by_name, autograph=False).get_concrete_function(**specs)


def _to_tflite(servable: Servable) -> bytes:
    """Weights of matrices in 8 bits, with a scale for each output; what flows between is quantised as it comes."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([_concrete(servable)], servable)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        return converter.convert()
    except Exception as error:  # Of types that are not public.
        raise _failed(TFLITE_INT8, error) from error


def _to_onnx(servable: Servable) -> bytes:
    import onnx
    import tf2onnx

    concrete = _concrete(servable)
    inputs = {spec.name.partition(":")[0]: spec.name for spec in concrete.inputs if spec.dtype != tf.resource}
    outputs = dict(zip(sorted(concrete.structured_outputs), (output.name for output in concrete.outputs)))
    frozen = tf2onnx.tf_loader.from_function(concrete, list(inputs.values()), list(outputs.values()))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen, name="")
        converted = tf2onnx.tfonnx.process_tf_graph(
            graph,
            opset=OPSET,
            custom_op_handlers={"Erfc": (_one_minus_erf, [])},
            input_names=list(inputs.values()),
            output_names=list(outputs.values()),
            tensors_to_rename={tensor: name for name, tensor in (inputs | outputs).items()},
        )
    model = converted.make_model("model")
    # What it can't convert tf2onnx leaves as it is. Its optimizers are left out: one takes a reshape for superfluous
    # whose axes the next one keeps (tf2onnx 1.17); ONNX Runtime has its own.
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise _failed(ONNX, error) from error
    return model.SerializeToString()


def _one_minus_erf(graph, node, name, arguments):
    """ONNX has erf alone."""
    del arguments
    one = graph.make_const(f"{name}/one", np.array(1, np.float32))
    outputs = node.output
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", node.input)
    return graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=outputs, name=name)


def _failed(variant: str, error: Exception) -> InputError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(f"--variants={variant}: the model can't be converted: {reason[:200]}")


_CONVERT = {TFLITE_INT8: _to_tflite, ONNX: _to_onnx}
