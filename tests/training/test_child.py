"""Work in a child process: what standard input requests is carried out, and reported by messages."""

import os
import sys

import pytest

from medfold.system.reporting_processes import CrashedError, ReportingProcesses
from medfold.training import FoldInputs, FoldTrainings
from tests.support.finished_runs import finished_run
from tests.support.small_tasks import task

pytestmark = pytest.mark.slow


@pytest.fixture
def run_child(small):
    """Returns a function that runs a real child, and returns its messages."""

    def run_child(work):
        messages = []
        children = ReportingProcesses("medfold.training.child", small.project_paths.root)
        children.run(work, {"PYTHONPATH": os.pathsep.join(sys.path)}, messages.append)
        return messages

    return run_child


def test_each_trained_fold_is_reported(small, run_child):
    finished_run(small, "one", folds=[2])
    small.paths.plugins.write_text("from medfold.terminal.console import say\nsay('plugins', 'are used')\n")
    run_paths = small.paths.run("one")
    folds = [FoldInputs(task(epochs=1), number, run_paths.fold(number)) for number in (0, 2)]
    messages = run_child(FoldTrainings(folds, small.paths.plugins))
    topics = [message["topic"] for message in messages if "topic" in message]
    assert topics[0] == "plugins"
    assert set(topics[1:]) == {"fold 0"}  # fold 2 is trained already
    assert [message for message in messages if "trained" in message] == [{"trained": 0}, {"trained": 2}]
    assert run_paths.fold(0).trained_marker.is_file()


def test_request_that_is_no_work_ends_with_an_error(run_child):
    with pytest.raises(CrashedError, match="AttributeError: 'int' object has no attribute 'carry_out'"):
        run_child(7)
