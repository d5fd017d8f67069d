"""A submission before its upload: its file, and scores that are refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from medfold.submission import draft
from medfold.submission.draft import check_better_than_chance
from medfold.system.hashes import sha256_of_text
from tests.support.helpers import competition_facts, refused
from tests.support.submissions import IDS, sample


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
