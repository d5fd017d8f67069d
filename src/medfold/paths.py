"""Every path that commands share, and nowhere else."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from medfold.errors import UserError, did_you_mean, shorten_list
from medfold.run_paths import RunPaths


@dataclass(frozen=True)
class Workspace:
    """Where things are in one project folder.

    Args:
        root: the folder that holds `competition/`, `folds/`, `submissions/`, `data/` and `runs/`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Workspace":
        """The project around `start` (default: the working directory): the nearest folder above with `competition/`.

        Raises:
            UserError: there is none.
        """
        start = (start or Path.cwd()).absolute()
        for folder in (start, *start.parents):
            if any(folder.glob("competition/*/competition.yaml")):
                return cls(folder)
        raise UserError("no competition folder here or above", start, "Change into your clone of medfold")

    def competitions(self) -> list[str]:
        """The names of all competitions, sorted."""
        return sorted(self._homes())

    def competition(self, name: str) -> "CompetitionPaths":
        """The paths of one competition.

        Raises:
            UserError: no folder or variant of that name under `competition/`; the nearest name is given.
        """
        homes = self._homes()
        if name not in homes:
            fix = f"Known: {shorten_list(sorted(homes), 8)}; make new COMPETITION={name} describes another"
            raise UserError(f"unknown competition{did_you_mean(name, homes)}", name, fix)
        return CompetitionPaths(self.root, name, homes[name])

    def _homes(self) -> dict[str, str]:
        """The folder under `competition/` of each competition: of its own name, or one that it shares as a variant."""
        homes: dict[str, str] = {}
        for file in sorted(self.root.glob("competition/*/competition.yaml")):
            homes |= dict.fromkeys(_variants(file) or [file.parent.name], file.parent.name)
        return homes

    @property
    def base_folder(self) -> Path:
        """Shared bases, for `extends`."""
        return self.root / "competition" / "_base"

    @property
    def ledger(self) -> Path:
        """Every submission and every look at a hidden or test score."""
        return self.root / "submissions" / "ledger.csv"

    def display(self, path: Path) -> str:
        """A path as the terminal shows it: relative to the working directory where that is shorter."""
        return min(str(path), os.path.relpath(path), key=len)


def _variants(facts: Path) -> list[str]:
    text = facts.read_text(encoding="utf-8", errors="replace")
    if "\nvariants:" not in text:  # most have none, and reading YAML takes its time
        return []
    try:
        return list(yaml.safe_load(text)["variants"])
    except (yaml.YAMLError, TypeError):
        return []  # whoever opens it is told what is wrong with it


@dataclass(frozen=True)
class CompetitionPaths:
    """Where things of one competition are.

    Args:
        home: its folder under `competition/`, which variants of one template share.
    """

    root: Path
    name: str
    home: str

    @property
    def folder(self) -> Path:
        """Facts, recipes and README of the competition."""
        return self.root / "competition" / self.home

    @property
    def facts(self) -> Path:
        return self.folder / "competition.yaml"

    @property
    def plugins(self) -> Path:
        """The competition's own code; need not exist."""
        return self.folder / "plugins.py"

    @property
    def leaderboard(self) -> Path:
        """Published scores to stand among; need not exist."""
        return self.folder / "leaderboard.csv"

    @property
    def data(self) -> Path:
        return self.root / "data" / self.name

    @property
    def raw(self) -> Path:
        """The data as downloaded, never edited."""
        return self.data / "raw"

    def raw_root(self, folder: str) -> Path:
        """The folder that patterns start from: `folder` in raw/, or raw/ itself if what was given holds no such one."""
        return self.raw / folder if (self.raw / folder).is_dir() else self.raw

    @property
    def raw_manifest(self) -> Path:
        """Names, sizes and hashes of the raw files; written last, so it says that `raw` is complete."""
        return self.data / "raw.csv"

    @property
    def downloads(self) -> Path:
        """Archives on their way; there only until `raw` is complete."""
        return self.data / "downloads"

    @property
    def hidden(self) -> Path:
        """What a competitor may not look at: labels of the test part."""
        return self.data / "hidden"

    @property
    def solution(self) -> Path:
        return self.hidden / "solution.csv"

    @property
    def samples(self) -> Path:
        return self.data / "samples.csv"

    @property
    def samples_metadata(self) -> Path:
        """What the sample table was made from; written last, so it says that the table is complete."""
        return self.data / "samples.json"

    @property
    def groups(self) -> Path:
        """Group number -> patient id; stays in data/."""
        return self.data / "groups.csv"

    @property
    def sample_submission(self) -> Path:
        """A sample submission made by medfold, for data sets that bring none."""
        return self.data / "sample_submission.csv"

    @property
    def pixels(self) -> Path:
        """Size and hash of every raw image, or why it cannot be read."""
        return self.data / "pixels.csv"

    @property
    def appearance(self) -> Path:
        """What every raw image looks like, in numbers."""
        return self.data / "appearance.csv"

    @property
    def thumbnails(self) -> Path:
        """Every raw image at a small size, to compare them by."""
        return self.data / "thumbnails.npy"

    @property
    def headers(self) -> Path:
        """Technical DICOM headers of the raw images."""
        return self.data / "headers.csv"

    @property
    def bad_images(self) -> Path:
        """The images that cannot be read, and why."""
        return self.data / "bad_images.csv"

    @property
    def near_duplicates(self) -> Path:
        """Pairs of images that look alike."""
        return self.data / "near_duplicates.json"

    @property
    def contact_sheet(self) -> Path:
        """The near-duplicates side by side."""
        return self.data / "near_duplicates.jpg"

    @property
    def audit(self) -> Path:
        """All that the audit found, of which the terminal shows the first."""
        return self.data / "audit.csv"

    def store(self, key: str) -> Path:
        return self.data / "store" / key

    def unfinished_store(self, key: str) -> Path:
        """A store on its way; renamed when it is complete."""
        return self.data / "store" / f".{key}.unfinished"

    @property
    def unfinished_scan(self) -> Path:
        """Measurements on their way."""
        return self.data / ".pixels.unfinished"

    def features(self, store_key: str) -> Path:
        """What frozen backbones see in the images of a store, a file for each backbone."""
        return self.data / "features" / store_key

    @property
    def folds(self) -> Path:
        return self.root / "folds" / f"{self.name}.csv"

    @property
    def folds_metadata(self) -> Path:
        """How the folds were made, counts and audit."""
        return self.root / "folds" / f"{self.name}.json"

    def older_folds(self, fingerprint: str, suffix: str = "csv") -> Path:
        """Folds that were in use before, by their fingerprint: csv, or json, how they were made."""
        return self.root / "folds" / f"{self.name}-{fingerprint[:12]}.{suffix}"

    def recheck_file(self, submission: Path, suffix: str) -> Path:
        """What `make recheck` needs of a submission: npz, what the ensemble fitted; csv, its OOF predictions."""
        return submission.parent / "recheck" / f"{submission.stem}.{suffix}"

    @property
    def runs(self) -> Path:
        return self.root / "runs" / self.name

    def run(self, name: str) -> "RunPaths":
        return RunPaths(self.runs / name)

    @property
    def submissions(self) -> Path:
        return self.root / "submissions" / self.name
