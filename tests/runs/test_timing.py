"""Training time of runs."""

import pytest

from medfold.runs.timing import training_seconds
from medfold.system import files, json_files
from tests.support.helpers import refused


def test_training_seconds_of_the_folds_are_summed(small):
    run = small.paths.run("one")
    assert training_seconds([run], 3) is None
    for fold, seconds in ((0, 1.5), (2, 4.0)):
        json_files.write({"seconds": seconds}, run.fold(fold).timing)
    assert training_seconds([run], 3) == 5.5
    assert training_seconds([run], 2) == 1.5


@pytest.mark.parametrize("seconds", ["NaN", "-1", "1" + "0" * 400])
def test_training_seconds_that_are_no_duration_are_refused(small, seconds):
    run = small.paths.run("one")
    files.write_text(f'{{"seconds": {seconds}}}', run.fold(0).timing)
    with refused(r"timing\.json: the value of 'seconds' is missing or is not what medfold writes"):
        training_seconds([run], 3)
