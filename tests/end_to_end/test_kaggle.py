"""The make targets against an imitated Kaggle on 127.0.0.1, reached by environment variables alone."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.support.chest_xrays import chest
from tests.support.helpers import zipped
from tests.support.histology import auc_of, histology
from tests.support.kaggle_server import HostedCompetition, HostedDataset, drop, status
from tests.support.make_targets import make, succeed

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
NAME = "histopathologic-cancer-detection"
TINY = "backbone.width=4 training.epochs=1 preparation.size=16 training.batch_size=16"


def host_histology(kaggle, entered):
    """Adds the histology competition to the imitated Kaggle."""
    content, truth = histology(60, 20)
    hosted = kaggle.competitions[NAME] = HostedCompetition(
        files=content, archive=zipped(content), judge=auc_of(truth), polls=1, entered=entered
    )
    return hosted


@pytest.mark.slow
def test_download_waits_for_the_rules_and_outlasts_faults(kaggle, clone):
    hosted = host_histology(kaggle, entered=False)
    refused = make(clone, "download", f"COMPETITION={NAME}")
    assert refused.returncode == 2
    assert f"https://www.kaggle.com/competitions/{NAME}/rules" in refused.stderr
    hosted.entered = True
    kaggle.fault("DownloadDataFiles", status(503))
    kaggle.fault("storage", drop(after=400_000))
    page = f"COMPETITION=https://www.kaggle.com/competitions/{NAME}/overview"
    assert "60 training and 20 test images" in succeed(clone, "download", page)
    assert "complete: 82 files" in succeed(clone, "download", f"COMPETITION={NAME}")


@pytest.mark.slow
def test_competition_is_trained_submitted_once_and_scored(kaggle, clone):
    host_histology(kaggle, entered=True)
    words = [f"COMPETITION={NAME}"]
    succeed(clone, "download", *words)
    succeed(clone, "train", *words, "FOLD=all", f"SET={TINY}", "RUN=tiny")
    assert "dry run" in succeed(clone, "submit", *words, "RUNS=tiny", "DRY_RUN=1")
    assert kaggle.submissions == []
    assert "uploaded as 41000001" in succeed(clone, "submit", *words, "RUNS=tiny")
    row = pd.read_csv(clone / "submissions" / "ledger.csv").iloc[0]
    assert row["public"] == pytest.approx(float(kaggle.submissions[0]["verdict"]["publicScore"]))
    assert (row["ref"], row["status"], row["trained_folds"]) == (41000001, "scored", "0 1 2 3 4")
    assert "already in" in succeed(clone, "submit", *words, "RUNS=tiny")
    assert len(kaggle.submissions) == 1
    assert NAME in succeed(clone, "scores")
    assert "5 submissions left today" in succeed(clone, "doctor", *words)


@pytest.mark.slow
def test_data_set_is_downloaded_trained_and_scored_locally(kaggle, clone, tmp_path):
    chest(tmp_path / "chest_xray")
    content = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in (tmp_path / "chest_xray").rglob("*.jpeg")
    }
    kaggle.datasets["paultimothymooney/chest-xray-pneumonia"] = HostedDataset(archive=zipped(content))
    facts = clone / "competition" / "chest-xray-pneumonia" / "competition.yaml"
    small = facts.read_text().replace("{train: 5216, test: 640}", "{train: 101, test: 16}").replace("k: 5", "k: 2")
    facts.write_text(small)
    words = ["COMPETITION=chest-xray-pneumonia"]
    assert "101 training and 16 test images" in succeed(clone, "download", *words)
    succeed(clone, "train", *words, "FOLD=all", f"SET={TINY}", "RUN=tiny")
    assert "test score" in succeed(clone, "submit", *words, "RUNS=tiny", "FORCE=1")
    assert np.isfinite(pd.read_csv(clone / "submissions" / "ledger.csv")["private"].iloc[0])


@pytest.mark.slow
def test_make_download_fetches_single_files(kaggle, clone):
    content, _ = histology(6, 4)
    kaggle.competitions[NAME] = HostedCompetition(files=content)
    said = succeed(clone, "download", f"COMPETITION={NAME}", "FILES=*.csv test/*")
    assert "6 requested files are in" in said
    raw = clone / "data" / NAME / "raw"
    assert sorted(os.listdir(raw)) == ["sample_submission.csv", "test", "train_labels.csv"]  # noqa: PTH208
