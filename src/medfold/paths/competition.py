"""Paths of a competition: its settings, data, folds, runs and submissions."""

from dataclasses import dataclass
from pathlib import Path

from medfold.earlier_versions import current_or_former
from medfold.paths.run import RunPaths
from medfold.system.path_checks import path_inside


@dataclass(frozen=True)
class CompetitionPaths:
    """Paths of one competition.

    Args:
        root: the project folder.
        name: name of the competition.
        folder_name: name of its folder under `competition/`, which the variants of a template share.
        data_folder: folder of its data. Defaults to `data/<name>`.
    """

    root: Path
    name: str
    folder_name: str
    data_folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Facts, recipes and README of the competition."""
        return self.root / "competition" / self.folder_name

    @property
    def base_folder(self) -> Path:
        """Folder of the project's shared YAML files, which `extends` may name."""
        return self.root / "competition" / "_base"

    @property
    def facts_file(self) -> Path:
        """The file competition.yaml."""
        return self.folder / "competition.yaml"

    @property
    def plugins(self) -> Path:
        """The competition's Python code; need not exist."""
        return self.folder / "plugins.py"

    @property
    def leaderboard(self) -> Path:
        """Published scores, to compare with; need not exist."""
        return self.folder / "leaderboard.csv"

    @property
    def data(self) -> Path:
        """Folder of all data of the competition: raw, derived, and the solution."""
        return self.data_folder or self.root / "data" / self.name

    @property
    def raw(self) -> Path:
        """The data as downloaded, never edited."""
        return self.data / "raw"

    def raw_root(self, folder: str) -> Path:
        """Returns the folder that file patterns start from: `folder` in raw/ if it exists, else raw/ itself."""
        return path_inside(self.raw, folder) if (self.raw / folder).is_dir() else self.raw

    @property
    def raw_manifest(self) -> Path:
        """Names, sizes and hashes of the raw files; written last, so its presence means that `raw` is complete."""
        return self.data / "raw.csv"

    @property
    def downloads(self) -> Path:
        """Downloaded archives, kept until `raw` is complete."""
        return self.data / "downloads"

    @property
    def solution_folder(self) -> Path:
        """Folder of what a competitor must not see: the labels of the test set, positions of findings."""
        return current_or_former(self.data, "solution")

    @property
    def solution(self) -> Path:
        """Labels of the test set, for the local leaderboard."""
        return self.solution_folder / "solution.csv"

    @property
    def samples(self) -> Path:
        """Path of the sample table."""
        return self.data / "samples.csv"

    @property
    def samples_metadata(self) -> Path:
        """Inputs of the sample table; written last, so its presence means that the table is complete."""
        return self.data / "samples.json"

    @property
    def image_list(self) -> Path:
        """Fingerprint of the ids and paths of all images, on which scan and stores depend."""
        return self.data / "image_list.json"

    @property
    def groups(self) -> Path:
        """Patient id of each group number; never leaves data/."""
        return self.data / "groups.csv"

    @property
    def sample_submission(self) -> Path:
        """Sample submission made by medfold, for data sets without one."""
        return self.data / "sample_submission.csv"

    @property
    def measurements(self) -> Path:
        """Size and hash of every raw image, or the reason why it cannot be read."""
        return current_or_former(self.data, "measurements.csv")

    @property
    def appearance(self) -> Path:
        """Perceptual hash and statistics of every readable raw image."""
        return self.data / "appearance.csv"

    @property
    def thumbnails(self) -> Path:
        """A thumbnail of every raw image, for finding near-duplicates."""
        return self.data / "thumbnails.npy"

    @property
    def headers(self) -> Path:
        """Technical DICOM headers of the raw images."""
        return self.data / "headers.csv"

    @property
    def unreadable_images(self) -> Path:
        """Unreadable images and the reasons."""
        return current_or_former(self.data, "unreadable_images.csv")

    @property
    def near_duplicates(self) -> Path:
        """Pairs of near-duplicate images."""
        return self.data / "near_duplicates.json"

    @property
    def contact_sheet(self) -> Path:
        """Picture of the near-duplicates side by side."""
        return self.data / "near_duplicates.jpg"

    @property
    def leaks(self) -> Path:
        """Ids of all duplicates and near-duplicates; the terminal shows the first ones."""
        return current_or_former(self.data, "leaks.csv")

    def store(self, key: str) -> Path:
        """Returns the folder of the prepared images of one store."""
        return self.data / "store" / key

    def unfinished_store(self, key: str) -> Path:
        """Returns the folder of a store that is being written; it is renamed when complete."""
        return self.data / "store" / f".{key}.unfinished"

    @property
    def unfinished_scan(self) -> Path:
        """Journal of an unfinished scan of the raw images."""
        return current_or_former(self.data, ".measurements.unfinished")

    def features(self, store_key: str) -> Path:
        """Returns the folder for the features of frozen backbones on the images of a store, one file per backbone."""
        return self.data / "features" / store_key

    @property
    def folds_table(self) -> Path:
        """The folds table."""
        return self.root / "folds" / f"{self.name}.csv"

    @property
    def folds_metadata(self) -> Path:
        """Record of how the folds were made, their counts and the number of their leaks."""
        return self.root / "folds" / f"{self.name}.json"

    def older_folds(self, fingerprint: str, extension: str = "csv") -> Path:
        """Returns a file of replaced folds, by their fingerprint.

        Args:
            fingerprint: hash of the folds table; its first 12 digits are in the name of the file.
            extension: csv for the folds, json for how they were made. Defaults to csv.
        """
        return self.root / "folds" / f"{self.name}-{fingerprint[:12]}.{extension}"

    @property
    def runs(self) -> Path:
        """Folder of all runs."""
        return self.root / "runs" / self.name

    def run(self, name: str) -> RunPaths:
        """Returns the paths of one run; it need not exist."""
        return RunPaths(self.runs / name, self.name, self.root)

    @property
    def submissions(self) -> Path:
        """Folder of the submissions and their records."""
        return self.root / "submissions" / self.name
