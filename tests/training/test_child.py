"""Work in a child process: what standard input requests is carried out."""

import os
import sys

import pytest

from medfold.paths import FoldPaths
from medfold.system.reporting_processes import CrashedError, ReportingProcesses
from medfold.training import child, fold_training
from medfold.training.fold_training import FoldTraining


def test_requested_fold_is_trained_with_the_plugins(small, monkeypatch):
    trained, used = [], []
    monkeypatch.setattr(fold_training, "train_missing", lambda trainings: trained.extend(trainings) or [])
    monkeypatch.setattr(fold_training, "use_plugins", used.append)
    monkeypatch.setattr(child, "report", lambda work: work(training, print) or 0)
    training = FoldTraining(None, 1, FoldPaths(small.paths.run("one").fold(1).folder), small.paths.plugins)
    assert child.main() == 0
    assert (trained, used) == ([training], [small.paths.plugins])


@pytest.mark.slow
def test_module_reads_its_request_from_standard_input(small):
    """A request that is no work: the real child ends with an error, and its last line says why."""
    children = ReportingProcesses("medfold.training.child", small.project_paths.root)
    with pytest.raises(CrashedError, match="AttributeError: 'int' object has no attribute 'carry_out'"):
        children.run(7, {"PYTHONPATH": os.pathsep.join(sys.path)}, print)
