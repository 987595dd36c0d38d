"""What is imported once, for all the processes that `tests.scripts.run` forks; no operation may run here."""

import official  # noqa: F401, I001 - says how TensorFlow and Keras are to be imported.
import keras  # noqa: F401
import tensorflow  # noqa: F401
import tensorflow_text  # noqa: F401
