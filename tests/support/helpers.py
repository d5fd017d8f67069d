"""The repository, and small things that many tests need: facts, an image, an archive."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.scoring import OofScore
from medfold.submission import Leaderboard, LeaderboardResult

REPOSITORY = Path(__file__).parents[2]


def refused(match: str) -> pytest.RaisesExc[UserError]:
    """Expects a UserError with this message: `with refused("no such file"):`."""
    return pytest.raises(UserError, match=match)


def slow_but_first(first, *others) -> list:
    """Returns the parameters of a test, of which all but the first are slow."""
    return [first, *(pytest.param(each, marks=pytest.mark.slow) for each in others)]


def shipped() -> list[str]:
    """Lists the competitions that medfold ships: those in competition/README.md, without a user's own."""
    lines = (REPOSITORY / "competition" / "README.md").read_text(encoding="utf-8").splitlines()
    named = {word for line in lines if line.startswith("|") for word in re.findall(r"[\w-]+", line)}
    return [name for name in ProjectPaths(REPOSITORY).competitions() if name in named]


def competition_facts(task: str = "binary", **changes) -> CompetitionFacts:
    """Makes complete facts of a competition, with these changes."""
    facts = {
        "title": "test",
        "source": {"kind": "phantom"},
        "upload": "none",
        "task": task,
        "labels": {"targets": ["a", "b"] if task == "multilabel" else ["target"]},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1},
        "score": {"metric": "auc" if task == "binary" else "mean_auc"},
    }
    if task in ("multiclass", "ordinal"):
        facts["classes"] = ["0", "1", "2"]
    return CompetitionFacts.model_validate({**facts, **changes})


def an_oof_score(**changes) -> OofScore:
    """An OOF score of two folds of three."""
    score = OofScore(
        metric="auc",
        value=0.9,
        per_fold={"0": 0.88, "2": 0.92},
        low=0.8,
        high=0.95,
        num_units=1000,
        trained_folds=[0, 2],
        is_optimistic=False,
        more_metrics={},
    )
    return replace(score, **changes)


def picture(path: Path, seed: int = 0, shape: tuple = (12, 10)) -> np.ndarray:
    """Writes an image of noise and returns its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return pixels


class NoLeaderboard(Leaderboard):
    """A leaderboard to which submissions are not uploaded."""

    @classmethod
    def of(cls, competition) -> Leaderboard:
        return cls(competition.facts, competition.paths)

    def preflight(self) -> None:
        pass

    def submit(self, recorded, pack, resubmit=False) -> LeaderboardResult:
        return LeaderboardResult(status="written")


def zipped(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Packs files, given by name, into a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Replaces parts of a text; fails if a part is not in it, as after a change of the text."""
    for old, new in pairs:
        assert old in text, f"'{old}' is not in the text"
        text = text.replace(old, new)
    return text
