"""Record formats and the tf.data pipelines that turn them into batches."""
