"""How many training images do the batch statistics of an epoch's score need?

    .venv/bin/python benchmarks/epoch_scores.py [--competition phantom-chest]

After each epoch of fold 0 by the baseline, the validation images are scored several times by the same weights: with
batch statistics of 64, 128, 256 and 512 training images, and of all. What is told is how far the scores are from that
with all, beside the standard error of the score itself. The data must have been downloaded (`make download`). Two
minutes on 2 CPU cores for phantom-chest.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from medfold.competition import Competition, load_recipe
from medfold.data.dataset import make_dataset
from medfold.images.store import load_store, store_key
from medfold.paths import ProjectPaths
from medfold.system.native_output import silence_native_output

with silence_native_output():  # TensorFlow tells at length which GPUs it does not find
    import keras

    from medfold.models.build import build_net
    from medfold.prediction.predictor import Predictor
    from medfold.scoring import metric_of
    from medfold.training.fold.train_fold import NUM_STATISTICS_IMAGES_PER_EPOCH
    from medfold.training.loop.batch_trainer import BatchTrainer
    from medfold.training.loop.phases import TrainingImages, plan_phases

SIZES = (64, 128, 256, 512)
RESAMPLES, SEED = 500, 0


def standard_error(score: Callable, targets: np.ndarray, predictions: np.ndarray) -> float:
    """Bootstrap over the validation images."""
    rng = np.random.default_rng(SEED)
    drawn = [rng.integers(len(targets), size=len(targets)) for _ in range(RESAMPLES)]
    return float(np.nanstd([score(targets[rows], predictions[rows]) for rows in drawn]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--competition", default="phantom-chest")
    competition = Competition.open(parser.parse_args().competition, ProjectPaths(Path(__file__).parent.parent))
    facts, recipe = competition.facts, load_recipe(competition.paths, "baseline", {})
    dataset = make_dataset(competition, preparation=recipe.preparation)
    store = load_store(competition.paths, store_key(competition, recipe.preparation))
    rows, out = store.rows_of(dataset.train["id"]), (dataset.train["fold"] == 0).to_numpy()
    keras.utils.set_random_seed(SEED)
    net = build_net(facts, recipe, precision="float32")
    images = TrainingImages(store.pixels, Path(), rows[~out], dataset.targets[~out], SEED, num_workers=0)
    (phase,) = plan_phases(facts, recipe, net, images, "float32")
    predict, score = Predictor(net, facts.images.symmetry, tta=False), metric_of(facts)
    held_targets = dataset.targets[out]
    rows_of_scores = []
    for number in range(phase.epochs * phase.batches.batches_per_epoch):
        train_on(phase.batch_trainer, phase.batches.batch(number))
        if (number + 1) % phase.batches.batches_per_epoch:
            continue
        with phase.batch_trainer.averaged_weights():
            scores = []
            for size in (*SIZES, len(rows)):
                phase.statistics.gather(size)
                predictions = predict(store.pixels, rows[out])
                scores.append(score(held_targets, predictions))
        rows_of_scores.append([*scores, standard_error(score, held_targets, predictions)])
        print("epoch", len(rows_of_scores), *(f"{value:.4f}" for value in rows_of_scores[-1]), flush=True)
    table = np.array(rows_of_scores)
    differences = np.abs(table[:, : len(SIZES)] - table[:, [len(SIZES)]])
    shares = differences / table[:, [-1]]
    for size, difference, share in zip(SIZES, differences.T, shares.T, strict=True):
        used = "  (used)" if size == NUM_STATISTICS_IMAGES_PER_EPOCH else ""
        print(
            f"{size} images: median difference {np.median(difference):.4f}, largest {difference.max():.4f}; "
            f"at most {share.max():.0%} of the standard error{used}"
        )


def train_on(trainer: BatchTrainer, batch: tuple) -> None:
    trainer(*(keras.ops.convert_to_tensor(part) for part in batch))


if __name__ == "__main__":
    main()
