"""What BERT is pretrained on: the masked language model and next sentence prediction, their losses added.

Its descendants leave the second out (RoBERTa) or put another in its place (ALBERT).
"""

from collections.abc import Sequence

import tensorflow as tf

from official.objectives.masked_lm import masked_lm
from official.objectives.means import Measures
from official.objectives.next_sentence import next_sentence_prediction
from official.objectives.sentence_order import sentence_order_prediction

# Of each head: what it is called with, of the outputs and the batch.
PARTS = {
    "mlm": lambda outputs, batch: masked_lm(outputs["mlm_logits"], batch["masked_lm_ids"], batch["masked_lm_weights"]),
    "nsp": lambda outputs, batch: next_sentence_prediction(outputs["nsp_logits"], batch["next_sentence_labels"]),
    "sop": lambda outputs, batch: sentence_order_prediction(outputs["sop_logits"], batch["next_sentence_labels"]),
}


class Pretraining:
    """The sum of the losses of some heads.

    Args:
        heads: some of `PARTS`.
    """

    def __init__(self, heads: Sequence[str]):
        self.heads = tuple(heads)

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """Losses and metrics of `model` on a batch of records (run_pretraining.py:111-186).

        Args:
            model: called with the batch, answers with the logits of the heads: `mlm_logits` [B, P, V], and `nsp_logits`
                or `sop_logits` [B, 2].
            batch: the seven features of a record, batched.
            training: whether dropout is active.
        """
        outputs = model(batch, training=training)
        measures = [PARTS[head](outputs, batch) for head in self.heads]
        return Measures(
            losses={name: mean for measure in measures for name, mean in measure.losses.items()},
            metrics={name: mean for measure in measures for name, mean in measure.metrics.items()},
        )


bert_pretraining = Pretraining(("mlm", "nsp"))
