"""One fold of small problems, trained for real."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from medfold import models, runs
from medfold.errors import UserError
from medfold.images.store import Store
from medfold.paths import FoldPaths
from medfold.recipe import Recipe, Training
from medfold.training import fit, losses
from medfold.training.learner import Learner
from medfold.training.schedule import optimizer_of
from tests.helpers import competition


def task(kind="binary", seed=0, n=60, **training):
    """A task a net can learn: the class is how bright an image is, a label how bright a half is."""
    rng = np.random.default_rng(0)
    facts = competition(kind, images={"train": "x", "test": "x", "channels": 1, "symmetry": "horizontal"})
    levels = rng.integers(0, 2, (n, 2)) if kind == "multilabel" else rng.integers(0, 2 if kind == "binary" else 3, n)
    pixels = rng.integers(0, 40, (n + 10, 16, 16, 1), dtype=np.uint8)
    if kind == "multilabel":
        pixels[:n, :8] += (levels[:, 0, None, None, None] * 150).astype(np.uint8)
        pixels[:n, 8:] += (levels[:, 1, None, None, None] * 150).astype(np.uint8)
    else:
        # Stripes, not brightness: resnet9 standardises every image.
        for image, level in zip(pixels, levels, strict=False):
            image[:: 2 + 2 * int(level)] += 150
    recipe = Recipe.model_validate(
        {
            "images": {"size": 16},
            "backbone": {"name": "resnet9", "width": 8},
            "augment": "none",
            "training": {"epochs": 6, "batch_size": 8, "learning_rate": 0.005, **training},
        }
    )
    ids = pd.Series([f"s{k}" for k in range(n + 10)])
    return fit.Task(
        facts,
        recipe,
        seed,
        Store(pixels, pd.Series(np.arange(n + 10), index=ids)),
        pd.DataFrame({"id": ids[:n], "fold": np.arange(n) % 3}),
        levels,
        pd.DataFrame({"id": ids[n:]}),
        Path("no features"),
    )


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "ordinal"])
def test_every_task_learns_and_writes_its_files(tmp_path, kind):
    paths = FoldPaths(tmp_path / "fold1")
    made = task(kind)
    assert fit.train_fold(made, 1, paths) > 0.9
    assert runs.is_done(paths)
    oof = runs.read_predictions(made.competition, paths.oof)
    assert oof["id"].tolist() == made.train["id"][made.train["fold"] == 1].tolist()
    assert (oof["fold"] == 1).all()
    assert len(runs.read_predictions(made.competition, paths.test)) == 10
    assert ("expected" in oof) is (kind == "ordinal")
    history = pd.read_csv(paths.history)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < history["learning_rate"].max()


def test_equal_seeds_give_equal_files_alone_or_after_another_fold(tmp_path):
    fit.train_fold(task(epochs=2), 0, FoldPaths(tmp_path / "first"))
    fit.train_fold(task(epochs=2), 1, FoldPaths(tmp_path / "a"))
    fit.train_fold(task(epochs=2), 1, FoldPaths(tmp_path / "b"))
    fit.train_fold(task(epochs=2, seed=1), 1, FoldPaths(tmp_path / "c"))
    a, b, c = (
        {name: (tmp_path / run / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")} for run in "abc"
    )
    assert a == b
    assert a["oof.csv"] != c["oof.csv"]


def test_keep_best_keeps_the_best_epoch_and_stops(tmp_path):
    made = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    score = fit.train_fold(made, 0, FoldPaths(tmp_path / "fold0"))
    history = pd.read_csv(FoldPaths(tmp_path / "fold0").history)
    assert len(history) < 30
    assert history["auc"].iloc[-2:].max() <= history["auc"].max()
    # The kept weights are those of the best epoch, here looked at without test-time augmentation.
    flat = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    flat = fit.Task(**{**vars(flat), "recipe": flat.recipe.model_copy(update={"tta": False})})
    assert fit.train_fold(flat, 0, FoldPaths(tmp_path / "flat")) == pytest.approx(history["auc"].max())
    assert 0 <= score <= 1


def test_balanced_weights_give_every_class_the_same_sum():
    targets = np.array([0] * 90 + [1] * 10)
    weights = losses.sample_weights(competition(), "balanced", targets)
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
    assert weights.mean() == pytest.approx(1)
    absent = losses.sample_weights(competition("multiclass"), "balanced", np.array([0, 0, 2]))
    assert np.isfinite(absent).all()
    with pytest.raises(UserError, match="no single class to balance"):
        losses.sample_weights(competition("multilabel"), "balanced", np.zeros((3, 2)))


def test_focal_loss_counts_what_is_right_already_for_less():
    targets = np.array([[1.0], [1.0]])
    for kind, outputs, expected in (
        ("binary", [[0.9], [0.4]], [(1 - 0.9) ** 2, (1 - 0.4) ** 2]),
        ("multiclass", [[0.9, 0.05, 0.05], [0.4, 0.3, 0.3]], [(1 - 0.9) ** 2, (1 - 0.4) ** 2]),
    ):
        truth = targets if kind == "binary" else np.eye(3)[[0, 0]]
        focal = losses.loss_of(competition(kind), Training(loss="focal"))
        plain = losses.loss_of(competition(kind), Training())
        for row in (slice(0, 1), slice(1, 2)):
            values = np.array(outputs)[row]
            ratio = float(focal(truth[row], values)) / float(plain(truth[row], values))
            assert ratio == pytest.approx(expected[row.start], rel=1e-4)


def test_accumulated_batches_make_the_step_of_one_large_batch():
    rng = np.random.default_rng(0)
    images, targets = rng.random((8, 16, 16, 1)).astype(np.float32) * 255, rng.integers(0, 2, (8, 1)).astype(np.float32)

    def weights(accumulate, size):
        keras.utils.set_random_seed(0)
        recipe = Recipe.model_validate(
            {
                "images": {"size": 16},
                "backbone": {"name": "simple_cnn"},
                "training": {"accumulate": accumulate, "warmup": 0, "dropout": 0, "learning_rate": 0.01},
            }
        )
        model = models.build(competition(), recipe)
        learner = Learner(
            model, optimizer_of(recipe.training, 0.01, 1000), losses.loss_of(competition(), recipe.training)
        )
        for start in range(0, 8, size):
            learner.step(images[start : start + size], targets[start : start + size], np.ones(size, np.float32))
        return model.get_weights()

    for one, many in zip(weights(1, 8), weights(4, 2), strict=True):
        np.testing.assert_allclose(one, many, atol=2e-4)
    assert any((one != before).any() for one, before in zip(weights(4, 2), weights(9, 2), strict=True))


def test_every_choice_of_strong_solutions_learns_and_repeats(tmp_path):
    made = task("multiclass", mixup=0.2, cutmix=0.5, loss="focal", sampler="balanced", accumulate=2, epochs=12)
    assert fit.train_fold(made, 0, FoldPaths(tmp_path / "a")) > 0.85
    fit.train_fold(made, 0, FoldPaths(tmp_path / "b"))
    assert (tmp_path / "a" / "oof.csv").read_bytes() == (tmp_path / "b" / "oof.csv").read_bytes()


@pytest.mark.parametrize(
    ("rate", "verdict"),
    [(0.005, "100% of 12 training images known by heart: the set-up can learn"), (1e-9, "NOT learnt")],
)
def test_a_few_images_are_learnt_by_heart_or_the_set_up_is_broken(tmp_path, capsys, rate, verdict):
    made = task("multiclass", images=12, epochs=15, batch_size=6, ema=0, learning_rate=rate)
    fit.train_fold(made, 0, FoldPaths(tmp_path / "fold"))
    assert verdict in capsys.readouterr().out


def test_a_few_images_are_drawn_from_each_class_in_turn():
    classes = np.array([0] * 50 + [1] * 3 + [2] * 20)
    assert np.bincount(classes[fit._few(classes, 9, seed=0)]).tolist() == [3, 3, 3]
    assert np.bincount(classes[fit._few(classes, 15, seed=0)]).tolist() == [6, 3, 6]
    assert fit._few(classes, 9, 0).tolist() == fit._few(classes, 9, 0).tolist() != fit._few(classes, 9, 1).tolist()


def test_several_labels_are_balanced_by_which_of_them_are_there():
    targets = np.array([[0, 0], [1, 0], [0, 0], [1, 1]])
    assert len(set(losses.classes_of(competition("multilabel"), targets))) == 3
    assert losses.classes_of(competition(), np.array([0, 1, 1])).tolist() == [0, 1, 1]


def test_a_loss_that_is_no_number_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(losses, "as_columns", lambda facts, targets: np.full((len(targets), 1), np.nan, np.float32))
    with pytest.raises(
        UserError, match=r"fold 0: the loss is not a number at epoch 1, step 1. Lower training.learning_rate"
    ):
        fit.train_fold(task(), 0, FoldPaths(tmp_path / "fold0"))
    assert not (tmp_path / "fold0").exists() or not list((tmp_path / "fold0").iterdir())


def test_the_rate_rises_then_falls_to_zero():
    recipe = Recipe.model_validate({"training": {"learning_rate": 0.1, "warmup": 0.2}})
    optimizer = optimizer_of(recipe.training, 0.1, steps=100)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 10, 20, 60, 100)]
    assert rates == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-6)
    assert (optimizer.ema_momentum, optimizer_of(recipe.training, 0.1, 20).ema_momentum) == (0.9, 0.5)
    assert optimizer.global_clipnorm == 1.0
