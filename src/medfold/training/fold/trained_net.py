"""A trained net, with all that is needed to predict with it and to check it."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.models import build_net, split_backbone_and_head
from medfold.prediction import Predictor
from medfold.training.loop.phases import Phase, TrainingImages
from medfold.training.run_inputs import RunInputs


@dataclass(frozen=True)
class TrainedNet:
    """A trained net, ready to predict.

    Args:
        facts: facts of the competition (`images.symmetry`, for test-time augmentation).
        net: the whole net, as it is saved.
        last_phase: the last phase of its training.
        inference_net: the net of that phase in float32, whatever the precision of the training: so the weights give
            the same numbers later, on any machine.
        images: the images that it was trained on.
        history: one row per epoch.
    """

    facts: CompetitionFacts
    net: keras.Model
    last_phase: Phase
    inference_net: keras.Model
    images: TrainingImages
    history: pd.DataFrame

    def predict(self, rows: np.ndarray, tta: bool, advance: Callable[[int], None] = lambda count: None) -> np.ndarray:
        """Predicts images of the store.

        Args:
            rows: int (n,), rows of the images in the store.
            tta: True averages over the views of the symmetry.
            advance: called after each batch with its number of images. Defaults to doing nothing.

        Returns:
            Probabilities, float32 (n, columns).
        """
        symmetry = self.facts.images.symmetry
        last_phase = self.last_phase
        return Predictor(self.inference_net, symmetry, tta, view_of=last_phase.view_of)(
            last_phase.net_inputs, rows, advance
        )


def in_full_precision(inputs: RunInputs, net: keras.Model, last_phase: Phase, precision: str) -> keras.Model:
    """Returns the net of the last phase with the same weights, computing in float32.

    Args:
        inputs: the settings that the net was built from.
        net: the whole net after training.
        last_phase: the last phase of its training.
        precision: precision of the training: float32, float16 or bfloat16.
    """
    if precision == "float32":
        return last_phase.batch_trainer.net
    float32_net = build_net(inputs.facts, inputs.recipe, pretrained=False)
    float32_net.set_weights(net.get_weights())
    return split_backbone_and_head(float32_net)[1] if last_phase.trains_head_only else float32_net
