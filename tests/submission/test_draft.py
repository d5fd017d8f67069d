"""The content id of a submission, and the message that is shown with it at Kaggle."""

from types import SimpleNamespace

from medfold.submission.draft import _content_id, submission_message
from tests.support.helpers import competition


def runs(*names: str) -> SimpleNamespace:
    score = {"metric": "auc", "value": 0.91234, "folds_done": [0, 2]}
    return SimpleNamespace(run_names=list(names), score=score)


def test_content_id_of_a_notebook_is_that_of_earlier_versions():
    """A submission that an earlier version uploaded is found again: its id was made from other names of the keys."""
    scores = {"metric": "auc", "value": 0.9, "per_fold": {"0": 0.9}, "low": None, "high": None}
    counts = {"num_units": 8, "folds_done": [0], "is_optimistic": False, "more_metrics": {"accuracy": 0.5}}
    ensemble = SimpleNamespace(
        score={**scores, **counts, "facts": {}, "ensemble": {"method": "mean"}}, inputs={"a.csv": "cd"}
    )
    assert _content_id(competition(upload="notebook"), "ab", ensemble) == "folds 827fab49b6fe"


def test_message_has_runs_score_folds_and_content_id(small):
    message = submission_message(small, runs("a", "b"), "file 12ab")
    assert message.startswith("medfold a+b, OOF AUC 0.9123, 2 of 3 folds, ")
    assert message.endswith(", file 12ab")


def test_many_run_names_are_shortened_but_not_the_content_id(small):
    message = submission_message(small, runs(*(f"run-{number}" for number in range(99))), "file 12ab")
    assert "..., OOF AUC 0.9123" in message
    assert message.endswith(", file 12ab")
    assert len(message) < 300
