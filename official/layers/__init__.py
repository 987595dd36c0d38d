"""The parts that every family is made of. No family is named here.

Axes in shape comments: B examples, T tokens, H hidden size, N attention heads, d = H / N, P predictions, V vocabulary.
"""

from official.layers.attention import MASKED_OUT, Attended, SelfAttention, attention_bias
from official.layers.dense import Dense
from official.layers.dropout import Dropout, DropoutSeed, current_dropout_seed, dropout_seed
from official.layers.embeddings import Embeddings
from official.layers.fusion import fused_blocks
from official.layers.heads import ClassificationHead, DenseClassificationHead, MaskedLMHead, Pooler
from official.layers.initializers import about_to_be_loaded
from official.layers.layer_norm import LayerNorm
from official.layers.packing import Packing
from official.layers.recomputation import recomputed_blocks
from official.layers.transformer import Transformer, TransformerBlock

__all__ = [
    "MASKED_OUT",
    "Attended",
    "ClassificationHead",
    "Dense",
    "DenseClassificationHead",
    "Dropout",
    "DropoutSeed",
    "Embeddings",
    "LayerNorm",
    "MaskedLMHead",
    "Packing",
    "Pooler",
    "SelfAttention",
    "Transformer",
    "TransformerBlock",
    "about_to_be_loaded",
    "attention_bias",
    "current_dropout_seed",
    "dropout_seed",
    "fused_blocks",
    "recomputed_blocks",
]
