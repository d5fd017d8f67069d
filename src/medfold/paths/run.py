"""Paths of the files of a run and of its folds."""

from dataclasses import dataclass
from pathlib import Path

from medfold.earlier_versions import FILES, current_or_former
from medfold.system.hashes import fingerprint

MAX_NAME_LENGTH = 150  # letters of the name of a file with predictions


def existing_table(csv: Path, npz: Path | None = None) -> Path:
    """Returns the path of a table of predictions: that of its .npz file where there is one, else of its CSV file.

    Args:
        csv: path of the CSV file.
        npz: path of the .npz file. Defaults to that of the CSV file with another ending.
    """
    npz = npz or csv.with_suffix(".npz")
    return npz if npz.is_file() else csv


@dataclass(frozen=True)
class RunPaths:
    """Files and folders of a run: run.json, its folds, OOF predictions, score, report.

    Args:
        folder: the folder of the run.
        competition: name of its competition.
        root: the project folder.
    """

    folder: Path
    competition: str
    root: Path

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def metadata(self) -> Path:
        """run.json: resolved recipe, facts, hashes, versions, commit."""
        return self.folder / "run.json"

    @property
    def oof(self) -> Path:
        """OOF predictions of all trained folds: oof.csv, or oof.npz if it has many columns."""
        return existing_table(self.folder / "oof.csv")

    @property
    def score(self) -> Path:
        """The OOF score, with interval and scores per fold."""
        return self.folder / "score.json"

    @property
    def tracking(self) -> Path:
        """What each tracker was given of the run, by hash."""
        return self.folder / "tracking.json"

    @property
    def report(self) -> Path:
        """The run's web page."""
        return self.folder / "report.html"

    @property
    def notebook(self) -> Path:
        """Folder of the bundles and notebooks for Kaggle."""
        return self.folder / "notebook"

    @property
    def predictions(self) -> Path:
        """Folder of what `make predict` writes."""
        return self.folder / "predictions"

    def log(self, fold: int) -> Path:
        """Returns the file with the lines of a fold that was trained on a cluster."""
        return self.folder / "logs" / f"fold{fold}.log"

    def predictions_of(self, images: Path) -> Path:
        """Returns the file for predictions of an image, or of a folder of images.

        Its name is made from the whole path, since many folders are called images; without the home folder, which
        names the user.
        """
        path = images.expanduser().absolute()
        bases = (base for base in (Path.cwd(), Path.home()) if base in path.parents)
        below = next((path.relative_to(base) for base in bases), path)
        name = "__".join(part for part in below.parts if part not in (below.anchor, ".."))
        if len(name) > MAX_NAME_LENGTH:
            name = f"{fingerprint(str(path), 8)}__{name[-MAX_NAME_LENGTH + 10 :]}"
        return self.predictions / f"{name}.csv"

    def fold(self, number: int) -> "FoldPaths":
        """Returns the paths of one fold; it need not exist."""
        return FoldPaths(self.folder / f"fold{number}")


@dataclass(frozen=True)
class FoldPaths:
    """Paths of one trained fold."""

    folder: Path

    @property
    def weights(self) -> Path:
        """Weights of the trained net; the ending selects the format when Keras loads them."""
        return current_or_former(self.folder, "net.weights.h5")

    @property
    def checkpoint(self) -> Path:
        """Checkpoint of an unfinished training; removed at its end."""
        former = FILES["checkpoint.npz"]
        if (self.folder / f"before-{former}").exists():
            return self.folder / former
        return current_or_former(self.folder, "checkpoint.npz")

    @property
    def history(self) -> Path:
        """Loss and metrics of each epoch."""
        return self.folder / "history.csv"

    @property
    def oof(self) -> Path:
        """OOF predictions, of the fold's validation samples: oof.csv, or oof.npz if it has many columns."""
        return existing_table(self.folder / "oof.csv")

    @property
    def test(self) -> Path:
        """Predictions of the test set: test.csv, or test.npz if it has many columns."""
        return existing_table(self.folder / "test.csv")

    @property
    def self_check_warnings(self) -> Path:
        """Warnings of the self-check, a list of lines."""
        return current_or_former(self.folder, "self_check_warnings.json")

    @property
    def timing(self) -> Path:
        """Duration of the training; of a resumed one, since it was resumed."""
        return current_or_former(self.folder, "timing.json")

    @property
    def trained_marker(self) -> Path:
        """Hashes of the fold's files; written last, so its presence means that the fold is trained."""
        return self.folder / "done.json"
