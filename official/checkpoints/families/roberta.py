"""RoBERTa's checkpoints: BERT's encoder under another name, and heads of its own. There is no TensorFlow 1 form."""

from official.checkpoints.families import bert
from official.checkpoints.names import NameMap, Tied, classification, dense, layer_norm, tensor
from official.models.roberta import Roberta, RobertaConfig

SHARED = NameMap(
    [
        *bert.encoder_rules("roberta"),
        dense("cls/predictions/transform/dense", "lm_head.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "lm_head.layer_norm"),
        tensor("cls/predictions/output_bias", "lm_head.bias"),
        dense("cls/classification/dense", "classifier.dense"),
        classification("cls/classification/output/", "classifier.out_proj"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="roberta.",
    spellings=bert.OLD_SPELLINGS,
    tied=[
        Tied("lm_head.decoder.weight", same_as="roberta/embeddings/word_embeddings", head="mlm"),
        Tied("lm_head.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids"],
)
NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))

ROBERTA = bert.descendant(
    Roberta,
    RobertaConfig,
    {"pooler": "roberta/pooler/"},
    unseen=("hidden_act", "num_attention_heads", "layer_norm_eps", "pad_token_id"),
    architectures=bert.architectures("Roberta"),
    names=NAMES,
)
