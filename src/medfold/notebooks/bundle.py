"""The bundle for a submission: what a notebook needs at Kaggle, in one folder, which is a private data set there."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medfold import config, files
from medfold.competition import Competition, Recipe, use_plugins
from medfold.ensemble import Member
from medfold.errors import UserError, shorten_list
from medfold.notebooks import mounts
from medfold.scoring import FittedTransform

ABOUT = "kit.json"  # written last: names all other files and their hashes
ENSEMBLE = "ensemble.npz"


@dataclass(frozen=True)
class SubmissionBundle:
    """A bundle for a submission, opened.

    Args:
        folder: that holds its files.
        about: what kit.json says.
        competition: the facts.
        members: the runs, in the order in which the ensemble takes them.
        fitted: how they are put together.
    """

    folder: Path
    about: dict[str, Any]
    competition: Competition
    members: list[Member]
    fitted: FittedTransform

    @classmethod
    def open(cls, folder: Path | str) -> "SubmissionBundle":
        """Opens a bundle and checks that it is whole.

        Raises:
            UserError: no bundle, a file that is missing or damaged, or a package that is not installed.
        """
        folder, about = Path(folder), open_bundle(Path(folder), ABOUT)
        use_plugins(folder / "plugins.py")
        members = [
            Member(run["name"], Recipe.model_validate(run["recipe"]), [folder / name for name in run["weights"]])
            for run in about["runs"]
        ]
        facts = config.validated(Competition, about["facts"], ABOUT)
        return cls(folder, about, facts, members, FittedTransform.load(folder / ENSEMBLE))

    def __str__(self) -> str:
        runs = ", ".join(f"{each.name} ({len(each.weights)} folds)" for each in self.members)
        lines = {
            "competition": self.competition.title,
            "runs": runs,
            "OOF score": self.about["score"],
            "medfold": self.about["medfold"],
        }
        return "\n".join(f"{fact:<13}{value}" for fact, value in lines.items())

    def data(self, inputs: Path | str) -> Path:
        """The folder of the competition's data among what is attached to a notebook.

        Args:
            inputs: the folder that everything is mounted in: as `competitions/<slug>` or as `<slug>`.

        Raises:
            UserError: it is not there; what is there is named.
        """
        place = mounts.competition_folder(Path(inputs), self.about["slug"])
        inner = place / self.competition.images.root
        return inner if inner.is_dir() else place


def open_bundle(folder: Path, label: str) -> dict[str, Any]:
    """What the file `label` says of a folder that was packed, once the folder is seen to be whole.

    Raises:
        UserError: no such file, another one that is missing or damaged, or a package that is not installed.
    """
    about = files.read_json(folder / label)
    if about is None:
        raise UserError(f"no {label}", folder, "Attach the data set that was uploaded with the notebook")
    damaged = [name for name, digest in about["files"].items() if not _is(folder / name, digest)]
    if damaged:
        raise UserError(f"files are missing or damaged: {shorten_list(damaged)}", folder, "Upload the data set again")
    lacking = [name for name in about["packages"] if not _installed(name)]
    if lacking:
        raise UserError(f"packages are not installed: {shorten_list(lacking)}", None, "Run the notebook's first cell")
    return about


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and files.sha256(path) == digest


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
