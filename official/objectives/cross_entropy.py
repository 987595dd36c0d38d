"""Cross-entropy over a vocabulary: in pretraining its logits are the largest tensor of a step."""

import tensorflow as tf

from official.layers.fusion import block


@block
def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """−log softmax(logits) of each label: float32 [..., V] and int32 [...] in [0, V) → float32 [...].

    For a label outside of [0, V) a compiled block answers NaN; on a CPU the plain operation is an error.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
