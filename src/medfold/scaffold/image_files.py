"""The image files of a competition, found by the names that tables have for them."""

import posixpath
import unicodedata
from pathlib import Path, PurePosixPath

from medfold.images import UNSUPPORTED_FORMATS, image_extension, image_extensions, image_stem, is_dicom
from medfold.raw_files import TABLE_EXTENSIONS, find_companions, is_excluded, match_path_endings, split_from_name

CONTAINERS = (".hdf5", ".h5")
IMAGE_EXTENSIONS = {*image_extensions(), *CONTAINERS}
OTHER_EXTENSIONS = {
    *TABLE_EXTENSIONS,
    *UNSUPPORTED_FORMATS,
    ".gz",
    ".npz",
    ".json",
    ".xml",
    ".md",
    ".pdf",
    ".zip",
    ".py",
    ".yaml",
}


class ImageFiles:
    """The image files of a competition.

    Args:
        raw: folder with the files of the competition.
        files: paths of all its files, below `raw`.

    Attributes:
        raw: folder with the files of the competition.
        files: image files that may be samples.
        by_stem: image files by their name without extension.
        endings: the endings after the last `_` of these names, by what is before it.
        exclude: patterns of images that are masks or other companions.
        companions: the number of images that match `exclude`.
        unclear: additions to names that may or may not mark a mask, with the number of images.
    """

    def __init__(self, raw: Path, files: list[str]):
        self.raw = raw
        image_paths = [path for path in files if self._is_image(path)]
        self.exclude, self.companions, self.unclear = find_companions(image_paths)
        self.files = [path for path in image_paths if not is_excluded(path, self.exclude)]
        self.by_stem: dict[str, list[str]] = {}
        for path in self.files:
            self.by_stem.setdefault(image_stem(path), []).append(path)
        self.endings: dict[str, list[str]] = {}
        for stem in self.by_stem:
            start, _, ending = stem.rpartition("_")
            self.endings.setdefault(start, []).append(ending)
        self._by_name: dict[str, list[str]] = {}
        for path in self.files:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)
        self._padded_lengths = sorted({len(stem) for stem in self.by_stem if stem.isdecimal() and stem.startswith("0")})

    def _is_image(self, path: str) -> bool:
        """Returns True for an image, by its extension or, since DICOM files often have none, by its first bytes."""
        extension = PurePosixPath(path).suffix.lower()
        return extension in IMAGE_EXTENSIONS or (extension not in OTHER_EXTENSIONS and is_dicom(self.raw / path))

    def find_named(self, name: str) -> list[str]:
        """Returns the images that a value names: by stem, file name, end of the path, or number with leading zeros."""
        name = unicodedata.normalize("NFC", name).replace("\\", "/")
        if paths := self.by_stem.get(name):
            return paths
        file = name.rstrip("/").rpartition("/")[2]
        same_stem = [
            *self.by_stem.get(posixpath.splitext(file)[0], ()),
            *(self.by_stem.get(file, ()) if "/" in name else ()),
        ]
        matches = [
            path
            for path in same_stem
            if f"/{path}".endswith(f"/{name}") or f"/{path}".rpartition(".")[0].endswith(f"/{name}")
        ]
        if not matches and "/" in name:  # the table has longer paths, such as absolute ones of another machine
            return match_path_endings(name, self._by_name.get(file, []))
        if matches or not name.isdecimal():
            return matches
        return [path for width in self._padded_lengths for path in self.by_stem.get(name.zfill(width), ())]

    def test_folder_patterns(self, used: list[str]) -> list[str]:
        """Returns patterns of unused images in folders named after the test set; none if one of them is in use.

        Args:
            used: images that are used already, as `read_image` takes them.
        """
        used_files = {name for image_path in used for name in image_path.split("|")}
        unused = [PurePosixPath(path) for path in self.files if path not in used_files]
        test = [path for path in unused if any(split_from_name(name) == "test" for name in path.parts[:-1])]
        if {str(path.parent) for path in test} & {str(PurePosixPath(path).parent) for path in used_files}:
            return []
        return list(dict.fromkeys(f"{path.parent}/{{id}}{image_extension(path.name)}" for path in test))
