"""Opens the bundle of a submission: one folder, a private data set at Kaggle, with all that its notebook needs."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medfold import config
from medfold.competition import Competition, Recipe, use_plugins
from medfold.ensemble import MemberRun
from medfold.errors import UserError, count_of, shorten_list
from medfold.notebooks import mounts
from medfold.scoring import FittedTransform
from medfold.system import files

MANIFEST = "kit.json"  # the manifest; written last, with the hashes of all other files
ENSEMBLE = "ensemble.npz"


@dataclass(frozen=True)
class SubmissionBundle:
    """An opened submission bundle.

    Args:
        folder: path of the bundle.
        manifest: content of kit.json: facts, members and hashes of all files.
        competition: facts of the competition, read from the bundle.
        members: the runs, in the order of the fitted ensemble.
        fitted: fitted ensemble and post-processing.
    """

    folder: Path
    manifest: dict[str, Any]
    competition: Competition
    members: list[MemberRun]
    fitted: FittedTransform

    @classmethod
    def open(cls, folder: Path | str) -> "SubmissionBundle":
        """Opens a bundle and checks that it is complete.

        Raises:
            UserError: no bundle, a missing or damaged file, or a package that is not installed.
        """
        folder = Path(folder)
        manifest = open_bundle(folder, MANIFEST)
        use_plugins(folder / "plugins.py")
        members = [
            MemberRun(run["name"], Recipe.model_validate(run["recipe"]), [folder / name for name in run["weights"]])
            for run in manifest["runs"]
        ]
        facts = config.validated(Competition, manifest["facts"], MANIFEST)
        return cls(folder, manifest, facts, members, FittedTransform.load(folder / ENSEMBLE))

    def __str__(self) -> str:
        runs = ", ".join(f"{member.name} ({count_of(len(member.weights_files), 'fold')})" for member in self.members)
        lines = {
            "competition": self.competition.title,
            "runs": runs,
            "OOF score": self.manifest["score"],
            "medfold": self.manifest["medfold"],
        }
        return "\n".join(f"{heading:<13}{value}" for heading, value in lines.items())

    def data_folder(self, inputs: Path | str) -> Path:
        """Finds the competition's data among the data attached to the notebook.

        Args:
            inputs: the folder of all mounts, which holds it as `competitions/<slug>` or as `<slug>`.

        Returns:
            Path of the folder, which exists.

        Raises:
            UserError: it is not attached; the message lists what is.
        """
        folder = mounts.competition_folder(Path(inputs), self.manifest["slug"])
        root = folder / self.competition.images.root
        return root if root.is_dir() else folder


def open_bundle(folder: Path, manifest_name: str) -> dict[str, Any]:
    """Reads the manifest of a bundle, and checks that the bundle is complete.

    Args:
        folder: path of the bundle.
        manifest_name: file name of the manifest.

    Raises:
        UserError: no manifest, a missing or damaged file, or a package that is not installed.
    """
    manifest = files.read_json(folder / manifest_name)
    if manifest is None:
        raise UserError(f"no {manifest_name}", folder, "Attach the data set that was uploaded with the notebook")
    damaged = [name for name, digest in manifest["files"].items() if not _has_hash(folder / name, digest)]
    if damaged:
        raise UserError(f"files are missing or damaged: {shorten_list(damaged)}", folder, "Upload the data set again")
    missing = [name for name in manifest["packages"] if not _installed(name)]
    if missing:
        raise UserError(f"packages are not installed: {shorten_list(missing)}", None, "Run the notebook's first cell")
    return manifest


def _has_hash(path: Path, digest: str) -> bool:
    return path.is_file() and files.sha256(path) == digest


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
