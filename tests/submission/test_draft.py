"""The message that is shown with a submission at Kaggle."""

from types import SimpleNamespace

from medfold.submission.draft import submission_message


def runs(*names: str) -> SimpleNamespace:
    score = {"metric": "auc", "value": 0.91234, "folds_done": [0, 2]}
    return SimpleNamespace(run_names=list(names), score=score)


def test_message_has_runs_score_folds_and_content_id(small):
    message = submission_message(small, runs("a", "b"), "file 12ab")
    assert message.startswith("medfold a+b, OOF AUC 0.9123, 2 of 3 folds, ")
    assert message.endswith(", file 12ab")


def test_many_run_names_are_shortened_but_not_the_content_id(small):
    message = submission_message(small, runs(*(f"run-{number}" for number in range(99))), "file 12ab")
    assert "..., OOF AUC 0.9123" in message
    assert message.endswith(", file 12ab")
    assert len(message) < 300
