"""Work in a child process: what standard input requests is carried out."""

import os
import sys

import pytest

from medfold.system.reporting_processes import CrashedError, ReportingProcesses
from medfold.training import child, fold_training
from medfold.training.fold_inputs import FoldInputs
from medfold.training.fold_training import FoldTrainings


def test_requested_folds_are_trained_with_the_plugins_and_reported(small, monkeypatch):
    used, sent = [], []
    monkeypatch.setattr(fold_training, "train_missing", iter)
    monkeypatch.setattr(fold_training, "use_plugins", used.append)
    monkeypatch.setattr(child, "report", lambda work: work(work_of_child, lambda **message: sent.append(message)) or 0)
    folds = [FoldInputs(None, number, small.paths.run("one").fold(number)) for number in (0, 2)]
    work_of_child = FoldTrainings(folds, small.paths.plugins)
    assert child.main() == 0
    assert (sent, used) == ([{"trained": 0}, {"trained": 2}], [small.paths.plugins])


@pytest.mark.slow
def test_module_reads_its_request_from_standard_input(small):
    """A request that is no work: the real child ends with an error, and its last line says why."""
    children = ReportingProcesses("medfold.training.child", small.project_paths.root)
    with pytest.raises(CrashedError, match="AttributeError: 'int' object has no attribute 'carry_out'"):
        children.run(7, {"PYTHONPATH": os.pathsep.join(sys.path)}, print)
