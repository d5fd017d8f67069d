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

if sys.argv[1] == "told":
    assert keep_freed_memory()
images = keras.Input((64, 64, 1))
features = layers.GlobalAveragePooling2D()(resnet9(images, Backbone(width=12)))
model = keras.Model(images, layers.Dense(1, activation="sigmoid")(features))
model.compile("adam", "binary_crossentropy")
batch, targets = np.zeros((16, 64, 64, 1), np.float32), np.zeros((16, 1), np.float32)
faults = []
for step in range(16):
    if step % 4 == 0:
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    model.train_on_batch(batch, targets)
print(faults[-1] - faults[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_training_does_not_fault_freed_memory_in_again():
    told, untold = (
        int(subprocess.run([sys.executable, "-c", CODE, word], capture_output=True, check=True).stdout)
        for word in ("told", "untold")
    )
    assert told < untold / 5
