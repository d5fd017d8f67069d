"""Training of a head on the features of a frozen backbone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medfold.paths import FoldPaths
from medfold.prediction import Predictor, load_net
from medfold.system import array_files, hardware
from medfold.training import FeatureComputation, FoldInputs, features_hashes_path
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.checkpoint import Checkpoint
from tests.support.small_tasks import result_files, task, with_pretrained_backbone


@pytest.mark.slow
def test_frozen_features_are_computed_once_for_all_folds(tmp_path, pretrained, capsys):
    made = with_pretrained_backbone(
        pretrained, task("ordinal"), tmp_path / "features.npy", head_epochs=15, epochs=0, head_learning_rate=0.05
    )
    made = replace(made, recipe=made.recipe.model_copy(update={"augment": "light"}))
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "fold0")))
    assert "70 images in 2 views, 1,280 numbers each, kept for all folds" in capsys.readouterr().out
    features = np.load(tmp_path / "features.npy")
    assert features.shape == (70, 2, 1280)
    history = pd.read_csv(tmp_path / "fold0" / "history.csv")
    assert history["phase"].eq("head").all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    # The weights of the whole net are saved, and predict the same from the pixels.
    net = load_net(made.facts, made.recipe, tmp_path / "fold0" / "net.weights.h5")
    predictor = Predictor(net, "horizontal", tta=True)
    oof = pd.read_csv(tmp_path / "fold0" / "oof.csv")
    rows = made.store.rows_of(oof["id"])
    np.testing.assert_allclose(predictor(made.store.pixels, rows), oof[["0", "1", "2"]].to_numpy(), atol=1e-4)
    # Another fold, and the same one again, compute no features.
    written = made.features_file.stat().st_mtime_ns
    train_fold(FoldInputs(made, 1, FoldPaths(tmp_path / "fold1")))
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "again")))
    assert made.features_file.stat().st_mtime_ns == written
    assert result_files(tmp_path / "again") == result_files(tmp_path / "fold0")


@pytest.mark.slow
def test_two_gpus_compute_features_of_the_same_bytes(tmp_path, pretrained, monkeypatch, capfd):
    computed = {}
    for gpus in ([], ["0", "1"]):
        monkeypatch.setattr(hardware, "cuda_devices", lambda gpus=gpus: gpus)
        file = tmp_path / f"on {len(gpus)} gpus" / "features.npy"
        made = with_pretrained_backbone(pretrained, task(), file, head_epochs=1)
        FeatureComputation(made).carry_out()  # of 70 images: a batch of 64 and one of 6
        computed[len(gpus)] = file.read_bytes()
        assert array_files.is_intact(file, features_hashes_path(file))
        assert ("features   2 GPUs, a process for each" in capfd.readouterr().out) == bool(gpus)
    assert computed[0] == computed[2]
    features = np.load(tmp_path / "on 2 gpus" / "features.npy")
    assert features.shape == (70, 2, 1280)
    assert (features != 0).any(axis=(1, 2)).all()


@pytest.mark.slow
def test_head_and_all_phases_resume_with_same_bytes(tmp_path, pretrained, monkeypatch):
    made = with_pretrained_backbone(
        pretrained, task(), tmp_path / "features.npy", head_epochs=3, epochs=2, head_learning_rate=0.02
    )
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "whole")))
    history = pd.read_csv(tmp_path / "whole" / "history.csv")
    assert history["phase"].tolist() == ["head"] * 3 + ["all"] * 2
    assert history["epoch"].tolist() == [1, 2, 3, 1, 2]
    monkeypatch.setattr(Checkpoint, "is_due", lambda self, is_epoch_end: True)
    steps, step = [0], BatchTrainer.__call__
    for kill in (9, 18):  # in the phase of the head, in the phase of the whole net

        def killed(self, *batch, at=kill):
            steps[0] += 1
            if steps[0] == at:
                raise KeyboardInterrupt
            return step(self, *batch)

        steps[0] = 0
        monkeypatch.setattr(BatchTrainer, "__call__", killed)
        with pytest.raises(KeyboardInterrupt):
            train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / f"killed{kill}")))
        monkeypatch.setattr(BatchTrainer, "__call__", step)
        train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / f"killed{kill}")))
        assert result_files(tmp_path / f"killed{kill}") == result_files(tmp_path / "whole")
