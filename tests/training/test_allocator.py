"""Memory freed by a training step is kept for the next step."""

import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
import keras
import tensorflow as tf
from keras import layers
from medfold.competition import BackboneSettings
from medfold.models.backbones import resnet9
from medfold.training.allocator import keep_freed_memory
from medfold.training.batch_trainer import BatchTrainer
from medfold.training.batches import TrainingBatches
from medfold.training.loader import load_batches

assert keep_freed_memory()
images = keras.Input((64, 64, 1))
features = layers.GlobalAveragePooling2D()(resnet9(images, BackboneSettings(width=12)))
model = keras.Model(images, layers.Dense(1, activation="sigmoid")(features))
step = BatchTrainer(model, keras.optimizers.AdamW(), keras.losses.BinaryCrossentropy())
pixels = np.zeros((64, 64, 64, 1), np.uint8)
targets, weights = np.zeros((64, 1), np.float32), np.ones(64, np.float32)
pipeline = TrainingBatches(pixels, np.arange(64), targets, weights, lambda image, seed: image, 16, 0)
faults = []
for number, batch in enumerate(load_batches(pipeline, 0, 40, 0, lambda parts: [tf.constant(part) for part in parts])):
    if number in (8, 39):
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    step(*batch)
print(faults[1] - faults[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_training_reuses_freed_memory():
    """A step allocates more than 40 MB, 10,000 pages, which must not cause page faults in each of the 31 steps."""
    process = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True)
    assert int(process.stdout) < 31 * 500
