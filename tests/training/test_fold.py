"""One fold of small problems, trained for real."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from medfold.competition.recipe import Recipe
from medfold.competition.recipe_sections import TrainingSettings
from medfold.config import merge
from medfold.errors import UserError
from medfold.images.store import Store
from medfold.models.build import build_model
from medfold.prediction.predictor import Predictor
from medfold.prediction.weights import load_model
from medfold.run_paths import FoldPaths
from medfold.runs.run_folder import is_fold_done, read_predictions
from medfold.training import fold, losses
from medfold.training import frozen_features as features_module
from medfold.training.checkpoint import Checkpoint
from medfold.training.fold import FoldJob
from medfold.training.optimizer import build_optimizer
from medfold.training.step import TrainingStep
from tests.support.helpers import competition


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
    return FoldJob(
        facts,
        recipe,
        seed,
        Store(pixels, pd.Series(np.arange(n + 10), index=ids)),
        pd.DataFrame({"id": ids[:n], "unit": ids[:n], "group": np.arange(n), "fold": np.arange(n) % 3}),
        levels,
        pd.DataFrame({"id": ids[n:]}),
        Path("no features"),
    )


OTHERS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("multiclass", "multilabel", "ordinal")]


@pytest.mark.parametrize("kind", ["binary", *OTHERS])
def test_every_task_learns_and_writes_its_files(tmp_path, kind):
    paths = FoldPaths(tmp_path / "fold1")
    made = task(kind)
    assert fold.train_fold(made, 1, paths) > 0.9
    assert is_fold_done(paths)
    oof = read_predictions(made.competition, paths.oof)
    assert oof["id"].tolist() == made.train["id"][made.train["fold"] == 1].tolist()
    assert (oof["fold"] == 1).all()
    assert len(read_predictions(made.competition, paths.test)) == 10
    assert ("expected" in oof) is (kind == "ordinal")
    history = pd.read_csv(paths.history)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < history["learning_rate"].max()


@pytest.mark.slow
def test_equal_seeds_give_equal_files_alone_or_after_another_fold(tmp_path):
    fold.train_fold(task(epochs=2), 0, FoldPaths(tmp_path / "first"))
    fold.train_fold(task(epochs=2), 1, FoldPaths(tmp_path / "a"))
    fold.train_fold(task(epochs=2), 1, FoldPaths(tmp_path / "b"))
    fold.train_fold(task(epochs=2, seed=1), 1, FoldPaths(tmp_path / "c"))
    a, b, c = (
        {name: (tmp_path / run / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv", "weights.h5")}
        for run in "abc"
    )
    assert a == b
    assert a["oof.csv"] != c["oof.csv"]


@pytest.mark.slow
def test_keep_best_keeps_the_best_epoch_and_stops(tmp_path):
    made = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    score = fold.train_fold(made, 0, FoldPaths(tmp_path / "fold0"))
    history = pd.read_csv(FoldPaths(tmp_path / "fold0").history)
    assert len(history) < 30
    assert history["auc"].iloc[-2:].max() <= history["auc"].max()
    # The kept weights are those of the best epoch, here looked at without test-time augmentation.
    flat = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    flat = replace(flat, recipe=flat.recipe.model_copy(update={"tta": False}))
    assert fold.train_fold(flat, 0, FoldPaths(tmp_path / "flat")) == pytest.approx(history["auc"].max())
    assert 0 <= score <= 1


def test_balanced_weights_give_every_class_the_same_sum():
    targets = np.array([0] * 90 + [1] * 10)
    weights = losses.sample_weights(competition(), "balanced", targets)
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
    assert weights.mean() == pytest.approx(1)
    absent = losses.sample_weights(competition("multiclass"), "balanced", np.array([0, 0, 2]))
    assert np.isfinite(absent).all()


def test_balanced_weights_of_several_labels_count_presence_and_absence_of_each_alike():
    rng = np.random.default_rng(0)
    targets = (rng.random((400, 3)) < [0.5, 0.1, 0.02]).astype(int)
    facts = competition("multilabel")
    assert (losses.sample_weights(facts, "balanced", targets) == 1).all()
    for kind in ("cross_entropy", "focal"):
        balanced = losses.build_loss(facts, TrainingSettings(class_weights="balanced", loss=kind), targets)
        plain = losses.build_loss(competition("binary"), TrainingSettings(loss=kind))
        outputs = rng.uniform(0.05, 0.95, targets.shape).astype(np.float32)
        expected = 0.0
        for label in range(3):
            truth, said = targets[:, [label]].astype(np.float32), outputs[:, [label]]
            sides = [float(plain(truth[truth[:, 0] == side], said[truth[:, 0] == side])) for side in (0, 1)]
            expected += sum(sides) / 2 / 3  # each side its mean, whatever its number
        assert float(balanced(targets.astype(np.float32), outputs)) == pytest.approx(expected, rel=1e-4)
    nothing = losses.build_loss(facts, TrainingSettings(class_weights="balanced"), np.zeros((4, 3), int))
    assert np.isfinite(float(nothing(np.zeros((4, 3), np.float32), np.full((4, 3), 0.5, np.float32))))


def test_a_label_that_no_image_has_is_told_and_a_class_refused(capsys):
    targets = np.array([[1, 0], [1, 0]])
    losses.refuse_absent_classes(competition("multilabel"), targets, "fold 0")
    assert "fold 0     no image to train on has the label b: it is predicted as absent" in capsys.readouterr().out
    with pytest.raises(UserError, match="no image to train on is of class 2"):
        losses.refuse_absent_classes(competition("multiclass"), np.array([0, 1]), "fold 0")


def test_focal_loss_counts_what_is_right_already_for_less():
    targets = np.array([[1.0], [1.0]])
    for kind, outputs, expected in (
        ("binary", [[0.9], [0.4]], [(1 - 0.9) ** 2, (1 - 0.4) ** 2]),
        ("multiclass", [[0.9, 0.05, 0.05], [0.4, 0.3, 0.3]], [(1 - 0.9) ** 2, (1 - 0.4) ** 2]),
    ):
        truth = targets if kind == "binary" else np.eye(3)[[0, 0]]
        focal = losses.build_loss(competition(kind), TrainingSettings(loss="focal"))
        plain = losses.build_loss(competition(kind), TrainingSettings())
        for row in (slice(0, 1), slice(1, 2)):
            values = np.array(outputs)[row]
            ratio = float(focal(truth[row], values)) / float(plain(truth[row], values))
            assert ratio == pytest.approx(expected[row.start], rel=1e-4)


def test_focal_loss_learns_a_soft_target_as_another():
    """Why recipes may not combine it with mixup: what makes the loss least for a target of 0.7."""
    focal, p = (
        losses.build_loss(competition(), TrainingSettings(loss="focal")),
        np.linspace(0.5, 0.99, 50, dtype=np.float32),
    )
    found = p[np.argmin([float(focal(np.array([[0.7]], np.float32), np.array([[each]]))) for each in p])]
    assert found == pytest.approx(0.88, abs=0.011)


@pytest.mark.slow
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
        model = build_model(competition(), recipe)
        step = TrainingStep(
            model, build_optimizer(recipe.training, 0.01, 1000), losses.build_loss(competition(), recipe.training)
        )
        for start in range(0, 8, size):
            step(images[start : start + size], targets[start : start + size], np.ones(size, np.float32))
        return model.get_weights()

    for one, many in zip(weights(1, 8), weights(4, 2), strict=True):
        np.testing.assert_allclose(one, many, atol=2e-4)
    assert any((one != before).any() for one, before in zip(weights(4, 2), weights(9, 2), strict=True))


@pytest.mark.slow
def test_every_choice_of_strong_solutions_learns_and_repeats(tmp_path):
    for number, choices in enumerate(({"mixup": 0.2, "cutmix": 0.5}, {"loss": "focal"})):
        made = task("multiclass", **choices, sampler="balanced", accumulate=2, epochs=12)
        assert fold.train_fold(made, 0, FoldPaths(tmp_path / f"a{number}")) > 0.85
        fold.train_fold(made, 0, FoldPaths(tmp_path / f"b{number}"))
        again, first = ((tmp_path / f"{run}{number}" / "oof.csv").read_bytes() for run in "ab")
        assert again == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "verdict"),
    [(0.005, "100% of 12 training images memorised: the set-up can learn"), (1e-9, "NOT learnt")],
)
def test_a_few_images_are_learnt_by_heart_or_the_set_up_is_broken(tmp_path, capsys, rate, verdict):
    made = task("multiclass", images=12, epochs=15, batch_size=6, ema=0, learning_rate=rate)
    fold.train_fold(made, 0, FoldPaths(tmp_path / "fold"))
    assert verdict in capsys.readouterr().out


def test_a_few_images_are_drawn_from_each_class_in_turn():
    classes = np.array([0] * 50 + [1] * 3 + [2] * 20)
    assert np.bincount(classes[fold._subset(classes, 9, seed=0)]).tolist() == [3, 3, 3]
    assert np.bincount(classes[fold._subset(classes, 15, seed=0)]).tolist() == [6, 3, 6]
    first, again, other = (fold._subset(classes, 9, seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_several_labels_are_balanced_by_which_of_them_are_there():
    targets = np.array([[0, 0], [1, 0], [0, 0], [1, 1]])
    assert len(set(losses.balancing_classes(competition("multilabel"), targets))) == 3
    assert losses.balancing_classes(competition(), np.array([0, 1, 1])).tolist() == [0, 1, 1]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A weights file of MobileNetV2 as one downloads it, but for what it knows."""
    keras.utils.set_random_seed(5)
    file = tmp_path_factory.mktemp("weights") / "net.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(file)
    return file


def on(backbone, made, features, **training):
    """The same task for a pretrained backbone, at 32 px."""
    choices = made.recipe.model_dump()
    choices["images"]["size"] = 32
    choices["backbone"] = {"name": "MobileNetV2", "weights": str(backbone)}
    choices["training"].update(training)
    pixels = made.store.pixels.repeat(2, axis=1).repeat(2, axis=2)
    changes = {"recipe": Recipe.model_validate(choices), "store": Store(pixels, made.store.rows), "features": features}
    return replace(made, **changes)


def files_of(folder):
    return {name: (folder / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}


@pytest.mark.slow
def test_a_frozen_backbone_is_asked_once_for_all_folds(tmp_path, pretrained, capsys):
    made = on(pretrained, task("ordinal"), tmp_path / "features.npy", head_epochs=15, epochs=0, head_learning_rate=0.05)
    made = replace(made, recipe=made.recipe.model_copy(update={"augment": "light"}))
    fold.train_fold(made, 0, FoldPaths(tmp_path / "fold0"))
    assert "70 images in 2 views, 1,280 numbers each, kept for all folds" in capsys.readouterr().out
    features = np.load(tmp_path / "features.npy")
    assert features.shape == (70, 2, 1280)
    history = pd.read_csv(tmp_path / "fold0" / "history.csv")
    assert history["part"].eq("head").all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    # The weights of the whole net are kept, and the net that is rebuilt from them says the same of the pixels.
    net = load_model(made.competition, made.recipe, tmp_path / "fold0" / "weights.h5")
    predictor = Predictor(net, "horizontal", tta=True)
    oof = pd.read_csv(tmp_path / "fold0" / "oof.csv")
    rows = made.store.rows_of(oof["id"])
    np.testing.assert_allclose(predictor(made.store.pixels, rows), oof[["0", "1", "2"]].to_numpy(), atol=1e-4)
    # Another fold, and the same one again, ask no backbone.
    monkey = pytest.MonkeyPatch()
    monkey.setattr(features_module, "_compute", None)
    fold.train_fold(made, 1, FoldPaths(tmp_path / "fold1"))
    fold.train_fold(made, 0, FoldPaths(tmp_path / "again"))
    monkey.undo()
    assert files_of(tmp_path / "again") == files_of(tmp_path / "fold0")


@pytest.mark.slow
def test_first_the_head_then_all_and_a_killed_one_ends_the_same(tmp_path, pretrained, monkeypatch):
    made = on(pretrained, task(), tmp_path / "features.npy", head_epochs=3, epochs=2, head_learning_rate=0.02)
    fold.train_fold(made, 0, FoldPaths(tmp_path / "whole"))
    history = pd.read_csv(tmp_path / "whole" / "history.csv")
    assert history["part"].tolist() == ["head"] * 3 + ["all"] * 2
    assert history["epoch"].tolist() == [1, 2, 3, 1, 2]
    monkeypatch.setattr(Checkpoint, "due", lambda self, ends: True)
    steps, step = [0], TrainingStep.__call__
    for kill in (9, 18):  # within the head's part, within the whole net's

        def killed(self, *batch, at=kill):
            steps[0] += 1
            if steps[0] == at:
                raise KeyboardInterrupt
            return step(self, *batch)

        steps[0] = 0
        monkeypatch.setattr(TrainingStep, "__call__", killed)
        with pytest.raises(KeyboardInterrupt):
            fold.train_fold(made, 0, FoldPaths(tmp_path / f"killed{kill}"))
        monkeypatch.setattr(TrainingStep, "__call__", step)
        fold.train_fold(made, 0, FoldPaths(tmp_path / f"killed{kill}"))
        assert files_of(tmp_path / f"killed{kill}") == files_of(tmp_path / "whole")


def overflowing(monkeypatch, steps):
    """At these steps the images are so bright that float16 overflows in the forward pass."""
    step, count = TrainingStep.__call__, [0]

    def bright(self, images, targets, weights):
        count[0] += 1
        images = tf.cast(images, tf.float32) * (np.inf if count[0] in steps else 1)
        return step(self, images, targets, weights)

    monkeypatch.setattr(TrainingStep, "__call__", bright)


def test_a_step_that_overflows_changes_nothing_and_is_told(tmp_path, monkeypatch, capsys):
    recipe = Recipe.model_validate({"images": {"size": 16}, "backbone": {"name": "resnet9", "width": 4}})
    model = build_model(competition(), recipe, precision="float16")
    optimizer = keras.optimizers.LossScaleOptimizer(build_optimizer(recipe.training, 0.01, 100), initial_scale=64)
    step = TrainingStep(model, optimizer, losses.build_loss(competition(), recipe.training))
    rng = np.random.default_rng(0)
    images, targets = tf.constant(rng.random((8, 16, 16, 1)) * 255, tf.float32), tf.constant(rng.random((8, 1)) > 0.5)
    batch = [images, tf.cast(targets, tf.float32), tf.ones(8)]
    step(*batch)
    assert np.isfinite(step.loss())
    before = [np.array(each) for each in (*model.trainable_variables, *optimizer.inner_optimizer.variables)]
    loss = step.loss()
    step(images * np.inf, *batch[1:])
    assert (step.num_overflowed(), step.loss()) == (1, loss)
    after = [np.array(each) for each in (*model.trainable_variables, *optimizer.inner_optimizer.variables)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    step(*batch)
    assert np.isfinite(step.loss())
    assert step.num_overflowed() == 1


@pytest.mark.slow
def test_overflows_are_counted_and_ten_in_a_row_end_it(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        overflowing(patch, {7, 8, 9})
        assert fold.train_fold(task(precision="float16"), 0, FoldPaths(tmp_path / "a")) > 0.9
    assert "steps of epoch 2 overflowed and were left out" in capsys.readouterr().out
    assert np.isfinite(pd.read_csv(tmp_path / "a" / "history.csv")["loss"]).all()
    overflowing(monkeypatch, set(range(6, 99)))
    with pytest.raises(UserError, match="the loss is not a number at epoch 2, step 5"):
        fold.train_fold(task(precision="float16"), 0, FoldPaths(tmp_path / "b"))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_learns_the_same_task_and_predicts_in_full(tmp_path, precision):
    made, paths = task(precision=precision), FoldPaths(tmp_path / "fold0")
    assert fold.train_fold(made, 0, paths) > 0.9
    oof = read_predictions(made.competition, paths.oof)
    model = load_model(made.competition, made.recipe, paths.weights)
    predictor = Predictor(model, "horizontal", tta=made.recipe.tta)
    there = predictor(made.store.pixels, made.store.rows_of(oof["id"]))[:, 0]
    np.testing.assert_allclose(there, oof["target"], rtol=0, atol=1e-8)


@pytest.mark.slow
def test_cut_points_learn_an_ordered_task(tmp_path):
    made = task("ordinal", epochs=12)
    made = replace(made, recipe=made.recipe.model_copy(update={"head": "cut_points"}))
    fold.train_fold(made, 0, FoldPaths(tmp_path / "fold0"))
    oof = read_predictions(made.competition, tmp_path / "fold0" / "oof.csv")
    targets = made.targets[(made.train["fold"] == 0).to_numpy()]
    assert np.corrcoef(oof["expected"], targets)[0, 1] > 0.7


@pytest.mark.parametrize("keep", ["best", pytest.param("final", marks=pytest.mark.slow)])
def test_an_undefined_score_never_counts_and_the_last_epoch_is_kept(tmp_path, capsys, keep):
    """The held-out fold has one class: no epoch has an AUC."""
    made = task(keep=keep, patience=1 if keep == "best" else 0, epochs=3)
    targets, held = made.targets.copy(), (made.train["fold"] == 0).to_numpy()
    targets[held] = 1
    assert np.isnan(fold.train_fold(replace(made, targets=targets), 0, FoldPaths(tmp_path / keep)))
    assert len(pd.read_csv(tmp_path / keep / "history.csv")) == 3
    said = capsys.readouterr().out
    assert ("AUC was undefined after every epoch: the last epoch is kept" in said) is (keep == "best")
    assert "AUC undefined" in said
    assert "nan" not in said


@pytest.mark.slow
def test_worker_processes_do_not_change_the_result(tmp_path):
    for processes in (0, 2):
        made = replace(task(epochs=2), workers=processes)
        fold.train_fold(made, 0, FoldPaths(tmp_path / f"{processes}"))
    assert files_of(tmp_path / "0") == files_of(tmp_path / "2")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"training": {"batch_size": 64}}, "fold 0, training.batch_size: a batch of 64 is more than the 40 images"),
        ({"training": {"epochs": 0}}, "training.epochs: nothing is trained"),
        (
            {"training": {"accumulate": 31}},
            "accumulate: 31 batches make a step, and there are 30: no step is ",
        ),
        ({"training": {"head_epochs": 3}}, "training.head_epochs: a backbone without weights has no features"),
        ({"augment": ["ChannelDropout"]}, "augment: ChannelDropout does not take 1-channel images"),
        ({"backbone": {"name": "InceptionV3"}}, "images.size: 16 px are too small for InceptionV3. Set it to 75"),
        ({"head": "cut_points"}, "head: task binary has no ordered classes"),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_one_line(tmp_path, choices, message):
    made = task()
    changed = Recipe.model_validate(merge(made.recipe.model_dump(), choices))
    with pytest.raises(UserError, match=message) as caught:
        fold.train_fold(replace(made, recipe=changed), 0, FoldPaths(tmp_path / "fold0"))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.csv"))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_a_class_without_images_to_train_on_is_one_line(tmp_path, kind):
    made = task(kind)
    targets = made.targets.copy()
    outside = (made.train["fold"] != 1).to_numpy()
    targets[outside & (targets == 1)] = 0
    with pytest.raises(UserError, match="fold 1: no image to train on is of class 1. Merge rare classes"):
        fold.train_fold(replace(made, targets=targets), 1, FoldPaths(tmp_path / "fold1"))


@pytest.mark.slow
def test_weights_of_another_net_are_one_line(tmp_path, pretrained):
    made = on(pretrained, task(), tmp_path / "features.npy")
    choices = merge(made.recipe.model_dump(), {"backbone": {"name": "MobileNet"}})
    with pytest.raises(UserError, match="net.weights.h5: weights do not fit MobileNet") as caught:
        fold.train_fold(replace(made, recipe=Recipe.model_validate(choices)), 0, FoldPaths(tmp_path / "fold0"))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_loss_that_becomes_no_number_leaves_the_state_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", lambda self, ends: ends)
    step, steps = TrainingStep.__call__, [0]

    def breaks(self, *batch):
        steps[0] += 1
        images, targets, weights = batch
        step(self, images, targets, weights * (np.nan if steps[0] == 13 else 1))

    monkeypatch.setattr(TrainingStep, "__call__", breaks)
    paths = FoldPaths(tmp_path / "fold0")
    with pytest.raises(UserError, match="fold 0: the loss is not a number at epoch 3, step 3"):
        fold.train_fold(task(), 0, paths)
    with np.load(paths.state) as state:
        assert json.loads(str(state["facts"]))["history"][-1]["epoch"] == 2
    monkeypatch.setattr(TrainingStep, "__call__", step)
    assert fold.train_fold(task(), 0, paths) > 0.9


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(losses, "target_columns", lambda facts, targets: np.full((len(targets), 1), np.nan, np.float32))
    with pytest.raises(
        UserError, match=r"fold 0: the loss is not a number at epoch 1, step 1. Lower training.learning_rate"
    ):
        fold.train_fold(task(), 0, FoldPaths(tmp_path / "fold0"))
    assert not (tmp_path / "fold0").exists() or not list((tmp_path / "fold0").iterdir())


def test_too_little_memory_ends_in_one_line(tmp_path, monkeypatch):
    def exhausted(self, *batch):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9,9]")

    monkeypatch.setattr(TrainingStep, "__call__", exhausted)
    memory = r"^fold 0: the machine or its GPU is out of memory\. Halve training\.batch_size"
    with pytest.raises(UserError, match=memory):
        fold.train_fold(task(), 0, FoldPaths(tmp_path / "fold0"))


@pytest.mark.slow
def test_what_a_killed_training_left_half_written_is_swept(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    paths.folder.mkdir()
    (paths.folder / ".weights.h5.0123abcd.folder.tmp").mkdir()
    (paths.folder / ".weights.h5.0123abcd.folder.tmp" / "net.weights.h5").write_bytes(b"half")
    (paths.folder / ".oof.csv.0123abcd.tmp").write_bytes(b"half")
    fold.train_fold(task(epochs=1), 0, paths)
    kept = {"checks.json", "done.json", "history.csv", "oof.csv", "test.csv", "weights.h5"}
    assert {path.name for path in paths.folder.iterdir()} == kept


def test_the_rate_rises_then_falls_to_zero():
    recipe = Recipe.model_validate({"training": {"learning_rate": 0.1, "warmup": 0.2}})
    optimizer = build_optimizer(recipe.training, 0.1, steps=100)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 10, 20, 60, 100)]
    assert rates == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-6)
    assert (optimizer.ema_momentum, build_optimizer(recipe.training, 0.1, 20).ema_momentum) == (0.9, 0.5)
    assert optimizer.global_clipnorm == 1.0
