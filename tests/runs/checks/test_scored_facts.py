"""The facts that a score was computed with: those of the training, with the score's own settings."""

import pytest

from medfold.competition import Competition
from medfold.runs import labels_fingerprint
from medfold.runs.checks.scored_facts import facts_of_score
from medfold.runs.run import Run
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def facts_after(folded):
    """Returns a function that changes current facts, and then takes the facts of a score with these settings."""
    finished_run(folded, "one")
    labels = labels_fingerprint(folded)

    def facts_after(settings=None, labels=labels, **changes):
        values = folded.facts.model_dump()
        changed = {key: values[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
        current = type(folded.facts).model_validate(values | changed)
        competition = Competition(folded.project_paths, folded.paths, current)
        return facts_of_score(competition, Run.open(folded, "one"), settings, labels)

    return facts_after


def test_facts_of_the_training_are_used(facts_after, folded):
    assert facts_after(images={"symmetry": "none"}, folds={"k": 4}) == folded.facts


def test_score_keeps_its_own_settings(facts_after, folded):
    settings = folded.facts.model_dump(include={"score", "submission"})
    settings["score"]["more_metrics"] = ["accuracy"]
    assert facts_after(settings).score.more_metrics == ("accuracy",)


def test_score_of_an_earlier_version_has_the_current_settings(facts_after):
    assert facts_after(score={"metric": "log_loss"}).score.metric == "log_loss"


def test_classes_may_be_in_another_order_but_not_others(facts_after):
    assert facts_after(classes=["1", "0"]).class_names == ["0", "1"]
    with refused("run 'one' was trained with 'classes'"):
        facts_after(classes=["0", "2"])


def test_other_unit_or_labels_are_refused(facts_after):
    with refused("run 'one' was trained with 'score.unit'"):
        facts_after(score={"unit": "{patient_id}"})
    with refused("labels of the training set have changed since run 'one'"):
        facts_after(labels="0" * 16)
