"""make train: what is checked, printed and handed on, in which order; the training itself is imitated."""

from types import SimpleNamespace

import pandas as pd
import pytest

from medfold.commands import train as command
from medfold.commands.train import train
from tests.support.helpers import an_oof_score, refused


@pytest.fixture
def steps(monkeypatch):
    """Replaces the steps of the command: `done` lists their names in order, `requests` what was trained."""
    found = SimpleNamespace(
        done=[], requests=[], prepared=[], missing=[0], result=an_oof_score(trained_folds=[0], num_units=2)
    )
    data = SimpleNamespace(has_new_folds=False, train=pd.DataFrame({"unit": ["a", "b", "b"]}))
    found.data = data

    def step(name, result=None):
        monkeypatch.setattr(command, name, lambda *given: found.done.append(name) or result)

    def train_by(name):
        def run(competition, request, recipe, data):
            found.done.append(name)
            found.requests.append(request)
            return found.result

        monkeypatch.setattr(command, name, run)

    def load_dataset(competition, prepare):
        found.done.append("load_dataset")
        found.prepared.append(prepare)
        return data

    for name in ("check_recipe_trainable", "data_on_kaggle", "audit_and_show"):
        step(name)
    for name in ("train_run", "train_on_kaggle"):
        train_by(name)
    monkeypatch.setattr(command, "load_dataset", load_dataset)
    monkeypatch.setattr(command, "missing_folds", lambda competition, request: found.missing)
    monkeypatch.setattr(command, "verify_store", lambda *_: found.done.append("verify_store") or 5_000_000)
    monkeypatch.setattr(command, "store_key", lambda *_: "key")
    return found


def test_recipe_and_store_are_checked_before_the_training(small, steps, capsys):
    train(small)
    assert steps.done == ["check_recipe_trainable", "load_dataset", "verify_store", "train_run"]
    assert [settings.size for settings in steps.prepared] == [16]
    text = "OOF score  AUC 0.9000 (95 % interval 0.8000 to 0.9500), covers 1 of 3 folds, 2 of 2 samples"
    assert text in capsys.readouterr().out


def test_finished_run_is_neither_checked_nor_is_its_store_read(small, steps):
    steps.missing = []
    train(small)
    assert steps.done == ["load_dataset", "train_run"]


def test_new_folds_are_shown_before_the_training(small, steps):
    steps.data.has_new_folds = True
    train(small)
    assert steps.done[-3:] == ["audit_and_show", "verify_store", "train_run"]


def test_training_at_kaggle_checks_its_data_first_and_prepares_no_images(small, steps):
    train(small, on="kaggle")
    assert steps.done == ["data_on_kaggle", "load_dataset", "train_on_kaggle"]
    assert steps.prepared == [None]


def test_each_seed_is_a_request_with_all_options(small, steps):
    train(small, "simple_cnn", {"tta": False}, [0, 3], [1, 2], jobs=2, workers=1)
    assert [request.seed for request in steps.requests] == [0, 3]
    for request in steps.requests:
        assert (request.recipe, request.overrides, request.folds) == ("simple_cnn", {"tta": False}, [1, 2])
        assert (request.jobs, request.workers, request.run) == (2, 1, None)


def test_unfinished_score_is_not_printed(small, steps, capsys):
    steps.result = None
    train(small, seeds=[0, 1])
    assert len(steps.requests) == 2
    assert "OOF score" not in capsys.readouterr().out


def test_one_name_for_several_seeds_is_refused(small, steps):
    with refused(r"^RUN=mine: one name cannot be used for several seeds\. Leave RUN out$"):
        train(small, seeds=[0, 1], run="mine")
    assert steps.done == []
    train(small, seeds=[1], run="mine")
    assert steps.requests[0].run == "mine"


def test_settings_without_effect_are_printed_by_reason(small, steps, capsys):
    overrides = {"training": {"head_learning_rate": 0.1, "focal_gamma": 3.0}, "tta": True}
    train(small, overrides=overrides)
    lines = [line for line in capsys.readouterr().out.splitlines() if "no effect" in line]
    assert lines == [
        "train      no effect: training.head_learning_rate (training.head_epochs is 0)",
        "train      no effect: training.focal_gamma (training.loss is cross_entropy)",
    ]


@pytest.mark.parametrize(("seconds", "is_said"), [(0.9, False), (1.5, True)])
def test_check_of_the_store_is_printed_if_it_takes_a_while(small, steps, monkeypatch, capsys, seconds, is_said):
    clock = iter([10.0, 10.0 + seconds])
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    train(small)
    text = "store      5 MB of prepared images, unchanged since they were made, 2 s"
    assert (text in capsys.readouterr().out) is is_said
