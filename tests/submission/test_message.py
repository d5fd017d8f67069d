"""Message of a submission on Kaggle, and the content id in it."""

from dataclasses import replace
from types import SimpleNamespace

from medfold.submission.message import describe_submission, make_content_id
from tests.support.helpers import an_oof_score, competition_facts


def runs(*names: str) -> SimpleNamespace:
    return SimpleNamespace(run_names=list(names), score=an_oof_score(value=0.91234))


def test_content_id_of_a_notebook_is_that_of_earlier_versions():
    """A submission that an earlier version uploaded is found again: its id was made from other names of the keys."""
    score = an_oof_score(per_fold={"0": 0.9}, low=None, high=None, num_units=8, trained_folds=[0])
    score = replace(score, more_metrics={"accuracy": 0.5}, ensemble={"method": "mean"})
    ensemble = SimpleNamespace(score=score, input_hashes={"a.csv": "cd"})
    assert make_content_id(competition_facts(upload="notebook"), "ab", ensemble) == "folds 827fab49b6fe"


def test_message_has_runs_score_folds_and_content_id(small):
    message = describe_submission(small, runs("a", "b"), "file 12ab")
    assert message.startswith("medfold a+b, OOF AUC 0.9123, 2 of 3 folds, ")
    assert message.endswith(", file 12ab")


def test_many_run_names_are_shortened_but_not_the_content_id(small):
    message = describe_submission(small, runs(*(f"run-{number}" for number in range(99))), "file 12ab")
    assert "..., OOF AUC 0.9123" in message
    assert message.endswith(", file 12ab")
    assert len(message) < 300


def ensemble(**changes) -> SimpleNamespace:
    return SimpleNamespace(
        **{"score": an_oof_score(), "input_hashes": {"runs/small/a/fold0/test.csv": "0f"}, **changes}
    )


def test_content_of_a_file_is_identified_by_its_hash():
    facts = competition_facts(upload="csv", source={"kind": "kaggle", "slug": "a"})
    assert make_content_id(facts, "0123456789abcdef", ensemble()) == "file 0123456789ab"
    assert make_content_id(facts, "0123456789abcdef", ensemble(input_hashes={})) == "file 0123456789ab"


def test_content_of_a_notebook_is_identified_by_folds_and_score_but_not_by_facts():
    facts = competition_facts(upload="notebook", source={"kind": "kaggle", "slug": "a"})
    first = make_content_id(facts, "0123", ensemble())
    assert first.startswith("folds ")
    other_facts = ensemble(score=an_oof_score(facts={"score": {}}))
    assert make_content_id(facts, "0123", other_facts) == first
    others = [
        make_content_id(facts, "4567", ensemble()),
        make_content_id(facts, "0123", ensemble(input_hashes={})),
        make_content_id(facts, "0123", ensemble(score=an_oof_score(value=0.8))),
    ]
    assert len({first, *others}) == 4
