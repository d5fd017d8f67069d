"""A submission before its upload: its content id, its message on Kaggle, and scores that are refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from medfold.submission import draft
from medfold.submission.draft import _content_id, _message, check_better_than_chance
from medfold.system.hashes import sha256_of_text
from tests.support.helpers import an_oof_score, competition_facts, refused
from tests.support.submissions import IDS, sample


def runs(*names: str) -> SimpleNamespace:
    return SimpleNamespace(run_names=list(names), score=an_oof_score(value=0.91234))


def test_content_id_of_a_notebook_is_that_of_earlier_versions():
    """A submission that an earlier version uploaded is found again: its id was made from other names of the keys."""
    score = an_oof_score(per_fold={"0": 0.9}, low=None, high=None, num_units=8, trained_folds=[0])
    score = replace(score, more_metrics={"accuracy": 0.5}, ensemble={"method": "mean"})
    ensemble = SimpleNamespace(score=score, input_hashes={"a.csv": "cd"})
    assert _content_id(competition_facts(upload="notebook"), "ab", ensemble) == "folds 827fab49b6fe"


def test_message_has_runs_score_folds_and_content_id(small):
    message = _message(small, runs("a", "b"), "file 12ab")
    assert message.startswith("medfold a+b, OOF AUC 0.9123, 2 of 3 folds, ")
    assert message.endswith(", file 12ab")


def test_many_run_names_are_shortened_but_not_the_content_id(small):
    message = _message(small, runs(*(f"run-{number}" for number in range(99))), "file 12ab")
    assert "..., OOF AUC 0.9123" in message
    assert message.endswith(", file 12ab")
    assert len(message) < 300


def ensemble(**changes) -> SimpleNamespace:
    return SimpleNamespace(
        **{"score": an_oof_score(), "input_hashes": {"runs/small/a/fold0/test.csv": "0f"}, **changes}
    )


def test_content_of_a_file_is_identified_by_its_hash():
    facts = competition_facts(upload="csv", source={"kind": "kaggle", "slug": "a"})
    assert draft._content_id(facts, "0123456789abcdef", ensemble()) == "file 0123456789ab"
    assert draft._content_id(facts, "0123456789abcdef", ensemble(input_hashes={})) == "file 0123456789ab"


def test_content_of_a_notebook_is_identified_by_folds_and_score_but_not_by_facts():
    facts = competition_facts(upload="notebook", source={"kind": "kaggle", "slug": "a"})
    first = draft._content_id(facts, "0123", ensemble())
    assert first.startswith("folds ")
    other_facts = ensemble(score=an_oof_score(facts={"score": {}}))
    assert draft._content_id(facts, "0123", other_facts) == first
    others = [
        draft._content_id(facts, "4567", ensemble()),
        draft._content_id(facts, "0123", ensemble(input_hashes={})),
        draft._content_id(facts, "0123", ensemble(score=an_oof_score(value=0.8))),
    ]
    assert len({first, *others}) == 4


def drafted(text: str) -> draft.SubmissionDraft:
    return draft.SubmissionDraft(text, sha256_of_text(text), "file 0123", "", sample(), None, None)


def test_draft_is_written_once_and_read_back(tmp_path):
    file = tmp_path / "one.csv"
    text = "id,target\n" + "".join(f"{id},0.25\n" for id in IDS)
    written = draft.write_draft(competition_facts(), drafted(text), file)
    assert file.read_text() == text
    assert written["target"].tolist() == ["0.25"] * len(IDS)
    before = file.stat().st_mtime_ns
    draft.write_draft(competition_facts(), drafted(text), file)
    assert file.stat().st_mtime_ns == before


def test_file_of_another_content_is_replaced_and_checked(tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("id,target\n")
    text = "id,target\n" + "".join(f"{id},0.25\n" for id in IDS)
    draft.write_draft(competition_facts(), drafted(text), file)
    assert file.read_text() == text
    with refused("is not a probability from 0 to 1"):
        draft.write_draft(competition_facts(), drafted(text.replace("0.25", "2.5")), file)


def scored(predictions: list[float], targets: tuple[int, ...] = (0, 0, 1, 1)) -> SimpleNamespace:
    """An ensemble with these OOF predictions."""
    oof = SimpleNamespace(targets=np.array(targets), predictions=np.array(predictions)[:, None])
    return SimpleNamespace(oof=oof, prior=np.array([np.mean(targets)]), run_names=["baseline"])


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
@pytest.mark.parametrize("predictions", [[0.5] * 4, [0.8, 0.7, 0.3, 0.2]], ids=["constant", "inverted"])
def test_predictions_no_better_than_chance_are_refused(metric, predictions):
    facts = competition_facts(score={"metric": metric})
    with refused(r"^baseline: the OOF score, .* is no better than chance, .*FORCE=1 submits it"):
        check_better_than_chance(facts, scored(predictions))


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_predictions_better_than_chance_are_not_refused(metric):
    check_better_than_chance(competition_facts(score={"metric": metric}), scored([0.4, 0.5, 0.5, 0.6]))


def test_undefined_score_is_not_refused():
    check_better_than_chance(competition_facts(), scored([0.5] * 4, targets=(1, 1, 1, 1)))
