"""Which scores of runs compare with each other."""

import pytest

from medfold.competition import Competition
from medfold.runs.checks.comparability import ScoreReader, has_other_scoring
from medfold.runs.fold_state import fold_states
from medfold.runs.run import Run
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import an_oof_score, competition_facts


@pytest.fixture
def problem(folded):
    """Returns a function that tells why the score of the run does not compare: by facts, labels and folds of today."""
    finished_run(folded, "one")

    def problem(labels="", has_current_folds=True, **facts):
        values = folded.facts.model_dump()
        changed = {key: values[key] | value for key, value in facts.items()}
        today = Competition(folded.project_paths, folded.paths, type(folded.facts).model_validate(values | changed))
        run = Run.open(folded, "one")
        reader = ScoreReader(today, labels or run.metadata.labels_fingerprint)
        score, text = reader.read(run, fold_states(run.paths, run.num_folds), has_current_folds)
        assert (score is None) == bool(text)
        return text

    return problem


def test_score_of_todays_facts_labels_and_folds_compares(problem):
    assert problem() == ""


def test_reader_knows_the_labels_of_today(folded):
    finished_run(folded, "one")
    assert ScoreReader.of(folded).labels_fingerprint == Run.open(folded, "one").metadata.labels_fingerprint


def test_first_reason_against_a_comparison_is_told(problem, folded):
    assert problem(images={"symmetry": "none"}) == "trained with a different images.symmetry"
    assert problem(labels="0" * 16) == "trained on other labels"
    assert problem(score={"metric": "log_loss"}) == "scored by auc"
    folded.paths.run("one").score.unlink()
    assert problem() == "score.json is missing: make train computes it again"


def test_older_folds_may_have_another_number(problem):
    assert problem(folds={"k": 4}) == "trained with a different folds.k"
    assert problem(folds={"k": 4}, has_current_folds=False) == ""


def test_score_of_other_folds_than_are_trained_is_outdated(problem, folded):
    folded.paths.run("one").fold(2).trained_marker.unlink()
    assert problem() == "outdated score: make train computes it again"


def test_facts_that_are_no_longer_valid_are_a_reason(problem, folded):
    metadata = folded.paths.run("one").metadata
    recorded = json_files.read(metadata)
    json_files.write({**recorded, "facts": recorded["facts"] | {"task": "ordinal"}}, metadata, sealed=True)
    assert problem() == "trained with facts that are no longer valid"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, False), ({"beta": 2}, True), ({"weights": {"a": 2.0}}, True), ({"more_metrics": ["accuracy"]}, False)],
)
def test_other_beta_or_weights_are_another_scoring(changes, expected):
    facts = competition_facts()
    saved = facts.model_dump(mode="json", include={"score"})["score"]
    assert has_other_scoring(an_oof_score(facts={"score": {**saved, **changes}}), facts) is expected


def test_score_of_an_earlier_version_has_no_facts_to_compare():
    assert has_other_scoring(an_oof_score(facts=None), competition_facts()) is False
