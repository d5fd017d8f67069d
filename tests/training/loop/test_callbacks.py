"""Keras callbacks named in a recipe: they work as with `fit`, also in a resumed training."""

import keras
import pandas as pd
import pytest

from medfold.paths import FoldPaths
from medfold.training import FoldInputs
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop import checkpoint as state
from medfold.training.loop.callbacks import build_callbacks, check_callbacks
from tests.support.helpers import refused
from tests.support.interruptions import PowerFailure, interrupt_after
from tests.support.small_tasks import result_files, task

PLATEAU = {"ReduceLROnPlateau": {"monitor": "val_auc", "mode": "max", "factor": 0.1, "patience": 1, "min_delta": 0.5}}


@pytest.mark.slow
def test_score_monitoring_callback_resumes_exactly(tmp_path, monkeypatch, capsys):
    made = task(epochs=5, schedule="constant", callbacks=[PLATEAU])
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "whole")))
    rates = pd.read_csv(tmp_path / "whole" / "history.csv")["learning_rate"]
    assert rates.nunique() > 1  # it was lowered
    monkeypatch.setattr(state, "SAVE_INTERVAL_SECONDS", 0)
    monkeypatch.setattr(state, "MAX_TIME_SHARE", 1e9)
    for after in (8, 7):  # within an epoch, and again, further on
        with monkeypatch.context() as patch:
            interrupt_after(patch, after)
            with pytest.raises(PowerFailure):
                train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    assert result_files(tmp_path / "broken") == result_files(tmp_path / "whole")
    assert "is lost" not in capsys.readouterr().out


@pytest.mark.slow
def test_callback_can_stop_training_and_write_to_fold_folder(tmp_path):
    stop = {"EarlyStopping": {"monitor": "loss", "patience": 0, "min_delta": 100}}
    made = task(backbone="simple_cnn", epochs=6, callbacks=[stop, {"CSVLogger": {"filename": "{folder}/log.csv"}}])
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold0")))
    assert len(pd.read_csv(tmp_path / "fold0" / "history.csv")) == 2
    assert list(pd.read_csv(tmp_path / "fold0" / "log.csv")) == ["epoch", "learning_rate", "loss", "val_auc"]


def test_callback_of_keras_is_built_by_its_name(tmp_path):
    (made,) = build_callbacks([{"TerminateOnNaN": {}}], tmp_path)
    assert isinstance(made, keras.callbacks.TerminateOnNaN)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("ReduceLROnPlatau", r"unknown callback 'ReduceLROnPlatau' \(did you mean 'ReduceLROnPlateau'\?\)"),
        (
            {"EarlyStopping": {"patient": 3}},
            "training.callbacks: EarlyStopping: .*unexpected keyword argument 'patient'",
        ),
    ],
    ids=["name", "argument"],
)
def test_callback_of_a_wrong_name_or_argument_is_refused(tmp_path, entry, message):
    with refused(message):
        build_callbacks([entry], tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"EarlyStopping": {"patienc": 3}}, r"EarlyStopping has no argument 'patienc' \(did you mean 'patience'\?\)"),
        ("ModelCheckpoint", "ModelCheckpoint: missing a required argument: 'filepath'"),
        ({"TerminateOnNaN": {}, "EarlyStopping": {}}, "expected one callback per list item"),
        ({"SwapEMAWeights": {"patience": 3}}, r"SwapEMAWeights has no argument 'patience'\. It has: swap_on_epoch"),
    ],
    ids=["unknown", "missing", "two names", "nothing similar"],
)
def test_wrong_arguments_of_a_callback_are_found_before_training(entry, message):
    with refused(f"training.callbacks: .*{message}"):
        check_callbacks([entry])


def test_callback_that_takes_any_argument_is_checked_when_it_is_built():
    check_callbacks([{"LambdaCallback": {"on_thing": None}}, {"EarlyStopping": {"patience": 3}}])
