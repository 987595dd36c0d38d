"""What BERT is pretrained on: the masked language model and next sentence prediction, their losses added."""

import tensorflow as tf

from official.objectives.masked_lm import masked_lm
from official.objectives.means import Measures
from official.objectives.next_sentence import next_sentence_prediction


def bert_pretraining(model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
    """Losses and metrics of `model` on a batch of records (run_pretraining.py:111-186).

    Args:
        model: called with the batch, answers with `mlm_logits` [B, P, V] and `nsp_logits` [B, 2].
        batch: the seven features of a record, batched.
        training: whether dropout is active.
    """
    outputs = model(batch, training=training)
    mlm = masked_lm(outputs["mlm_logits"], batch["masked_lm_ids"], batch["masked_lm_weights"])
    nsp = next_sentence_prediction(outputs["nsp_logits"], batch["next_sentence_labels"])
    return Measures(losses=mlm.losses | nsp.losses, metrics=mlm.metrics | nsp.metrics)
