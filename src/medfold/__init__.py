"""medfold: a Kaggle starter kit for medical imaging competitions.

docs/development/structure.md describes its packages and modules.
"""

import os

__version__ = "0.1.0"

# TensorFlow reads these when it is imported, wherever that is. Its start-up messages are of no use to a competitor.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
