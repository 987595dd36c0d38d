"""Weights and inputs that both sides of a golden test draw from a seed, so that no weights have to be stored.

Needs numpy only: it is imported by the tests and by the scripts that run in an environment with PyTorch.
`numpy.random.RandomState` is frozen: the same seed gives the same numbers in every version of numpy.
"""

import zlib

import numpy as np

# Ten shapes: hidden size, layers, heads, feed-forward size, vocabulary, positions, token types, activation.
FIELDS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "hidden_act",
)
SHAPES = [
    dict(zip(FIELDS, values, strict=True))
    for values in (
        (24, 1, 2, 48, 101, 16, 2, "gelu"),
        (32, 2, 4, 128, 150, 32, 2, "gelu_erf"),
        (48, 3, 6, 192, 200, 24, 2, "gelu"),
        (64, 2, 2, 256, 307, 64, 2, "gelu_erf"),
        (96, 1, 6, 384, 400, 40, 2, "gelu"),
        (36, 3, 3, 50, 120, 20, 3, "gelu_erf"),
        (40, 2, 5, 160, 256, 17, 2, "gelu"),
        (72, 3, 4, 100, 333, 30, 2, "gelu_erf"),
        (56, 2, 2, 224, 128, 128, 2, "relu"),
        (80, 2, 5, 320, 180, 48, 16, "gelu"),
    )
]


def weight_shapes(shape: dict) -> dict[str, tuple[int, ...]]:
    """Every variable of google-research/bert's pretraining graph by its name, written out from its modeling.py."""
    hidden, inner, vocabulary = shape["hidden_size"], shape["intermediate_size"], shape["vocab_size"]
    shapes = {
        "bert/embeddings/word_embeddings": (vocabulary, hidden),
        "bert/embeddings/position_embeddings": (shape["max_position_embeddings"], hidden),
        "bert/embeddings/token_type_embeddings": (shape["type_vocab_size"], hidden),
        "cls/predictions/output_bias": (vocabulary,),
        "cls/seq_relationship/output_weights": (2, hidden),
        "cls/seq_relationship/output_bias": (2,),
    }
    dense = {"bert/pooler/dense": (hidden, hidden), "cls/predictions/transform/dense": (hidden, hidden)}
    norms = ["bert/embeddings/LayerNorm", "cls/predictions/transform/LayerNorm"]
    for n in range(shape["num_hidden_layers"]):
        layer = f"bert/encoder/layer_{n}"
        dense |= {f"{layer}/attention/self/{name}": (hidden, hidden) for name in ("query", "key", "value")}
        dense[f"{layer}/attention/output/dense"] = (hidden, hidden)
        dense[f"{layer}/intermediate/dense"] = (hidden, inner)
        dense[f"{layer}/output/dense"] = (inner, hidden)
        norms += [f"{layer}/attention/output/LayerNorm", f"{layer}/output/LayerNorm"]
    for name, (inputs, outputs) in dense.items():
        shapes |= {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}
    for name in norms:
        shapes |= {f"{name}/gamma": (hidden,), f"{name}/beta": (hidden,)}
    return shapes


def weights(shape: dict, seed: int, scale: float = 0.1) -> dict[str, np.ndarray]:
    """float32 values for every variable; biases and LayerNorms are drawn too, so that a swapped one shows."""
    return {name: draw(name, size, seed, scale) for name, size in weight_shapes(shape).items()}


def draw(name: str, size: tuple[int, ...], seed: int, scale: float = 0.1) -> np.ndarray:
    """float32 values for the variable of that name."""
    random = np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)
    values = scale * random.standard_normal(size)
    return (values + (1.0 if name.endswith("gamma") else 0.0)).astype(np.float32)


def batch(shape: dict, seed: int, size: int = 2, length: int = 12, predictions: int = 4) -> dict[str, np.ndarray]:
    """Random ids in two segments, padded from the second example on, with positions to predict and their labels."""
    random = np.random.RandomState(seed)
    lengths = np.maximum(length - 3 * np.arange(size), predictions + 1)
    first = random.randint(2, lengths - 1)
    place = np.arange(length)[np.newaxis]
    mask = (place < lengths[:, np.newaxis]).astype(np.int32)
    ids = random.randint(1, shape["vocab_size"], size=(size, length)).astype(np.int32) * mask
    positions = np.stack([np.sort(random.choice(count, predictions, replace=False)) for count in lengths])
    used = np.ones((size, predictions), np.float32)
    used[1:, -1] = 0.0  # Not every example has as many predictions.
    return {
        "input_ids": ids,
        "input_mask": mask,
        "segment_ids": (place >= first[:, np.newaxis]).astype(np.int32) * mask,
        "masked_lm_positions": positions.astype(np.int32) * used.astype(np.int32),
        "masked_lm_ids": random.randint(1, shape["vocab_size"], size=(size, predictions)).astype(np.int32),
        "masked_lm_weights": used,
        "next_sentence_labels": random.randint(0, 2, size=(size, 1)).astype(np.int32),
    }
