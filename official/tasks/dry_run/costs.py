"""What a training step costs by formula: floating-point operations, and memory for activations.

Letters: n = rows · length tokens, T length, H hidden size, E width of embeddings, I feed-forward, N heads, L blocks,
P predictions, V words.
"""

import collections
import dataclasses

from official.tasks.dry_run.network import Network


@dataclasses.dataclass(frozen=True)
class BatchShape:
    """A batch as a device sees it: `rows` of `length` tokens, `predictions` of them masked in each."""

    rows: int
    length: int
    predictions: int = 0

    @property
    def tokens(self) -> int:
        return self.rows * self.length


# How often the forward pass's operations are made in a step: the backward pass makes each product twice, for what goes
# in and for the weights (Kaplan et al. 2020, arXiv:2001.08361, §2.1); only once where what goes in are ids.
PASSES = {"embeddings": 2, "encoder, frozen": 1}
PASSES_OF_THE_OTHERS = 3
BLOCKS = ("attention, projections", "attention, scores and sums", "feed-forward")  # These may be recomputed.


def forward_flops(network: Network, shape: BatchShape) -> dict[str, int]:
    """Operations of the matrix products of a forward pass, two for each multiplication with its addition.

    What stands between the products (normalisation, softmax, activation, dropout) is not counted, as in Narayanan et
    al. 2021 (arXiv:2104.04473, appendix), whose 24·n·H²·(1 + T / 6H) for a block this gives where I = 4·H.
    """
    config, n = network.config, shape.tokens
    hidden, blocks = config.hidden_size, config.num_hidden_layers
    looked_up = config.type_vocab_size + (config.vocab_size if network.one_hot else 0)
    width = config.embedding_width
    projected = width * hidden if width != hidden else 0
    encoder = {
        "embeddings": 2 * n * (looked_up * width + projected),  # By products with one-hot rows.
        "attention, projections": blocks * 2 * n * 4 * hidden**2,
        "attention, scores and sums": blocks * 2 * n * 2 * shape.length * hidden,
        "feed-forward": blocks * 2 * n * 2 * hidden * config.intermediate_size,
    }
    if network.frozen:
        return {"encoder, frozen": sum(encoder.values())} | _lstm_flops(network, n) | _head_flops(network, shape)
    return encoder | _head_flops(network, shape)


def _lstm_flops(network: Network, n: int) -> dict[str, int]:
    """Four gates of what goes in and of the state, in two directions."""
    size = network.lstm_size
    return {"BiLSTM": sum(2 * n * 2 * 4 * size * (width + size) for width in network.lstm_inputs)}


def _head_flops(network: Network, shape: BatchShape) -> dict[str, int]:
    """What stands on the encoder; words are predicted at the masked positions only."""
    hidden, width, predicted = (
        network.config.hidden_size,
        network.config.embedding_width,
        shape.rows * shape.predictions,
    )
    flops = {}
    if network.has_pooler:
        flops["pooler"] = 2 * shape.rows * hidden**2
    if "mlm" in network.heads:
        flops["masked words"] = 2 * predicted * width * (hidden + network.config.vocab_size)
    if not {"nsp", "sop"}.isdisjoint(network.heads):
        flops["two segments"] = 2 * shape.rows * hidden * 2
    if "rtd" in network.heads:
        flops["replaced tokens"] = 2 * shape.tokens * hidden * (hidden + 1)
    if "sequence_classification" in network.heads:
        flops["head"] = 2 * shape.rows * hidden * network.num_labels
    if "token_classification" in network.heads:
        flops["head"] = 2 * shape.tokens * network.top * network.num_labels
    if "question_answering" in network.heads:
        flops["head"] = 2 * shape.tokens * hidden * 2
    return flops


def training_flops(network: Network, shape: BatchShape, recompute: bool = False) -> dict[str, int]:
    """Operations of a training step: of the products forward and backward, by part.

    Args:
        recompute: whether the forward pass of the blocks is made a second time.
    """
    if network.only_answers:
        return {"teacher": sum(forward_flops(network, shape).values())}
    flops = collections.Counter({
        part: flops * (PASSES.get(part, PASSES_OF_THE_OTHERS) + (recompute and part in BLOCKS))
        for part, flops in forward_flops(network, shape).items()
    })  # fmt: skip
    for other in network.beside:
        flops.update(training_flops(other, shape, recompute))
    return dict(flops)


def step_flops(network: Network, shape: BatchShape, recompute: bool = False) -> int:
    """All operations of a training step."""
    return sum(training_flops(network, shape, recompute).values())


@dataclasses.dataclass(frozen=True)
class Storage:
    """How activations are kept for the backward pass.

    Attributes:
        width: bytes of a number that is computed with: 4, or 2.
        fused: whether element-wise blocks are compiled, and then keep what goes in and nothing in between.
        recompute: whether a Transformer block keeps what goes into it and nothing else.
    """

    width: int = 4
    fused: bool = True
    recompute: bool = False


def activation_bytes(network: Network, shape: BatchShape, storage: Storage) -> dict[str, int]:
    """What a device keeps of a forward pass until the backward pass.

    With fused blocks, 16 bits and I = 4·H, a block keeps n·(32·H + 4·N·T) bytes: those of Korthikanti et al. 2022
    (arXiv:2205.05198, equation 1) without dropout's masks, which are drawn again. Unfused, TensorFlow keeps more of
    normalisation and GELU, in float32. Recomputed blocks keep what goes in, n·H numbers; the backward pass then makes
    the rest again, of one block after the other.
    """
    if network.frozen:
        return {"BiLSTM": _lstm_bytes(network, shape)}
    if network.only_answers:
        return {}
    blocks, block = network.config.num_hidden_layers, _block_bytes(network, shape, storage)
    # What goes into the first block is what the embeddings' normalisation gives, and is counted there.
    inputs = (blocks - 1) * shape.tokens * network.config.hidden_size * storage.width
    kept = collections.Counter({
        **({"inputs of blocks": inputs, "one block": block} if storage.recompute else {"blocks": blocks * block}),
        "embeddings": _embedding_bytes(network, shape, storage),
        "heads": _head_bytes(network, shape, storage),
    })  # fmt: skip
    for other in network.beside:
        kept.update(activation_bytes(other, shape, storage))
    return dict(kept)


def _block_bytes(network: Network, shape: BatchShape, storage: Storage) -> int:
    config, n, width = network.config, shape.tokens, storage.width
    dropout = _mask_bytes(n * config.hidden_size, config.hidden_dropout_prob, storage)
    projected = 4 * n * config.hidden_size * width  # Query, key, value, and what comes of them.
    halves = 2 * (_norm_bytes(n * config.hidden_size, storage) + dropout)
    return projected + _score_bytes(network, shape, storage) + halves + _activation(network, n, storage)


def _mask_bytes(numbers: int, rate: float, storage: Storage) -> int:
    """Of dropout's mask: a byte a number, where it is not drawn again within a compiled block."""
    return 0 if storage.fused or not rate else numbers


def _norm_bytes(numbers: int, storage: Storage) -> int:
    """Of a normalisation: what goes in, or in float32 what it is centred and scaled; and what comes out."""
    return numbers * (2 * storage.width if storage.fused else 8 + storage.width)


def _score_bytes(network: Network, shape: BatchShape, storage: Storage) -> int:
    """Of the attention's scores: what goes into the softmax, or in float32 what comes out; with dropout its mask."""
    scores = shape.rows * network.config.num_attention_heads * shape.length**2
    softmax = storage.width if storage.fused else 4
    if network.config.attention_probs_dropout_prob:
        mask = _mask_bytes(scores, network.config.attention_probs_dropout_prob, storage)
        return scores * (softmax + storage.width) + mask
    return scores * (4 if not storage.fused and storage.width == 4 else softmax + storage.width)


def _activation(network: Network, rows: int, storage: Storage) -> int:
    """Of the feed-forward layer: what comes out of its activation, and what a GELU is given and, unfused, makes."""
    within = 0
    if network.config.hidden_act.startswith("gelu"):
        within = storage.width if storage.fused else 16
    return rows * network.config.intermediate_size * (storage.width + within)


def _embedding_bytes(network: Network, shape: BatchShape, storage: Storage) -> int:
    numbers = shape.tokens * network.config.hidden_size
    dropout = storage.width if storage.fused else 1  # What goes in, or the mask.
    return _norm_bytes(numbers, storage) + dropout * numbers * bool(network.config.hidden_dropout_prob)


def _head_bytes(network: Network, shape: BatchShape, storage: Storage) -> int:
    """Most of it are the logits of masked words and their gradient, in float32."""
    if "mlm" not in network.heads:
        return 0
    predicted = shape.rows * shape.predictions
    return predicted * (2 * 4 * network.config.vocab_size + 5 * storage.width * network.config.hidden_size)


def _lstm_bytes(network: Network, shape: BatchShape) -> int:
    """Of a BiLSTM in float32: what it reads; in each direction four gates, two states, and what is read of the cell."""
    numbers = sum(width + 2 * 7 * network.lstm_size for width in network.lstm_inputs)
    return 4 * shape.tokens * numbers


# === The published recipe ===

PUBLISHED_STEPS, PUBLISHED_BATCH = 1_000_000, 256
# Length, masked words in a row, share of the steps (Devlin et al. 2019, appendix A.2: 90 % at 128; 15 % are masked).
PUBLISHED_PHASES = ((128, 20, 0.9), (512, 77, 0.1))


def published_flops(network: Network, recompute: bool = False) -> int:
    """Operations of BERT's pretraining as published, for a model of this shape."""
    shapes = ((BatchShape(PUBLISHED_BATCH, length, masked), share) for length, masked, share in PUBLISHED_PHASES)
    return sum(round(share * PUBLISHED_STEPS) * step_flops(network, shape, recompute) for shape, share in shapes)
