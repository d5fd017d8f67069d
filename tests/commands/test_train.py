"""make train: what is checked before the training, what is printed and handed on; the training itself is imitated."""

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import create_autospec

import numpy as np
import pytest
from typer.testing import CliRunner

from medfold.cli import app
from medfold.cluster import ClusterAddress
from medfold.commands import train as command
from medfold.commands.prepare import prepare
from medfold.commands.train import train
from medfold.errors import UserError
from tests.support.finished_runs import finished_run
from tests.support.helpers import an_oof_score, refused
from tests.support.tracked_runs import tracked_run


@pytest.fixture
def trainings(monkeypatch):
    """Imitates the training, here and on Kaggle: `requests` lists those that were begun, `result` is their score."""
    found = SimpleNamespace(requests=[], places=[], result=an_oof_score(trained_folds=[0], num_units=2))

    def imitate(name, place):
        def train_one(competition, request, recipe, dataset, after_fold=None):
            print("the training begins")
            found.requests.append(request)
            found.places.append(place)
            return found.result

        monkeypatch.setattr(command, name, create_autospec(getattr(command, name), side_effect=train_one))

    imitate("train_run", "here")
    imitate("train_on_kaggle", "kaggle")
    return found


@pytest.fixture
def steps(trainings, monkeypatch):
    """Imitates the checks and the dataset, too."""
    data = SimpleNamespace(has_new_folds=False, num_units=2)
    results = {"check_recipe_trainable": None, "make_dataset": data, "verify_store": 5_000_000, "store_key": "key"}
    for name, result in results.items():
        monkeypatch.setattr(command, name, create_autospec(getattr(command, name), return_value=result))
    return trainings


def store_of(competition):
    """Returns the prepared images of a competition."""
    prepare(competition)
    (images,) = competition.paths.data.glob("store/*/images.npy")
    return images


def test_damaged_store_is_refused_before_a_run_is_created(folded, trainings):
    images = store_of(folded)
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(content)
    with refused("prepared images lie in blocks that have changed"):
        train(folded)
    assert trainings.requests == []
    assert not folded.paths.runs.exists()


def test_finished_run_needs_no_store(folded, capsys):
    images = store_of(folded)
    finished_run(folded)
    images.unlink()
    train(folded)
    assert "all 3 folds, 59 of 59 samples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"backbone": {"name": "resnet8"}}, r"unknown backbone 'resnet8' \(did you mean 'resnet9'\?\)"),
        ({"backbone": {"name": "MobileNetV2", "weights": "gone.h5"}}, "gone.h5: no such weights file"),
        ({"augment": "fundsu"}, r"unknown pipeline 'fundsu' \(did you mean 'fundus'\?\)"),
        ({"training": {"epochs": 0}}, "nothing is trained"),
        ({"training": {"head_epochs": 1}}, "a backbone without weights has no features"),
        ({"head": "both"}, "task binary has no ordered classes"),
    ],
)
def test_recipe_that_cannot_be_trained_is_refused_before_images_are_prepared(small, trainings, overrides, message):
    with refused(message):
        train(small, overrides=overrides)
    assert not small.paths.data.exists()
    assert not small.paths.runs.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", "many"], "JOBS=many"),
        (["--workers", "-1"], "WORKERS=-1"),
        (["--fold", "7"], "FOLD"),
        (["--run", "a b"], "RUN"),
    ],
)
def test_invalid_options_leave_no_files(small, options, message):
    result = CliRunner().invoke(app, ["train", "-c", "small", *options])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not small.paths.data.exists()
    assert not small.paths.runs.exists()


IMPOSSIBLE = {"backbone": {"name": "simple_cnn"}, "training": {"accumulation_steps": 10**6}}


def test_refused_settings_create_no_run(folded):
    with refused("no step is ever taken"):
        train(folded, overrides=IMPOSSIBLE, run="new")
    assert not folded.paths.run("new").folder.exists()


def test_refused_settings_keep_the_folds_of_a_run(folded):
    finished_run(folded, "begun", folds=[1])
    with refused(r"run\.json: this run was started differently: recipe\."):
        train(folded, overrides=IMPOSSIBLE, run="begun")
    assert folded.paths.run("begun").fold(1).trained_marker.is_file()


def test_checkpoint_of_a_fold_killed_when_it_was_done_is_removed(folded):
    finished_run(folded, "begun", folds=[0, 1, 2])
    run_paths = folded.paths.run("begun")
    left = [run_paths.fold(1).folder / name for name in ("checkpoint.npz", "before-checkpoint.npz")]
    for path in left:
        path.write_bytes(b"state")
    train(folded, run="begun", folds=[0])  # of other folds nothing is removed
    assert all(path.is_file() for path in left)
    train(folded, run="begun")
    assert not any(path.exists() for path in left)
    assert run_paths.fold(1).trained_marker.is_file()


@pytest.mark.slow
def test_new_folds_are_shown_before_the_training(small, trainings, capsys):
    train(small)
    shown = capsys.readouterr().out
    assert 0 < shown.index("folds      ") < shown.index("the training begins") < shown.index("OOF score")


def test_images_are_prepared_as_the_recipe_says(folded, trainings):
    train(folded, overrides={"preparation": {"size": 24}})
    shapes = {np.load(images).shape[1:] for images in folded.paths.data.glob("store/*/images.npy")}
    assert shapes == {(16, 16, 1), (24, 24, 1)}  # those of the baseline were there
    assert trainings.places == ["here"]


def test_training_at_kaggle_prepares_no_images(folded, trainings):
    before = list(folded.paths.data.glob("store/*"))
    train(folded, on="kaggle", overrides={"preparation": {"size": 24}})
    assert trainings.places == ["kaggle"]
    assert list(folded.paths.data.glob("store/*")) == before


def test_training_at_kaggle_of_data_that_is_not_there_is_refused_before_images_are_scanned(folded, trainings):
    facts = folded.facts.model_copy(update={"source": {"kind": "own"}})
    competition = replace(folded, facts=facts)
    folded.paths.measurements.unlink(missing_ok=True)
    with refused("the data of source own is not on Kaggle"):
        train(competition, on="kaggle")
    assert trainings.requests == []
    assert not folded.paths.measurements.exists()


def test_score_is_printed_with_what_it_covers(small, steps, capsys):
    train(small)
    text = "OOF score  AUC 0.9000 (95 % interval 0.8000 to 0.9500), covers 1 of 3 folds, 2 of 2 samples"
    assert text in capsys.readouterr().out


def test_each_seed_is_a_request_with_all_options(small, steps):
    train(small, "simple_cnn", {"tta": False}, [0, 3], [1, 2], jobs=2, workers=1)
    assert [request.seed for request in steps.requests] == [0, 3]
    for request in steps.requests:
        assert (request.recipe_name, request.overrides, request.fold_numbers) == ("simple_cnn", {"tta": False}, [1, 2])
        assert (request.jobs, request.workers, request.given_name) == (2, 1, None)


def test_unfinished_score_is_not_printed(small, steps, capsys):
    steps.result = None
    train(small, seeds=[0, 1])
    assert len(steps.requests) == 2
    assert "OOF score" not in capsys.readouterr().out


def test_one_name_for_several_seeds_is_refused(small, steps):
    with refused(r"^RUN=mine: one name cannot be used for several seeds\. Leave RUN out$"):
        train(small, seeds=[0, 1], run="mine")
    assert steps.requests == []
    train(small, seeds=[1], run="mine")
    assert steps.requests[0].given_name == "mine"


def test_settings_without_effect_are_printed_by_reason(small, steps, capsys):
    overrides = {"training": {"head_learning_rate": 0.1, "focal_gamma": 3.0}, "tta": True}
    train(small, overrides=overrides)
    lines = [line for line in capsys.readouterr().out.splitlines() if "no effect" in line]
    assert lines == [
        "train      no effect: training.head_learning_rate (training.head_epochs is 0)",
        "train      no effect: training.focal_gamma (training.loss is cross_entropy)",
    ]


def test_settings_without_effect_that_a_recipe_extends_are_not_printed(small, steps, capsys):
    (small.paths.folder / "mine.yaml").write_text("extends: baseline\nbackbone: {width: 8}\n")
    (small.paths.folder / "frozen.yaml").write_text("extends: [mine, mobilenet]\ntraining: {cutmix: 0.5}\n")
    train(small, "frozen", {"training": {"learning_rate": 0.01}})
    lines = [line for line in capsys.readouterr().out.splitlines() if "no effect" in line]
    assert [line.split(" (")[0] for line in lines] == ["train      no effect: training.learning_rate, training.cutmix"]


def test_warning_about_small_batches_is_printed(small, steps, capsys):
    train(small, overrides={"backbone": {"name": "MobileNetV2", "weights": "imagenet"}, "training": {"batch_size": 4}})
    assert "training.batch_size is 4: too few images" in capsys.readouterr().out
    train(small, overrides={"training": {"batch_size": 4}})
    assert "too few images" not in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "is_said"), [(0.9, False), (1.5, True)])
def test_check_of_the_store_is_printed_if_it_takes_a_while(small, steps, monkeypatch, capsys, seconds, is_said):
    clock = iter([10.0, 10.0 + seconds])
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    train(small)
    text = "store      5 MB of prepared images, unchanged since they were made, 2 s"
    assert (text in capsys.readouterr().out) is is_said


@pytest.mark.parametrize("place", ["here", "kaggle"])
def test_trackers_get_what_is_trained_for_each_seed(folded, trainings, in_this_process, monkeypatch, capsys, place):
    monkeypatch.setattr(command, "find_data_on_kaggle", lambda _: None)
    for name in ("baseline", "baseline-s1"):
        tracked_run(folded, name)
    train(folded, seeds=[0, 1], on=place, trackers=["tensorboard"])
    said = capsys.readouterr().out
    for name in ("baseline", "baseline-s1"):
        where = f"runs/small/{name}/tensorboard"
        assert f"tensorboard: wrote fold0, fold1, fold2, oof to {where}\n" in said
        assert len(list(folded.paths.run(name).folder.glob("tensorboard/*/*"))) == 4


def test_misspelt_tracker_is_refused_before_any_work(small, trainings):
    with refused("TRACK=tensorbord: unknown tracker 'tensorbord' .did you mean 'tensorboard'"):
        train(small, trackers=["tensorbord"])
    assert trainings.requests == []
    assert not small.paths.data.exists()


def test_seeds_on_a_cluster_are_trained_side_by_side_and_their_scores_printed_in_order(
    small, steps, monkeypatch, capsys
):
    scores = [an_oof_score(value=value, trained_folds=[0], num_units=2) for value in (0.75, 0.25)]
    on_cluster = create_autospec(command.train_on_cluster, return_value=scores)
    monkeypatch.setattr(command, "check_cluster", create_autospec(command.check_cluster))
    monkeypatch.setattr(command, "train_on_cluster", on_cluster)
    train(small, seeds=[0, 3], on="ray", jobs=2)
    _, requests, _, _, address, _ = on_cluster.call_args.args
    assert ([request.seed for request in requests], address) == ([0, 3], None)
    assert steps.requests == []
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("OOF score")]
    assert [line.split()[3] for line in shown] == ["0.7500", "0.2500"]


def test_address_without_an_answer_is_refused_before_any_work(small, trainings):
    pytest.importorskip("ray", reason="Ray is not installed")
    with refused("ADDRESS=127.0.0.1:1: no answer"):
        train(small, on="ray", address=ClusterAddress("127.0.0.1", 1))
    assert trainings.requests == []
    assert not small.paths.data.exists()
