"""Does a net predict as it was trained, however few its steps were?

    .venv/bin/python benchmarks/batch_statistics.py [--weights mobilenet_v2.weights.h5] [--nets MobileNetV2]

Batch normalisation predicts by averages that it gathered in training. Four nets of keras.applications are trained for
40, 200 and 2,000 steps at 32 px on fold 0 of chest-xray-pneumonia, from scratch and from weights: a file with
torchvision's ImageNet weights for MobileNetV2, and for the others what 2,000 steps on retinamnist gave. The validation
images are then predicted three times by the same weights: with the averages that training left behind, with those that
medfold recomputes (2,048 training images), and with those of the validation images themselves, which medfold never
looks at: what the weights are worth. Those of medfold must reach 0.98 of the last. Both sets must have been downloaded
(`make download`). About an hour on 2 CPU cores.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from medfold.competition.competition import Competition
from medfold.competition.facts import CompetitionFacts
from medfold.competition.recipe import Recipe
from medfold.data.dataset import make_dataset
from medfold.images.store import load_store, store_key
from medfold.paths import ProjectPaths
from medfold.system.native_output import silence_native_output
from medfold.training.batches.augmentation import build_augmenter
from medfold.training.batches.batches import TrainingBatches
from results import Result, judge

with silence_native_output():  # TensorFlow tells at length which GPUs it does not find
    import keras

    from medfold.models.build import build_net
    from medfold.prediction.predictor import Predictor
    from medfold.training.batches import class_balance
    from medfold.training.fold.train_fold import NUM_STATISTICS_IMAGES_FINAL
    from medfold.training.loop import losses
    from medfold.training.loop.batch_statistics import BatchStatistics
    from medfold.training.loop.batch_trainer import BatchTrainer
    from medfold.training.loop.optimizer import build_optimizer

NETS = ("MobileNetV2", "EfficientNetV2B0", "DenseNet121", "ResNet50V2")
STEPS = (40, 200, 2000)
TASK, BEFORE = "chest-xray-pneumonia", "retinamnist"
SIZE, SEED = 32, 0
LIMIT = 0.98


@dataclass(frozen=True)
class Images:
    """What is learnt: all folds but 0."""

    facts: CompetitionFacts
    pixels: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    held_rows: np.ndarray
    held_targets: np.ndarray


def recipe_of(net: str, weights: Path | None, scaling: str = "auto") -> Recipe:
    """A recipe as a user would write it; float32, so that the machine does not matter."""
    backbone = {"name": net, "weights": str(weights) if weights else "none", "input_scaling": scaling}
    training = {"precision": "float32", "learning_rate": 0.001, "batch_size": 16}
    return Recipe.model_validate({"preparation": {"size": SIZE}, "backbone": backbone, "training": training})


def images_of(name: str) -> Images:
    """The prepared images of a competition that was downloaded."""
    competition = Competition.open(name, ProjectPaths(Path(__file__).parent.parent))
    choices = recipe_of(NETS[0], None).preparation
    dataset = make_dataset(competition, preparation=choices)
    held = load_store(competition.paths, store_key(competition, choices))
    rows, out = held.rows_of(dataset.train["id"]), (dataset.train["fold"] == 0).to_numpy()
    return Images(competition.facts, held.pixels, rows[~out], dataset.targets[~out], rows[out], dataset.targets[out])


def train(images: Images, recipe: Recipe, steps: int) -> keras.Model:
    """So many steps, put together as `fold.train_fold` does."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(SEED)
    facts, choices = images.facts, recipe.training
    pipeline = TrainingBatches(
        net_inputs=images.pixels,
        rows=images.rows,
        targets=class_balance.target_columns(facts, images.targets),
        sample_weights=np.ones(len(images.rows), np.float32),
        augment=build_augmenter(recipe.augment, facts.images.symmetry, images.pixels.shape[1:]),
        batch_size=choices.batch_size,
        seed=SEED,
    )
    model = build_net(facts, recipe)
    optimizer = build_optimizer(choices, choices.learning_rate, steps)
    step = BatchTrainer(model, optimizer, losses.build_loss(facts, choices))
    for number in range(steps):
        step(*(keras.ops.convert_to_tensor(part) for part in pipeline.batch(number)))
    optimizer.finalize_variable_values(model.trainable_variables)
    return model


def auc(images: Images, model: keras.Model) -> float:
    """Of the validation images."""
    predict = Predictor(model, images.facts.images.symmetry, tta=False)
    return float(roc_auc_score(images.held_targets, predict(images.pixels, images.held_rows)[:, 0]))


def compare(images: Images, recipe: Recipe, steps: int, what: str) -> Result:
    """The three predictions of one training."""
    began = time.monotonic()
    model = train(images, recipe, steps)
    trained = time.monotonic() - began
    left = auc(images, model)
    statistics = BatchStatistics(model, images.pixels, images.rows, np.asarray, SEED)
    statistics.gather(1)  # compiled, which is no part of the cost
    began = time.monotonic()
    statistics.gather(NUM_STATISTICS_IMAGES_FINAL)
    cost = time.monotonic() - began
    gathered = auc(images, model)
    BatchStatistics(model, images.pixels, images.held_rows, np.asarray, SEED).gather(len(images.held_rows))
    own = auc(images, model)
    value = f"{left:.3f} -> {gathered:.3f}, worth {own:.3f}; {cost:.1f} s after {trained:.0f} s"
    print(f"{what}: {value}", flush=True)
    return Result(what, value, gathered / own, LIMIT)


def trained_before(net: str, folder: Path) -> Path:
    """Weights of a backbone that learnt something else."""
    model = train(images_of(BEFORE), recipe_of(net, None), max(STEPS))
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    backbone.save_weights(folder / f"{net}.weights.h5")
    return folder / f"{net}.weights.h5"


def results(nets: list[str], weights: Path | None) -> Iterator[Result]:
    """Of each net in turn."""
    images = images_of(TASK)
    with tempfile.TemporaryDirectory() as folder:
        for net in nets:
            given = weights is not None and net == NETS[0]
            known = weights if given else trained_before(net, Path(folder))
            for start, recipe in (
                ("from scratch", recipe_of(net, None)),
                ("from weights", recipe_of(net, known, "torch" if given else "auto")),
            ):
                for steps in STEPS:
                    yield compare(images, recipe, steps, f"{net}, {start}, {steps:,} steps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="torchvision's ImageNet weights of MobileNetV2")
    parser.add_argument("--nets", default=" ".join(NETS))
    options = parser.parse_args()
    judge(list(results(options.nets.split(), options.weights)))


if __name__ == "__main__":
    main()
