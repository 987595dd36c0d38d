"""RoBERTa (Liu et al. 2019, arXiv:1907.11692), as a difference from BERT.

BERT's network, trained longer, on more text, in larger batches, without next sentence prediction. What is computed
otherwise: positions are counted from behind the padding's id, there is one segment, GELU is exact, and a text is
classified by a dense layer on the state of `<s>`, not by a pooler that was trained before.
"""

import dataclasses

import tensorflow as tf

from official.models.bert import BertConfig, BertEncoder
from official.models.config import at_least
from official.models.first_token_classifier import FirstTokenClassifier


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobertaConfig(BertConfig):
    """The shape of a RoBERTa; the defaults are those of the released models."""

    title = "RoBERTa"
    model_type = "roberta"
    # What Hugging Face's config means where it does not say: not what was released.
    assumed = {"type_vocab_size": 2, "layer_norm_eps": 1e-12, "max_position_embeddings": 512}

    vocab_size: int = 50_265  # byte-level BPE
    hidden_act: str = "gelu_erf"
    max_position_embeddings: int = 514  # 512 tokens, and two rows before the first of them
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-5
    pad_token_id: int = at_least(0, 1)

    @property
    def longest_sequence(self) -> int:
        return self.max_position_embeddings - self.pad_token_id - 1


class RobertaEncoder(BertEncoder):
    """BERT's, with positions as fairseq counts them (fairseq/utils.py:256)."""

    @property
    def first_position(self) -> int:
        return self.config.pad_token_id + 1

    def positions(self, input_ids):
        """1, 2, … at tokens, 0 at padding, and the padding's id added to all."""
        real = tf.cast(input_ids != self.config.pad_token_id, tf.int32)  # [B, T]
        return tf.cumsum(real, axis=1) * real + self.config.pad_token_id


class Roberta(FirstTokenClassifier):
    """RoBERTa with the heads that are asked for; called, and answering, as `Bert`."""

    ENCODER = RobertaEncoder
    SCOPE = "roberta"
    HEADS = ("mlm", "sequence_classification", "token_classification", "question_answering")
    MLM_ACT = "gelu_erf"
    CLASSIFIER_ACT = "tanh"


# The shapes of BERT-base and BERT-large.
PRESETS: dict[str, RobertaConfig] = {
    name: RobertaConfig(
        hidden_size=width, num_hidden_layers=depth, num_attention_heads=width // 64, intermediate_size=4 * width
    )
    for name, depth, width in (("roberta-base", 12, 768), ("roberta-large", 24, 1_024))
}
