"""Training of one fold on small tasks: files, reproducibility, and errors."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from medfold.competition import Recipe
from medfold.config import merge
from medfold.images import Store
from medfold.paths import FoldPaths
from medfold.prediction import Predictor, load_net
from medfold.runs import is_fold_trained, read_predictions
from medfold.system import json_files
from medfold.training import FoldInputs
from medfold.training.batches import class_balance
from medfold.training.fold.train_fold import train_fold
from medfold.training.fold.trained_net import TrainedNet
from medfold.training.loop import training_state
from medfold.training.loop.batch_statistics import BatchStatistics
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.checkpoint import Checkpoint
from tests.support.fake_trainings import fake_phase
from tests.support.helpers import refused, slow_but_first
from tests.support.interruptions import lose_number_at
from tests.support.small_tasks import NUM_IMAGES, result_files, task, with_pretrained_backbone


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "ordinal"])
def test_every_task_learns_and_writes_files(tmp_path, kind):
    paths = FoldPaths(tmp_path / "fold1")
    made = task(kind)
    assert train_fold(FoldInputs(made, 1, paths)) > 0.9
    assert is_fold_trained(paths)
    oof = read_predictions(made.facts, paths.oof)
    assert oof["id"].tolist() == made.train["id"][made.train["fold"] == 1].tolist()
    assert (oof["fold"] == 1).all()
    assert len(read_predictions(made.facts, paths.test)) == 10
    assert ("expected" in oof) is (kind == "ordinal")
    history = pd.read_csv(paths.history)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < history["learning_rate"].max()


@pytest.mark.parametrize("tta", slow_but_first(True, False))
def test_tables_hold_the_prediction_of_each_image_by_the_saved_net(tmp_path, tta):
    paths, made = FoldPaths(tmp_path / "fold1"), task("multiclass", backbone="simple_cnn", epochs=1)
    made = replace(made, recipe=made.recipe.model_copy(update={"tta": tta}))
    train_fold(FoldInputs(made, 1, paths))
    predictor = Predictor(load_net(made.facts, made.recipe, paths.weights), made.facts.images.symmetry, tta)
    for path, ids in ((paths.oof, made.train["id"][made.train["fold"] == 1]), (paths.test, made.test["id"])):
        table = read_predictions(made.facts, path).set_index("id")
        assert set(table.index) == set(ids)
        expected = predictor(made.store.pixels, made.store.rows_of(ids))
        np.testing.assert_allclose(table.loc[ids, made.facts.prediction_columns], expected, rtol=0, atol=1e-6)
        assert expected.std(axis=0).min() > 1e-4  # so that a prediction of another image would be noticed


def test_score_of_a_fold_is_that_of_its_units(tmp_path):
    numbers = np.arange(NUM_IMAGES)
    units = [f"u{number}" for number in numbers // 9 * 3 + numbers % 3]  # up to three images of a fold
    paths, made = FoldPaths(tmp_path / "fold1"), task(backbone="simple_cnn", units=units, epochs=1)
    made = replace(made, targets=np.random.default_rng(1).permutation(made.targets))  # so that errors remain
    score = train_fold(FoldInputs(made, 1, paths))
    table = made.train.assign(label=made.targets).merge(read_predictions(made.facts, paths.oof), on="id")
    by_unit = table.groupby("unit").agg(label=("label", "max"), predicted=("target", "mean"))
    assert score == pytest.approx(roc_auc_score(by_unit["label"], by_unit["predicted"]))
    assert score != pytest.approx(roc_auc_score(table["label"], table["target"]))


@pytest.mark.slow
def test_batch_statistics_of_the_saved_net_are_those_of_all_training_images(tmp_path, monkeypatch):
    monkeypatch.setattr("medfold.training.fold.train_fold.NUM_STATISTICS_IMAGES_PER_EPOCH", 8)
    paths, made = FoldPaths(tmp_path / "fold1"), task(epochs=1)
    train_fold(FoldInputs(made, 1, paths))
    net = load_net(made.facts, made.recipe, paths.weights)
    saved = net.get_weights()
    rows = made.store.rows_of(made.train["id"][made.train["fold"] != 1])
    BatchStatistics(net, made.store.pixels, rows, lambda batch: batch, seed=0).gather(len(rows))
    for found, expected in zip(saved, net.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_duration_of_the_training_is_written(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    train_fold(FoldInputs(task(epochs=1), 0, paths))
    timing = json_files.read(paths.timing)
    assert 0 < timing["seconds"] < 600
    assert datetime.fromisoformat(timing["finished"]).tzinfo is not None


@pytest.mark.slow
def test_equal_seeds_give_equal_files(tmp_path):
    train_fold(FoldInputs(task(epochs=2), 0, FoldPaths(tmp_path / "first")))
    train_fold(FoldInputs(task(epochs=2), 1, FoldPaths(tmp_path / "a")))
    train_fold(FoldInputs(task(epochs=2), 1, FoldPaths(tmp_path / "b")))
    train_fold(FoldInputs(task(epochs=2, seed=1), 1, FoldPaths(tmp_path / "c")))
    names = ("oof.csv", "test.csv", "history.csv", "net.weights.h5")
    a, b, c = ({name: (tmp_path / run / name).read_bytes() for name in names} for run in "abc")
    assert a == b
    assert a["oof.csv"] != c["oof.csv"]


@pytest.mark.slow
def test_keep_best_restores_best_epoch_and_stops_early(tmp_path):
    made = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    score = train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold0")))
    history = pd.read_csv(FoldPaths(tmp_path / "fold0").history)
    assert len(history) < 30
    assert history["val_auc"].idxmax() == len(history) - 3  # two epochs without a better one end the training
    # The kept weights are those of the best epoch; scored here without test-time augmentation.
    flat = task(keep="best", patience=2, epochs=30, learning_rate=0.02)
    flat = replace(flat, recipe=flat.recipe.model_copy(update={"tta": False}))
    assert train_fold(FoldInputs(flat, 0, FoldPaths(tmp_path / "flat"))) == pytest.approx(history["val_auc"].max())
    assert score > 0.5


@pytest.mark.slow
def test_mixing_and_focal_loss_learn_reproducibly(tmp_path):
    for number, choices in enumerate(({"mixup": 0.2, "cutmix": 0.5}, {"loss": "focal"})):
        made = task("multiclass", **choices, sampler="balanced", accumulation_steps=2, epochs=12)
        assert train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / f"a{number}"))) > 0.85
        train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / f"b{number}")))
        again, first = ((tmp_path / f"{run}{number}" / "oof.csv").read_bytes() for run in "ab")
        assert again == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "verdict"),
    [(0.005, "100% of 12 training images memorised: the set-up can learn"), (1e-9, "NOT learnt")],
)
def test_memorising_few_images_shows_whether_setup_learns(tmp_path, capsys, rate, verdict):
    choices = {"num_images": 12, "check_memorised": True, "ema_decay": 0, "learning_rate": rate}
    made = task("multiclass", **choices, epochs=15, batch_size=6)
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold")))
    assert verdict in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["shuffled", "balanced"])
def test_memorising_is_only_reported_if_a_recipe_asks_for_it(tmp_path, capsys, sampler):
    made = task("multiclass", num_images=12, sampler=sampler, epochs=1, batch_size=6)
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold")))
    assert "memorised" not in capsys.readouterr().out


@pytest.fixture
def begin_training(monkeypatch):
    """Returns a function (inputs, number of the fold) -> what its training is begun with; nothing is trained."""
    begun = SimpleNamespace()

    class NothingTrainedError(Exception):
        pass

    def make_deterministic(seed, operations):
        begun.seed, begun.deterministic = seed, operations

    def build_net(facts, recipe, precision):
        begun.precision_of_net = precision

    def plan_phases(facts, recipe, net, images, precision):
        begun.images, begun.precision = images, precision
        return [fake_phase()]

    def remaining_phases(*arguments):
        (begun.remaining_phase,) = training_state.remaining_phases(*arguments)
        raise NothingTrainedError

    for function in (make_deterministic, build_net, plan_phases, remaining_phases):
        monkeypatch.setattr(f"medfold.training.fold.train_fold.{function.__name__}", function)

    def run(inputs, number=0, folder=Path("none")):
        with pytest.raises(NothingTrainedError):
            train_fold(FoldInputs(inputs, number, FoldPaths(folder)))
        return SimpleNamespace(**vars(begun))

    return run


@pytest.mark.parametrize(("deterministic", "precision"), [(True, "float16"), (False, "bfloat16")])
def test_training_begins_as_the_recipe_says(begin_training, deterministic, precision):
    begun = begin_training(task(deterministic=deterministic, precision=precision), 1)
    assert begun.deterministic is deterministic
    assert begun.precision == begun.precision_of_net == precision
    assert begun.seed == begun.images.seed


@pytest.mark.parametrize("num_images", [None, 12])
def test_validation_images_are_not_trained_on(begin_training, num_images):
    made = task("multiclass", num_images=num_images, seed=4)
    rows = pd.Series(made.store.rows.to_numpy()[::-1], index=made.store.rows.index)  # not in the order of the table
    made = replace(made, store=Store(made.store.pixels, rows))
    for number in range(3):
        images = begin_training(made, number).images
        outside = (made.train["fold"] != number).to_numpy()
        expected = dict(zip(made.store.rows_of(made.train["id"][outside]), made.targets[outside], strict=True))
        handed = dict(zip(images.rows, images.targets, strict=True))
        assert len(handed) == len(images.rows) == (num_images or 40)
        assert handed.items() <= expected.items()


@pytest.mark.slow
def test_each_fold_and_each_seed_of_a_run_has_a_seed_of_its_own(begin_training):
    seeds = [begin_training(task(seed=seed), number).seed for seed in (0, 1) for number in range(3)]
    assert len(set(seeds)) == 6


@pytest.mark.parametrize(("num_images", "expected"), [(9, [3, 3, 3]), (15, [6, 3, 6])])
def test_num_images_are_taken_from_each_class_in_turn(begin_training, num_images, expected):
    targets = np.array([0] * 33 + [1] * 5 + [2] * 22)  # of the second class three are not in fold 0
    first, again, other = (
        begin_training(replace(task("multiclass", seed, num_images=num_images), targets=targets)).images
        for seed in (0, 0, 1)
    )
    assert np.bincount(first.targets).tolist() == expected
    assert first.rows.tolist() == again.rows.tolist() != other.rows.tolist()


@pytest.mark.parametrize("changed", slow_but_first("recipe", "seed", "training images", "plugins"))
def test_checkpoint_of_another_training_is_not_resumed(begin_training, tmp_path, changed):
    made = replace(task(), plugins_hash="0")
    saved = begin_training(made, folder=tmp_path).remaining_phase
    training_state.save_state(saved.checkpoint, saved.phase.batch_trainer, training_state.TrainingState(num_batches=1))
    assert begin_training(made, folder=tmp_path).remaining_phase.is_resumed
    changes = {
        "recipe": {"recipe": task(epochs=7).recipe},
        "seed": {"seed": 1},
        "training images": {"train": made.train.assign(fold=made.train["fold"].to_numpy()[::-1])},
        "plugins": {"plugins_hash": "1"},
    }
    assert not begin_training(replace(made, **changes[changed]), folder=tmp_path).remaining_phase.is_resumed


@pytest.mark.slow
def test_cut_points_learn_an_ordinal_task(tmp_path):
    made = task("ordinal", epochs=12)
    made = replace(made, recipe=made.recipe.model_copy(update={"head": "ordinal"}))
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold0")))
    oof = read_predictions(made.facts, tmp_path / "fold0" / "oof.csv")
    targets = made.targets[(made.train["fold"] == 0).to_numpy()]
    assert np.corrcoef(oof["expected"], targets)[0, 1] > 0.7


@pytest.mark.parametrize("keep", ["best", pytest.param("final", marks=pytest.mark.slow)])
def test_undefined_score_keeps_last_epoch(tmp_path, capsys, keep):
    """The validation images have one class: no epoch has an AUC."""
    made = task(backbone="simple_cnn", keep=keep, patience=1 if keep == "best" else 0, epochs=3)
    targets, held = made.targets.copy(), (made.train["fold"] == 0).to_numpy()
    targets[held] = 1
    assert np.isnan(train_fold(FoldInputs(replace(made, targets=targets), 0, FoldPaths(tmp_path / keep))))
    assert len(pd.read_csv(tmp_path / keep / "history.csv")) == 3
    output = capsys.readouterr().out
    assert ("AUC was undefined after every epoch: the last epoch is kept" in output) is (keep == "best")
    assert "AUC undefined" in output
    assert "nan" not in output


@pytest.mark.slow
def test_worker_processes_do_not_change_the_result(tmp_path):
    for processes in (0, 2):
        made = replace(task(epochs=2), num_workers=processes)
        train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / f"{processes}")))
    assert result_files(tmp_path / "0") == result_files(tmp_path / "2")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"training": {"batch_size": 64}}, "training.batch_size, fold 0: a batch of 64 is more than the 40 images"),
        ({"training": {"epochs": 0}}, "training.epochs: nothing is trained"),
        ({"preparation": {"steps": ["clahee"]}}, "preparation.steps: unknown step 'clahee' .did you mean 'clahe'"),
        (
            {"training": {"accumulation_steps": 31}},
            "accumulation_steps, fold 0: 31 batches make a step, and there are 30: no step is ",
        ),
        ({"training": {"head_epochs": 3}}, "training.head_epochs: a backbone without weights has no features"),
        ({"augment": ["ChannelDropout"]}, "augment: ChannelDropout fails on images of "),
        ({"backbone": {"name": "InceptionV3"}}, "preparation.size: 16 px are too small for InceptionV3. Set it to 75"),
        ({"head": "ordinal"}, "head: task binary has no ordered classes"),
    ],
)
def test_untrainable_recipe_raises_in_one_line(tmp_path, choices, message):
    made = task(backbone="simple_cnn")
    changed = Recipe.model_validate(merge(made.recipe.model_dump(), choices))
    with refused(message) as caught:
        train_fold(FoldInputs(replace(made, recipe=changed), 0, FoldPaths(tmp_path / "fold0")))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.csv"))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_class_without_training_images_is_refused(tmp_path, kind):
    made = task(kind, backbone="simple_cnn")
    targets = made.targets.copy()
    outside = (made.train["fold"] != 1).to_numpy()
    targets[outside & (targets == 1)] = 0
    with refused("fold 1: no image to train on is of class 1. All of its images are in this fold"):
        train_fold(FoldInputs(replace(made, targets=targets), 1, FoldPaths(tmp_path / "fold1")))


@pytest.mark.slow
def test_weights_of_another_net_raise_in_one_line(tmp_path, pretrained):
    made = with_pretrained_backbone(pretrained, task(), tmp_path / "features.npy")
    choices = merge(made.recipe.model_dump(), {"backbone": {"name": "MobileNet"}})
    with refused("net.weights.h5: weights do not fit MobileNet") as caught:
        changed = replace(made, recipe=Recipe.model_validate(choices))
        train_fold(FoldInputs(changed, 0, FoldPaths(tmp_path / "fold0")))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_nan_loss_midway_keeps_previous_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "is_due", lambda self, is_epoch_end: is_epoch_end)
    sound = BatchTrainer.__call__
    lose_number_at(monkeypatch, 13)
    paths = FoldPaths(tmp_path / "fold0")
    with refused("fold 0: the loss is not a number at epoch 3, step 3"):
        train_fold(FoldInputs(task(), 0, paths))
    with np.load(paths.checkpoint) as state:
        assert json.loads(str(state["metadata"]))["history"][-1]["epoch"] == 2
    monkeypatch.setattr(BatchTrainer, "__call__", sound)
    assert train_fold(FoldInputs(task(), 0, paths)) > 0.9


@pytest.mark.slow
def test_nan_loss_at_first_step_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(
        class_balance, "target_columns", lambda facts, targets: np.full((len(targets), 1), np.nan, np.float32)
    )
    with refused(r"fold 0: the loss is not a number at epoch 1, step 1. Lower training.learning_rate"):
        train_fold(FoldInputs(task(), 0, FoldPaths(tmp_path / "fold0")))
    assert not (tmp_path / "fold0").exists() or not list((tmp_path / "fold0").iterdir())


@pytest.mark.slow
def test_predictions_that_are_not_numbers_leave_no_finished_fold(tmp_path, monkeypatch):
    monkeypatch.setattr(
        TrainedNet, "predict", lambda self, rows, tta, advance: np.where(np.arange(len(rows)) < 2, np.nan, 0.5)[:, None]
    )
    with refused(r"fold 0, OOF: 2 of \d+ predictions are not numbers: .*training.learning_rate"):
        train_fold(FoldInputs(task(), 0, FoldPaths(tmp_path / "fold0")))
    assert not is_fold_trained(FoldPaths(tmp_path / "fold0"))


def test_out_of_memory_raises_with_advice(tmp_path, monkeypatch):
    def raise_out_of_memory(self, *batch):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9,9]")

    monkeypatch.setattr(BatchTrainer, "__call__", raise_out_of_memory)
    memory = r"^fold 0: the machine or its GPU is out of memory\. Use smaller images"
    with refused(memory):
        train_fold(FoldInputs(task(backbone="simple_cnn"), 0, FoldPaths(tmp_path / "fold0")))


@pytest.mark.slow
def test_temporary_files_of_killed_training_are_removed(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    paths.folder.mkdir()
    (paths.folder / ".net.weights.h5.0123abcd.folder.tmp").mkdir()
    (paths.folder / ".net.weights.h5.0123abcd.folder.tmp" / "net.weights.h5").write_bytes(b"half")
    (paths.folder / ".oof.csv.0123abcd.tmp").write_bytes(b"half")
    train_fold(FoldInputs(task(epochs=1), 0, paths))
    kept = {"net.weights.h5", "history.csv", "oof.csv", "test.csv"}
    kept |= {"done.json", "self_check_warnings.json", "timing.json"}
    assert {path.name for path in paths.folder.iterdir()} == kept


@pytest.mark.slow
def test_fold_of_an_earlier_version_keeps_the_names_of_its_weights_and_warnings(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    json_files.write([], paths.folder / "checks.json")
    (paths.folder / "weights.h5").touch()
    train_fold(FoldInputs(task(epochs=1), 0, paths))
    assert {"checks.json", "weights.h5"} <= set(json_files.read(paths.trained_marker))
    assert not (paths.folder / "net.weights.h5").exists()
    assert is_fold_trained(paths)
