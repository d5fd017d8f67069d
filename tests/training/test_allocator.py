import subprocess
import sys

import pytest

CODE = """
import resource
import sys
import numpy as np
import keras
from keras import layers
from medfold.recipe import Backbone
from medfold.models import resnet9
from medfold.training.allocator import keep_freed_memory
from medfold.training.pipeline import Pipeline

if sys.argv[1] == "told":
    assert keep_freed_memory()
pixels = np.zeros((64, 64, 64, 1), np.uint8)
targets = np.zeros((64, 1), np.float32)
data = Pipeline(pixels, np.arange(64), targets, np.ones(64, np.float32), lambda image, seed: image, 16, 0)
images = keras.Input((64, 64, 1))
features = layers.GlobalAveragePooling2D()(resnet9(images, Backbone(width=12)))
model = keras.Model(images, layers.Dense(1, activation="sigmoid")(features))
model.compile("adam", "binary_crossentropy")
faults = []
class Count(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
model.fit(data.dataset(0, 16), epochs=4, steps_per_epoch=4, verbose=0, shuffle=False, callbacks=[Count()])
print(faults[-1] - faults[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_training_does_not_fault_freed_memory_in_again():
    told, untold = (
        int(subprocess.run([sys.executable, "-c", CODE, word], capture_output=True, check=True).stdout)
        for word in ("told", "untold")
    )
    assert told < untold / 5
