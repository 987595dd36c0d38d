"""Our side: the raw-text signature of an exported model in a Session, as TF Serving runs it.

Nothing of this project is imported: TensorFlow, and the operations of TensorFlow Text.
"""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 - its operations

from benchmarks.serving import timing


def main() -> None:
    arguments = timing.parse_arguments(__doc__)
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=arguments.threads, inter_op_parallelism_threads=arguments.threads
    )
    with tf.compat.v1.Session(graph=tf.Graph(), config=config) as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], arguments.model)
        signature = meta_graph.signature_def["serving_default"]
        (text,) = signature.inputs.values()
        call = session.make_callable([output.name for output in signature.outputs.values()], [text.name])
        timing.measure_all(lambda texts: call(np.array(texts, object)), arguments)
    assert "official" not in sys.modules


if __name__ == "__main__":
    main()
