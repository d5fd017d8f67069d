"""Start of a run: what run.json records, and when a run is not continued."""

import shlex

import pytest

from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.training import TrainingRequest, run_start
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def begin(competition, request):
    return run_start.begin_run(competition, request, request.load_recipe(competition))


def test_run_records_the_command_that_started_it(folded):
    run_paths, missing = begin(folded, TrainingRequest(overrides={"training": {"epochs": 7}}, seed=3, given_name="one"))
    assert missing == [0, 1, 2]
    words = shlex.split(json_files.read(run_paths.metadata)["command"])
    assert words[:2] == ["make", "train"]
    expected = {"COMPETITION=small", "RECIPE=baseline", "SEEDS=3", "SET=training.epochs=7", "RUN=one"}
    assert set(words[2:]) == expected


def test_run_of_other_labels_is_not_continued(folded, monkeypatch):
    begin(folded, TrainingRequest(given_name="one"))
    metadata = run_start.run_metadata

    def other_labels(of_today):
        return of_today.model_copy(update={"labels_fingerprint": "0" * 16})

    monkeypatch.setattr(run_start, "run_metadata", lambda *given: other_labels(metadata(*given)))
    with refused("labels of the training set have changed since run 'one' was .* another name: .* RUN=new-name"):
        begin(folded, TrainingRequest(given_name="one"))


@pytest.mark.parametrize(
    ("folds", "requested", "missing"), [(None, [0, 1, 2], [0, 2]), ([2, 1], [2, 1], [2]), ([1], [1], [])]
)
def test_missing_folds_are_the_requested_ones_that_are_not_done(folded, folds, requested, missing):
    finished_run(folded, "one", folds=[1])
    request = TrainingRequest(given_name="one", fold_numbers=folds)
    assert list(run_start.requested_folds(folded, request)) == requested
    assert run_start.missing_fold_numbers(folded, request) == missing


def test_folds_hashed_by_an_earlier_version_keep_their_hash(folded):
    run_paths, _ = begin(folded, TrainingRequest(given_name="one"))
    earlier = {**json_files.read(run_paths.metadata), "folds_fingerprint": sha256(folded.paths.folds_table)}
    json_files.write(earlier, run_paths.metadata, sealed=True)
    begin(folded, TrainingRequest(given_name="one"))
    assert json_files.read(run_paths.metadata)["folds_fingerprint"] == earlier["folds_fingerprint"]


def test_run_of_another_recipe_is_not_continued(folded):
    begin(folded, TrainingRequest(given_name="one"))
    with refused("run.json: this run was started differently: seed"):
        begin(folded, TrainingRequest(given_name="one", seed=1))


def test_mistake_in_the_recipe_is_named_before_the_difference(folded):
    begin(folded, TrainingRequest(given_name="one"))
    with refused("nothing is trained"):
        begin(folded, TrainingRequest(given_name="one", overrides={"training": {"epochs": 0}}))


def test_trained_folds_without_run_json_are_not_taken_for_those_of_a_new_run(folded):
    finished_run(folded, "one")
    folded.paths.run("one").metadata.unlink()
    with refused(r"run\.json: missing, although folds are trained\. Restore it from a backup, or remove the whole"):
        begin(folded, TrainingRequest("simple_cnn", given_name="one"))
    assert not folded.paths.run("one").metadata.exists()
