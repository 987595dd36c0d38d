"""Sentence-order prediction (Lan et al. 2019, §3.1): which of two consecutive segments comes first in the text?"""

import tensorflow as tf

from official.objectives.means import Measures
from official.objectives.next_sentence import pair_prediction


def sentence_order_prediction(sop_logits: tf.Tensor, sentence_order_labels: tf.Tensor) -> Measures:
    """Loss and accuracy (google-research/albert, run_pretraining.py:320-340 at b772393).

    Args:
        sop_logits: float32 [B, 2].
        sentence_order_labels: int32 [B] or [B, 1], the records' `next_sentence_labels`; 0 = in the order of the text,
            1 = exchanged.
    """
    return pair_prediction("sentence_order", sop_logits, sentence_order_labels)
