"""Where the files of a run and of its folds are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPaths:
    """Where things of one run are."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def metadata(self) -> Path:
        """run.json: resolved recipe, facts, hashes, versions, commit."""
        return self.folder / "run.json"

    @property
    def oof(self) -> Path:
        return self.folder / "oof.csv"

    @property
    def score(self) -> Path:
        return self.folder / "score.json"

    @property
    def report(self) -> Path:
        """The web page."""
        return self.folder / "report.html"

    @property
    def notebook(self) -> Path:
        """What is made for Kaggle's machines."""
        return self.folder / "notebook"

    @property
    def predictions(self) -> Path:
        """What `make predict` writes."""
        return self.folder / "predictions"

    def fold(self, number: int) -> "FoldPaths":
        return FoldPaths(self.folder / f"fold{number}")


@dataclass(frozen=True)
class FoldPaths:
    """Where things of one trained fold are."""

    folder: Path

    @property
    def weights(self) -> Path:
        return self.folder / "weights.h5"

    @property
    def state(self) -> Path:
        """Where an unfinished training stands; gone when it is done."""
        return self.folder / "state.npz"

    @property
    def history(self) -> Path:
        return self.folder / "history.csv"

    @property
    def oof(self) -> Path:
        return self.folder / "oof.csv"

    @property
    def test(self) -> Path:
        return self.folder / "test.csv"

    @property
    def checks(self) -> Path:
        """What the self-check found suspicious, a list of lines."""
        return self.folder / "checks.json"

    @property
    def log(self) -> Path:
        """How long the training took; of one that was taken up again, since then."""
        return self.folder / "log.json"

    @property
    def done(self) -> Path:
        """Written last: hashes of the fold's files."""
        return self.folder / "done.json"
