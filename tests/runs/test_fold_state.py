"""A fold is trained if its marker and all files that it lists are intact."""

import pytest

from medfold.runs.fold_state import (
    check_folds_exist,
    fold_states,
    is_fold_trained,
    mark_fold_trained,
    trained_folds,
)
from medfold.system import files, json_files
from medfold.system.hashes import sha256
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_fold_is_done_only_if_hashes_match(small):
    fold = small.paths.run("baseline").fold(0)
    assert not is_fold_trained(fold)
    files.write_text("id\n", fold.oof)
    mark_fold_trained(fold, [fold.oof])
    assert json_files.read(fold.trained_marker) == {"oof.csv": sha256(fold.oof)}
    assert is_fold_trained(fold)
    files.write_text("id\nx\n", fold.oof)
    assert not is_fold_trained(fold)


def test_fold_with_invalid_done_file_is_not_done(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content in ("{", "[]", "", "{}", '{"oof.csv": 1}', '{"../../oof.csv": "0"}'):
        paths.fold(1).trained_marker.write_text(content)
        assert trained_folds(paths, 3) == [0, 2]


@pytest.mark.parametrize("number", [-1, 3])
def test_fold_that_does_not_exist_is_refused(number):
    with refused(f"FOLD={number}: there is no fold {number}. Choose 0 to 2, or all"):
        check_folds_exist([0, number], 3, "0 to 2, or all")


def test_folds_that_exist_are_not_refused():
    check_folds_exist([], 3, "0 to 2, or all")
    check_folds_exist([0, 1, 2], 3, "0 to 2, or all")


def test_states_of_the_folds_are_trained_damaged_or_neither(folded):
    finished_run(folded, "one", folds=[0, 2])
    run = folded.paths.run("one")
    assert fold_states(run, 3) == ([0, 2], {})
    run.fold(2).test.write_text("id\n")
    assert fold_states(run, 3) == ([0], {2: ["test.csv"]})
    for number in (0, 2):
        run.fold(number).trained_marker.unlink()
    assert fold_states(run, 3) == ([], {})
