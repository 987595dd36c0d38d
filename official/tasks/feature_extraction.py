"""Fixed contextual vectors of every token, from chosen layers: the feature-based use of BERT (paper §5.3)."""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import tensorflow as tf

from official import checkpoints, files
from official.errors import InputError
from official.models import registry
from official.models.config import Config
from official.tokenization.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Tokens:
    """One line of the input: its tokens with [CLS] and [SEP], and the segment of each."""

    tokens: list[str]
    segment_ids: list[int]


def read_lines(path: str) -> Iterator[tuple[str, str | None]]:
    """The lines of a file as (text a, text b); `a ||| b` is a pair (extract_features.py:318-339)."""
    with files.open_file(path) as file:
        for line in file:
            pair = re.match(r"^(.*) \|\|\| (.*)$", line.strip())
            yield pair.groups() if pair else (line.strip(), None)


def tokenize(text_a: str, text_b: str | None, tokenizer: Tokenizer, max_seq_length: int) -> Tokens:
    """[CLS] a [SEP] or [CLS] a [SEP] b [SEP], cut to `max_seq_length` (extract_features.py:209-263)."""
    a = tokenizer.tokenize(text_a)
    b = tokenizer.tokenize(text_b) if text_b else []
    special, layout = tokenizer.special, tokenizer.layout
    if b:
        _truncate_pair(a, b, max_seq_length - layout.special_tokens)
    else:
        a = a[: max_seq_length - 2]
    first = [special.cls, *a, *[special.sep] * (layout.separators if b else 1)]
    second = [*b, special.sep] if b else []
    return Tokens([*first, *second], [0] * len(first) + [int(layout.segments)] * len(second))


def _truncate_pair(a: list[str], b: list[str], max_length: int) -> None:
    """Takes tokens from the end of the longer one, of `b` where they are equal (extract_features.py:300-315)."""
    while len(a) + len(b) > max_length:
        (a if len(a) > len(b) else b).pop()


class FeatureExtractor:
    """An encoder that answers with the layers asked for.

    Args:
        config: of the model.
        init_checkpoint: where its weights are.
        layers: which blocks' outputs, 0 … L − 1, or from the end −1 … −L.
        strategy: on what device.
    """

    def __init__(
        self,
        config: Config,
        init_checkpoint: str,
        layers: Sequence[int],
        strategy: tf.distribute.Strategy,
        use_one_hot_embeddings: bool = False,
    ):
        outside = [layer for layer in layers if not -config.num_hidden_layers <= layer < config.num_hidden_layers]
        if outside:
            raise InputError(f"--layers: there is no layer {outside[0]}, the model has {config.num_hidden_layers}")
        self.layers = list(layers)
        self.strategy = strategy
        with strategy.scope():
            self.model = registry.build(
                config, pooler=False, output_hidden_states=True, use_one_hot_embeddings=use_one_hot_embeddings
            )
        checkpoints.load_weights(self.model, init_checkpoint)
        self._predict = tf.function(lambda batch: strategy.run(self._layer_outputs, args=(batch,)), autograph=False)

    def _layer_outputs(self, batch):
        blocks = self.model(batch)["hidden_states"][1:]  # Without the embeddings, as in the original.
        return [blocks[layer] for layer in self.layers]

    def __call__(self, batch: dict[str, tf.Tensor]) -> list[np.ndarray]:
        """`input_ids`, `input_mask`, `segment_ids` [B, T] → [B, T, H] for each layer."""
        return [self.strategy.experimental_local_results(output)[0].numpy() for output in self._predict(batch)]


def make_batch(lines: Sequence[Tokens], ids: Sequence[Sequence[int]], batch_size: int, max_seq_length: int):
    """Pads lines to [batch_size, max_seq_length], so that one shape serves them all."""
    batch = {
        name: np.zeros((batch_size, max_seq_length), np.int32) for name in ("input_ids", "input_mask", "segment_ids")
    }
    for row, (line, line_ids) in enumerate(zip(lines, ids, strict=True)):
        batch["input_ids"][row, : len(line_ids)] = line_ids
        batch["input_mask"][row, : len(line_ids)] = 1
        batch["segment_ids"][row, : len(line_ids)] = line.segment_ids
    return {name: tf.constant(values) for name, values in batch.items()}


def extract_features(
    extractor: FeatureExtractor,
    tokenizer: Tokenizer,
    lines: Iterable[tuple[str, str | None]],
    batch_size: int,
    max_seq_length: int,
) -> Iterator[str]:
    """The original's output, one JSON object a line of the input (extract_features.py:386-419).

    Its key for the number of the line is `linex_index`; values are rounded to six decimals.
    """
    lines = (tokenize(a, b, tokenizer, max_seq_length) for a, b in lines)
    index = 0
    while chunk := list(islice(lines, batch_size)):
        ids = [tokenizer.convert_tokens_to_ids(line.tokens) for line in chunk]
        outputs = extractor(make_batch(chunk, ids, batch_size, max_seq_length))
        for row, line in enumerate(chunk):
            yield json.dumps({"linex_index": index, "features": _features(line, row, outputs, extractor.layers)})
            index += 1


def _features(line, row, outputs, layers):
    return [
        {
            "token": token,
            "layers": [
                {"index": layer, "values": [round(float(value), 6) for value in output[row, position]]}
                for layer, output in zip(layers, outputs, strict=True)
            ],
        }
        for position, token in enumerate(line.tokens)
    ]
