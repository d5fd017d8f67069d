"""Training in a child process: it trains the fold that is requested, and reports by messages."""

import os
import sys

import pytest

from medfold.paths import FoldPaths
from medfold.system.reporting_processes import ReportingProcesses
from medfold.training import child
from medfold.training.fold_training import FoldTraining


@pytest.fixture
def trained(monkeypatch):
    """The fold trainings that the child begins; the training is imitated."""
    begun = []
    monkeypatch.setattr(child, "train_fold_once", begun.append)
    return begun


def test_requested_fold_is_trained_with_the_plugins(trained, small, monkeypatch):
    used = []
    monkeypatch.setattr(child, "use_plugins", used.append)
    monkeypatch.setattr(child, "report", lambda work: work(training, print) or 0)
    training = FoldTraining(None, 1, FoldPaths(small.paths.run("one").fold(1).folder), small.paths.plugins)
    assert child.main() == 0
    assert (trained, used) == ([training], [small.paths.plugins])


@pytest.mark.slow
def test_module_reads_its_request_from_standard_input(small):
    """A request that is no fold: the real child ends with an error, and its last line says why."""
    children = ReportingProcesses("medfold.training.child", small.project_paths.root)
    with pytest.raises(Exception, match="AttributeError: 'int' object has no attribute 'plugins'"):
        children.run(7, {"PYTHONPATH": os.pathsep.join(sys.path)}, print)
