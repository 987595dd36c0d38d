"""BERT and its family in TensorFlow and Keras 3, from raw text to a served model.

Importing this package is cheap: TensorFlow is imported by the modules that compute, not by those that read text.
"""

import os

# Keras picks its backend when it is first imported; TensorFlow reads its log level when its library is loaded. What
# it logs as an error on a machine without a GPU is none; real ones come as exceptions as well.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
