"""The saved fitted ensemble: read as it was saved, and only while its inputs are unchanged."""

import numpy as np
import pytest

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.ensemble.fitted_ensemble import fitted_ensemble_of, read_fitted_ensemble, save_fitted_ensemble
from medfold.system import json_files
from tests.support.finished_runs import finished_run


@pytest.fixture
def runs_one_and_two(folded):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    return folded


@pytest.mark.parametrize("method", ["geometric", "rank"])
def test_saved_ensemble_predicts_the_same_after_reading(runs_one_and_two, method):
    found = ensemble_runs(runs_one_and_two, ["one", "two"], make_dataset(runs_one_and_two), method_name=method)
    save_fitted_ensemble(runs_one_and_two, found)
    original, read = fitted_ensemble_of(found), read_fitted_ensemble(runs_one_and_two, ["two", "one", "one"])
    stack = found.members.predictions
    np.testing.assert_array_equal(read.transform.apply(stack), original.transform.apply(stack))
    assert (read.title, read.run_names) == (original.title, ("one", "two"))
    assert (read.probability_transform is not None) == (method == "rank")
    if method == "rank":
        np.testing.assert_array_equal(read.probability_transform.apply(stack), stack.mean(axis=0))


def test_runs_are_read_in_the_order_in_which_they_were_saved(runs_one_and_two):
    found = ensemble_runs(runs_one_and_two, ["one", "two"], make_dataset(runs_one_and_two))
    save_fitted_ensemble(runs_one_and_two, found)
    metadata_file = runs_one_and_two.paths.runs / "one+two.ensemble.json"
    metadata = json_files.read(metadata_file)
    json_files.write({**metadata, "runs": ["two", "one"]}, metadata_file, sealed=True)
    assert read_fitted_ensemble(runs_one_and_two, ["one", "two"]).run_names == ("two", "one")
    json_files.write({**metadata, "runs": ["two", "other"]}, metadata_file, sealed=True)
    assert read_fitted_ensemble(runs_one_and_two, ["one", "two"]) is None


def test_ensemble_of_an_earlier_version_is_read(runs_one_and_two):
    found = ensemble_runs(runs_one_and_two, ["one", "two"], make_dataset(runs_one_and_two), method_name="rank")
    save_fitted_ensemble(runs_one_and_two, found)
    metadata_file = runs_one_and_two.paths.runs / "one+two.ensemble.json"
    current, former = (metadata_file.with_suffix(f".{word}.npz") for word in ("probabilities", "probable"))
    current.rename(former)
    metadata = json_files.read(metadata_file)
    metadata["files"][former.name] = metadata["files"].pop(current.name)
    del metadata["runs"]
    json_files.write(metadata, metadata_file, sealed=True)
    read = read_fitted_ensemble(runs_one_and_two, ["two", "one"])
    assert read.probability_transform is not None
    assert read.run_names == ("one", "two")
    save_fitted_ensemble(runs_one_and_two, found)
    assert (current.is_file(), former.is_file()) == (True, False)


def test_ensemble_is_none_without_a_file_or_for_other_runs(runs_one_and_two):
    assert read_fitted_ensemble(runs_one_and_two, ["one", "two"]) is None
    found = ensemble_runs(runs_one_and_two, ["one", "two"], make_dataset(runs_one_and_two))
    save_fitted_ensemble(runs_one_and_two, found)
    assert read_fitted_ensemble(runs_one_and_two, ["one", "two"]).title == fitted_ensemble_of(found).title
    assert read_fitted_ensemble(runs_one_and_two, ["one"]) is None


def test_ensemble_is_none_once_an_input_or_the_file_has_changed(runs_one_and_two):
    found = ensemble_runs(runs_one_and_two, ["one"], make_dataset(runs_one_and_two))
    file = runs_one_and_two.paths.run("one").folder / "ensemble.npz"
    for changed in (
        runs_one_and_two.project_paths.root / next(iter(found.input_hashes)),
        file,
        file.with_suffix(".json"),
    ):
        save_fitted_ensemble(runs_one_and_two, found)
        assert read_fitted_ensemble(runs_one_and_two, ["one"]).title == fitted_ensemble_of(found).title
        content = changed.read_bytes()
        changed.write_bytes(content[:-10])
        assert read_fitted_ensemble(runs_one_and_two, ["one"]) is None
        changed.write_bytes(content)
