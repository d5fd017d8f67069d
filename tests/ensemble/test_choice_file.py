"""The saved choice of an ensemble: read as it was saved, and only while its inputs are unchanged."""

import numpy as np
import pytest

from medfold.data.dataset import load_dataset
from medfold.ensemble.choice_file import choice_of_ensemble, read_choice, save_choice
from medfold.ensemble.ensemble import ensemble_runs
from medfold.system import files
from tests.support.finished_runs import finished_run


@pytest.fixture
def two_runs(folded):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    return folded


@pytest.mark.parametrize("method", ["geometric", "rank"])
def test_saved_choice_predicts_the_same_after_reading(two_runs, method):
    found = ensemble_runs(two_runs, ["one", "two"], load_dataset(two_runs), method=method)
    save_choice(two_runs, found)
    original, read = choice_of_ensemble(found), read_choice(two_runs, ["two", "one", "one"])
    stack = found.members.predictions
    np.testing.assert_array_equal(read.fitted.apply(stack), original.fitted.apply(stack))
    assert read.title == original.title
    assert (read.probabilities is not None) == (method == "rank")
    if method == "rank":
        np.testing.assert_array_equal(read.probabilities.apply(stack), stack.mean(axis=0))


def test_choice_of_an_earlier_version_is_read(two_runs):
    found = ensemble_runs(two_runs, ["one", "two"], load_dataset(two_runs), method="rank")
    save_choice(two_runs, found)
    metadata_file = two_runs.paths.runs / "one+two.ensemble.json"
    current, former = (metadata_file.with_suffix(f".{word}.npz") for word in ("probabilities", "probable"))
    current.rename(former)
    metadata = files.read_json(metadata_file)
    metadata["files"][former.name] = metadata["files"].pop(current.name)
    files.write_json(metadata, metadata_file, sealed=True)
    assert read_choice(two_runs, ["one", "two"]).probabilities is not None
    save_choice(two_runs, found)
    assert (current.is_file(), former.is_file()) == (True, False)


def test_choice_is_none_without_a_file_or_for_other_runs(two_runs):
    assert read_choice(two_runs, ["one", "two"]) is None
    found = ensemble_runs(two_runs, ["one", "two"], load_dataset(two_runs))
    save_choice(two_runs, found)
    assert read_choice(two_runs, ["one", "two"]).title == choice_of_ensemble(found).title
    assert read_choice(two_runs, ["one"]) is None


def test_choice_is_none_once_an_input_or_the_file_has_changed(two_runs):
    found = ensemble_runs(two_runs, ["one"], load_dataset(two_runs))
    file = two_runs.paths.run("one").folder / "ensemble.npz"
    for changed in (two_runs.project_paths.root / next(iter(found.input_hashes)), file, file.with_suffix(".json")):
        save_choice(two_runs, found)
        assert read_choice(two_runs, ["one"]).title == choice_of_ensemble(found).title
        content = changed.read_bytes()
        changed.write_bytes(content[:-10])
        assert read_choice(two_runs, ["one"]) is None
        changed.write_bytes(content)
