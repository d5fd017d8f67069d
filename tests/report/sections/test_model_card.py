"""The model card: use, description and limits."""

from types import SimpleNamespace

import pandas as pd
import pytest

from medfold.report.sections.model_card import model_card_section
from tests.support.helpers import an_oof_score, competition_facts

SCORE = an_oof_score(trained_folds=[0], num_units=2)
UNKNOWN_PATIENTS = "competition.yaml names no patients: images of one may be in several folds"


@pytest.fixture
def card():
    """Returns a function that describes an ensemble of these runs, for facts with these changes."""

    def run(run_names, **changes):
        facts = competition_facts(**changes)
        method = SimpleNamespace(title="arithmetic mean")
        method_choice = SimpleNamespace(chosen=SimpleNamespace(method=method))
        ensemble = SimpleNamespace(run_names=run_names, score=SCORE, method_choice=method_choice)
        train = pd.DataFrame({"unit": ["a", "b", "c"], "group": [0, 0, 1]})
        section = model_card_section(SimpleNamespace(facts=facts), SimpleNamespace(train=train), ensemble)
        assert [part["text"] for part in section.parts if part["kind"] == "heading"] == [
            "Intended use",
            "Model description",
            "Limits",
        ]
        return [part["content"] for part in section.parts if part["kind"] == "list"]

    return run


def test_use_is_research_and_not_diagnosis(card):
    use, _, _ = card(["baseline"])
    assert use[0] == "Competitions and research on: test."
    assert use[1].startswith("Not for the diagnosis of patients, and not a medical device")


def test_description_has_runs_method_classes_counts_and_score(card):
    _, description, _ = card(["baseline", "mobilenet"], task="multiclass", classes=["no", "mild", "severe"])
    assert description[:4] == [
        "Runs baseline, mobilenet: a convolutional net per fold.",
        "Combined by: arithmetic mean.",
        "Task multiclass: no, mild, severe.",
        "Trained on 3 images of 2 groups.",
    ]
    assert description[4].startswith("Out of fold: AUC 0.9000 (95 % interval 0.8000 to 0.9500)")
    assert card(["baseline"])[1][0] == "Run baseline: a convolutional net per fold."


@pytest.mark.parametrize(
    ("labels", "is_limit"),
    [
        ({"targets": ["target"]}, True),
        ({"targets": ["target"], "group": "patient"}, False),
        ({"targets": ["target"], "group_pattern": "[^_]+"}, False),
    ],
)
def test_unknown_patients_are_the_second_limit(card, labels, is_limit):
    limits = card(["baseline"], labels=labels)[2]
    assert limits[1].startswith(UNKNOWN_PATIENTS) is is_limit
    assert len(limits) == 4 + is_limit
