"""The dataset of runs: made again where files are missing, after the checks of the facts."""

import pandas as pd
import pytest

from medfold.runs.checks import checked_dataset
from medfold.runs.checks.checked_dataset import dataset_of_runs
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_missing_folds_and_measurements_are_made_again_and_are_equal(folded):
    finished_run(folded)
    paths = folded.paths
    before, table = dataset_of_runs(folded, ["baseline"]), paths.folds_table.read_bytes()
    paths.folds_table.unlink()
    paths.measurements.unlink()
    after = dataset_of_runs(folded, ["baseline"])
    assert paths.folds_table.read_bytes() == table
    pd.testing.assert_frame_equal(after.train, before.train)


def test_changed_fact_is_reported_before_anything_is_made(folded, monkeypatch):
    finished_run(folded)
    run = folded.paths.run("baseline")
    metadata = json_files.read(run.metadata)
    metadata["facts"]["images"]["symmetry"] = "none"
    json_files.write(metadata, run.metadata, sealed=True)
    monkeypatch.setattr(checked_dataset, "make_dataset", lambda *_: pytest.fail("made before the check"))
    with refused("run 'baseline' was trained with 'images.symmetry': none, now it is"):
        dataset_of_runs(folded, ["baseline"])
