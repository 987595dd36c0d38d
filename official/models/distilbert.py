"""DistilBERT (Sanh et al. 2019, arXiv:1910.01108), as a difference from BERT.

Every second layer of BERT, without segments and without a pooler; how it is trained is the difference
(`official/objectives/distillation.py`).
"""

import dataclasses

from official import layers
from official.models.bert import BertConfig
from official.models.config import at_least
from official.models.first_token_classifier import FirstTokenClassifier


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistilBertConfig(BertConfig):
    """The shape of a DistilBERT; the defaults are those of the released model."""

    title = "DistilBERT"
    model_type = "distilbert"
    renamed = {
        "dim": "hidden_size",
        "n_layers": "num_hidden_layers",
        "n_heads": "num_attention_heads",
        "hidden_dim": "intermediate_size",
        "activation": "hidden_act",
        "dropout": "hidden_dropout_prob",
        "attention_dropout": "attention_probs_dropout_prob",
    }
    assumed = {}
    computed_with = {}

    vocab_size: int = 30_522
    num_hidden_layers: int = 6
    hidden_act: str = "gelu_erf"
    type_vocab_size: int = at_least(0, 0)
    qa_dropout: float = 0.1
    seq_classif_dropout: float = 0.2

    def to_hugging_face(self):
        """Without what is the same in every DistilBERT."""
        values = super().to_hugging_face()
        return {key: value for key, value in values.items() if key not in ("type_vocab_size", "layer_norm_eps")}


class DistilBert(FirstTokenClassifier):
    """DistilBERT with the heads that are asked for; called, and answering, as `Bert`."""

    SCOPE = "distilbert"
    HEADS = ("mlm", "sequence_classification", "token_classification", "question_answering")
    HAS_POOLER = False
    CLASSIFIER_ACT = "relu"

    @property
    def classifier_dropout(self) -> tuple[float, float]:
        return 0.0, self.config.seq_classif_dropout

    def make_question_answering(self):
        return layers.ClassificationHead(2, self.config.initializer_range, self.config.qa_dropout, name="squad")


PRESETS = {
    "distilbert-base": DistilBertConfig(),
    "distilbert-base-cased": DistilBertConfig(vocab_size=28_996),
    "distilbert-base-multilingual-cased": DistilBertConfig(vocab_size=119_547),
}
