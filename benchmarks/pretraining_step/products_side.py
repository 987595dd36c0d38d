"""Nothing but the matrix products of a step, forward and backward, in TensorFlow: what no step can be faster than."""

import argparse

import tensorflow as tf

from benchmarks.pretraining_step import work


def shapes(config: dict, arguments: argparse.Namespace) -> list[tuple[int, int, int, int]]:
    """Rows, inner and columns of each product of the forward pass of dense layers, and how often it is made."""
    tokens, hidden = arguments.batch_size * arguments.max_seq_length, config["hidden_size"]
    layers, inner = config["num_hidden_layers"], config["intermediate_size"]
    masked = arguments.batch_size * arguments.max_predictions_per_seq
    return [
        (tokens, hidden, 3 * hidden, layers),
        (tokens, hidden, hidden, layers),
        (tokens, hidden, inner, layers),
        (tokens, inner, hidden, layers),
        (masked, hidden, hidden, 1),
        (masked, hidden, config["vocab_size"], 1),
    ]


def make(arguments: argparse.Namespace):
    """A function that makes a number of steps: for each y = xw also dy·wᵀ and xᵀ·dy."""
    dtype = tf.as_dtype(arguments.precision)
    operands = []
    for rows, inner, columns, count in shapes(work.read_config(arguments), arguments):
        x, w, dy = (tf.cast(tf.random.normal(s), dtype) for s in ((rows, inner), (inner, columns), (rows, columns)))
        operands.append((x, w, dy, count))

    @tf.function(autograph=False)
    def forward(x, w):
        return tf.linalg.matmul(x, w)

    @tf.function(autograph=False)
    def backward(x, w, dy):
        return tf.linalg.matmul(dy, w, transpose_b=True), tf.linalg.matmul(x, dy, transpose_a=True)

    def run(steps: int) -> None:
        for _ in range(steps):
            for x, w, dy, count in operands:
                for _ in range(count):
                    forward(x, w)
                    last = backward(x, w, dy)
        last[0].numpy()

    return run


def main():
    arguments = work.parse_arguments(__doc__)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    work.take_turns(make(arguments), arguments.steps)


if __name__ == "__main__":
    main()
