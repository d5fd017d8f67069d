"""Start of a run: what run.json records, and when a run is not continued."""

import shlex

import pytest

from medfold.errors import UserError
from medfold.system import files
from medfold.training import run_start
from medfold.training.request import TrainingRequest


def begin(competition, request):
    return run_start.begin_run(competition, request, request.load_recipe(competition))


def test_run_records_the_command_that_started_it(folded):
    run_paths, missing = begin(folded, TrainingRequest(overrides={"training": {"epochs": 7}}, seed=3, run="one"))
    assert missing == [0, 1, 2]
    words = shlex.split(files.read_json(run_paths.metadata)["command"])
    assert words[:2] == ["make", "train"]
    expected = {"COMPETITION=small", "RECIPE=baseline", "SEEDS=3", "SET=training.epochs=7", "RUN=one"}
    assert set(words[2:]) == expected


def test_run_of_other_labels_is_not_continued(folded, monkeypatch):
    begin(folded, TrainingRequest(run="one"))
    metadata = run_start.run_metadata
    monkeypatch.setattr(run_start, "run_metadata", lambda *given: {**metadata(*given), "labels_fingerprint": "0" * 16})
    with pytest.raises(UserError, match="one: the training labels differ from those .* another name: RUN=new-name"):
        begin(folded, TrainingRequest(run="one"))
