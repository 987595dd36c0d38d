"""What every export has in common: a model that is called in the graph, and the signatures under which that is done."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from official.layers.casts import fused_with_products
from official.serving.text_inputs import TOKEN_FEATURES, Inputs, TextInputs, parse_examples
from official.tokenization.tokenizer import Tokenizer

Outputs = dict[str, tf.Tensor]
Request = dict[str, np.ndarray]

DEFAULT, TOKENS, EXAMPLES, TOKENIZE = "serving_default", "serving_tokens", "serving_examples", "tokenize"
# TF Serving's APIs, and the names that they ask of tensors (servables/tensorflow/classifier.cc:163, regressor.cc).
PREDICT, CLASSIFY, REGRESS = (f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress"))
API_INPUTS = "inputs"

TOKENS_AT_ONCE = 8_192  # What a batch has beyond them waits: memory is bounded whatever a request holds.
_SAMPLE_WORDS = "the quick brown fox jumps over a lazy dog , and then it looks back at what it has done .".split()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signature:
    """One way to ask.

    Attributes:
        function: of tensors, as many as `inputs`; answers with named tensors whose first axis is the batch.
        inputs: the names are what clients write.
        sample: so many rows of a request, short ones and long ones, for warming up.
        method: which of TF Serving's APIs answers.
    """

    function: Callable[..., Outputs]
    inputs: Sequence[tf.TensorSpec]
    sample: Callable[[int], Request]
    method: str = PREDICT


class Servable(tf.Module):
    """A model and its tokenizer, as far as all kinds are alike; a kind says what it makes of texts and of logits.

    Args:
        model: called with a dict, answers with one.
        tokenizer: of the model.
        max_seq_length: tokens of a row; longer texts are cut, or read in windows.
    """

    kind: str
    model_outputs: tuple[str, ...] = ("logits",)  # What is asked of the model.
    of_tokens: frozenset[str] = frozenset()  # Outputs of the model that have an axis of tokens, [B, T, …].

    def __init__(self, model: keras.Model, tokenizer: Tokenizer, max_seq_length: int):
        super().__init__()
        self.texts = TextInputs(tokenizer, max_seq_length)
        self.max_seq_length = max_seq_length
        self.max_position_embeddings = model.config.longest_sequence
        rows = {"input_ids": model.config.vocab_size, "segment_ids": model.config.type_vocab_size}
        self.sizes = {name: count for name, count in rows.items() if count}  # Of the tables that there are.
        # Not the model itself: for each Keras variable that is found by way of it, TensorFlow saves a copy that no
        # Session ever fills (keras/src/backend/tensorflow/core.py:109-116).
        self.variables_of_model = [variable.value for variable in model.weights]

        specs = {name: tf.TensorSpec([None, None], tf.int32) for name in (*TOKEN_FEATURES, *self.other_inputs())}

        @functools.cache  # Traced once for all signatures.
        def traced(wanted: tuple[str, ...]) -> Callable[[Inputs], list[tf.Tensor]]:
            @functools.partial(tf.function, autograph=False)
            def call(inputs: Inputs) -> list[tf.Tensor]:
                with fused_with_products():
                    outputs = model(inputs, training=False)
                return [tf.cast(outputs[name], tf.float32) for name in wanted]

            return call.get_concrete_function(specs)

        self.traced = traced

    # === What a kind says ===

    def signatures(self) -> dict[str, Signature]:
        """All ways to ask, by name."""
        raise NotImplementedError

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """What `serving_tokens` answers."""
        raise NotImplementedError

    # === What all have ===

    def run(self, inputs: Inputs, *wanted: str) -> Outputs:
        """The model's outputs float32 [B, …], some tokens at a time, each lot as long as its longest row.

        Args:
            inputs: int32 [B, T] each, and what else the model takes [B, …].
            wanted: names of outputs. What has an axis of tokens is 0 at padding.
        """
        with tf.control_dependencies(self._checks(inputs)):
            rows, length = tf.unstack(tf.shape(inputs["input_ids"]))
        at_once = tf.maximum(1, TOKENS_AT_ONCE // tf.maximum(1, length))
        lots = tf.maximum(1, -(-rows // at_once))  # Of an empty batch there is one, so that the shapes are known.

        def run_lot(number: tf.Tensor, answers: list[tf.TensorArray]):
            lot = {name: values[number * at_once : (number + 1) * at_once] for name, values in inputs.items()}
            outputs = self._run_lot(lot, length, wanted)
            return number + 1, [array.write(number, output) for array, output in zip(answers, outputs)]

        arrays = [
            tf.TensorArray(tf.float32, lots, infer_shape=False, element_shape=[None, *output.shape[1:]])
            for output in self.traced(wanted).structured_outputs
        ]
        _, arrays = tf.while_loop(lambda number, _: number < lots, run_lot, (0, arrays), parallel_iterations=1)
        return {name: array.concat() for name, array in zip(wanted, arrays)}

    def _checks(self, inputs: Inputs) -> list[tf.Operation]:
        """What fails, with a message to the client, where the model can't take a request."""
        shape, limit = tf.shape(inputs["input_ids"]), self.max_position_embeddings
        told = f"input_ids: more than {limit} tokens, the model's positions"
        checks = [tf.debugging.assert_less_equal(shape[1], limit, told)]
        for name in ("input_mask", "segment_ids"):
            told = f"{name}: the shape of input_ids was expected"
            checks.append(tf.debugging.assert_equal(tf.shape(inputs[name]), shape, told))
        for name, size in self.sizes.items():
            # A GPU would look up zeros for others and say nothing.
            known = tf.reduce_all((inputs[name] >= 0) & (inputs[name] < size))
            checks.append(tf.debugging.assert_equal(known, True, f"{name}: numbers from 0 to {size - 1} were expected"))
        return checks

    def _run_lot(self, lot: Inputs, length: tf.Tensor, wanted: tuple[str, ...]) -> list[tf.Tensor]:
        mask = lot["input_mask"]
        longest = tf.reduce_max(mask * (1 + tf.range(length)))  # Of real tokens; masks may have holes.
        longest = tf.clip_by_value(longest, tf.minimum(1, length), length)
        short = {name: lot[name][:, :longest] if name in TOKEN_FEATURES else lot[name] for name in lot}
        outputs = self.traced(wanted)(short)
        return [self._whole(name, output, short, length) for name, output in zip(wanted, outputs)]

    def _whole(self, name: str, output: tf.Tensor, short: Inputs, length: tf.Tensor) -> tf.Tensor:
        """An output with 0 at padding, also at what was not computed."""
        if name not in self.of_tokens:
            return output
        mask = tf.cast(short["input_mask"], output.dtype)
        output *= tf.reshape(mask, tf.concat([tf.shape(mask), tf.ones(tf.rank(output) - 2, tf.int32)], 0))
        missing = length - tf.shape(mask)[1]
        return tf.pad(output, [[0, 0], [0, missing]] + [[0, 0]] * (len(output.shape) - 2))

    def other_inputs(self) -> tuple[str, ...]:
        """What the model takes beside token ids, int32 [B, None]."""
        return ()

    def token_signatures(self) -> dict[str, Signature]:
        """Token ids as tensors, and as records; and what ids texts have."""
        names = [*TOKEN_FEATURES, *self.other_inputs()]

        def from_tensors(*tensors: tf.Tensor) -> Outputs:
            return self.from_tokens(dict(zip(names, tensors)))

        def from_examples(serialized: tf.Tensor) -> Outputs:
            return self.from_tokens(parse_examples(serialized, names))

        tensors = [tf.TensorSpec([None, None], tf.int32, name) for name in names]
        return {
            TOKENS: Signature(function=from_tensors, inputs=tensors, sample=self.sample_tokens),
            EXAMPLES: Signature(
                function=from_examples,
                inputs=[tf.TensorSpec([None], tf.string, "examples")],
                sample=lambda rows: {"examples": as_examples(self.sample_tokens(rows))},
            ),
        }

    def tokenize_signature(self, names: Sequence[str]) -> dict[str, Signature]:
        """Texts, named so, to the token ids that the model is called with."""
        return {
            TOKENIZE: Signature(
                function=lambda *texts: dict(self.texts(*texts)),
                inputs=text_specs(names),
                sample=lambda rows: self.sample_texts(names, rows),
            )
        }

    def sample_texts(self, names: Sequence[str], rows: int) -> Request:
        """Texts of one word in the first row to those that fill `max_seq_length` in the last."""
        lengths = np.linspace(1, max(1, self.max_seq_length // len(names)), rows + 1).astype(int)[1:]
        texts = [" ".join(np.resize(_SAMPLE_WORDS, length).tolist()).encode() for length in lengths]
        return {name: np.array(texts, object) for name in names}

    def sample_tokens(self, rows: int) -> Request:
        """Rows of token ids, padded to `max_seq_length`."""
        inputs = self.texts(tf.constant(self.sample_texts(["text"], rows)["text"]))
        padded = {name: np.zeros((rows, self.max_seq_length), np.int32) for name in inputs}
        for name, values in inputs.items():
            padded[name][:, : values.shape[1]] = values
        return padded


def text_specs(names: Sequence[str]) -> list[tf.TensorSpec]:
    """Inputs of one text a row."""
    return [tf.TensorSpec([None], tf.string, name) for name in names]


def as_examples(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows as serialized records of `tf.train.Example`: object [B]."""
    return np.array([example.SerializeToString() for example in examples_of(columns)], object)


def examples_of(columns: Mapping[str, np.ndarray]) -> list[tf.train.Example]:
    """A record for each row of columns [B] or [B, T] of strings or integers."""
    rows = zip(*(np.reshape(column, (len(column), -1)).tolist() for column in columns.values()))
    return [
        tf.train.Example(
            features=tf.train.Features(feature={name: _feature(values) for name, values in zip(columns, row)})
        )
        for row in rows
    ]


def _feature(values: list) -> tf.train.Feature:
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
