"""The image files of a competition: which table column names them, their path patterns, channels and headers."""

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from medfold.competition import ImageFacts
from medfold.data import (
    CHANNEL_FIELD,
    TABLE_EXTENSIONS,
    find_companions,
    image_exists,
    is_excluded,
    match_path_endings,
    part_from_name,
)
from medfold.errors import UserError
from medfold.images import (
    UNSUPPORTED_FORMATS,
    count_pages,
    image_extension,
    image_extensions,
    image_stem,
    is_dicom,
    path_of_image,
    read_dicom_headers,
    read_image,
)
from medfold.scaffold.draft import MAX_INSPECTED, MAX_LABELS, Draft, Ids

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
INDEX = re.compile(r"Unnamed: \d+|index|level_0|", re.I)  # names of columns of row numbers
ID_NAMES = re.compile(r"id|image|file|name|path|uid|slide|scan", re.I)  # in names of columns that name images
DEFAULT_IMAGES_READ, MAX_IMAGES_READ = 24, 200  # images that are read to find out whether they have colours
# MAX_IMAGES_READ are read if their files together have at most this size, otherwise DEFAULT_IMAGES_READ.
CHEAP_BYTES = 50_000_000
MAX_ROWS = 5000  # rows of a table that are looked up
MAX_PATTERNS = 40  # for the images of one table
GROUP_HEADERS = ("PatientID", "StudyInstanceUID")  # DICOM headers to group by, the preferred one first
NOT_CHANNELS = {"left", "right", "l", "r", "od", "os", "cc", "mlo"}  # endings of names for eyes and views
FEW_IDS = 20  # a column with fewer different values that recur probably holds labels, not ids


def _names_other_part(pattern: str, part: str) -> bool:
    """Returns True if a pattern has a folder named after the other part: test for train, train for test."""
    other = "test" if part == "train" else "train"
    return any(part_from_name(folder) == other for folder in pattern.split("/")[:-1])


def _is_row_number(values: pd.Series) -> bool:
    """Returns True for a column of row numbers: 0, 1, 2 ... or 1, 2, 3 ..."""
    if not values.str.fullmatch(r"\d+").all():
        return False
    numbers = values.astype(int).to_numpy()
    return numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all())


def _evenly_spaced(items: list[str], max_items: int) -> list[str]:
    return [items[int(position)] for position in np.linspace(0, len(items) - 1, min(max_items, len(items)))]


def _is_plain(pattern: str) -> bool:
    return not pattern.endswith((".dcm", ".tif", ".tiff")) and "#{" not in pattern


class ImageFiles:
    """The image files of a competition.

    Args:
        raw: the folder with the files of the competition.
        files: paths of all its files, below `raw`.

    Attributes:
        files: image files that may be samples.
        exclude: patterns of images that are masks or other companions.
        companions: the number of images that match `exclude`.
        unclear: additions to names that may or may not mark a mask, with the number of images.
    """

    def __init__(self, raw: Path, files: list[str]):
        self._raw = raw
        images = [path for path in files if self._is_image(path)]
        self.exclude, self.companions, self.unclear = find_companions(images)
        self.files = [path for path in images if not is_excluded(path, self.exclude)]
        self._by_stem: dict[str, list[str]] = {}
        for path in self.files:
            self._by_stem.setdefault(image_stem(path), []).append(path)
        self._by_name: dict[str, list[str]] = {}
        for path in self.files:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)
        self._padded_lengths = sorted(
            {len(stem) for stem in self._by_stem if stem.isdecimal() and stem.startswith("0")}
        )

    def _is_image(self, path: str) -> bool:
        """Returns True for an image, by its extension or, since DICOM files often have none, by its first bytes."""
        extension = PurePosixPath(path).suffix.lower()
        return extension in IMAGE_EXTENSIONS or (extension not in OTHER_EXTENSIONS and is_dicom(self._raw / path))

    def find_ids(self, table: pd.DataFrame) -> Ids | None:
        """Finds the column whose values name images; prefers one that is named like an id and has unique values.

        A column of row numbers, as in a table that was saved with its index, is used only if there is no other.

        Returns:
            The id column; None if there is none.
        """
        candidates: list[tuple[tuple, Ids]] = []
        # The most different values of a column that names images. A column of labels has fewer, even if there are
        # images named 0 and 1.
        max_values = 0
        for position, column in enumerate(table.columns):
            values = table[column].drop_duplicates().head(MAX_INSPECTED)
            values = values[values != ""]
            if not len(values) or self._looks_like_labels(table[column]):
                continue
            readings = [Ids(column, values.map(lambda value: bool(self.find_named(value))).mean())]
            split = values.str.rpartition("_")
            readings.append(
                Ids(column, split[0].isin(self._by_stem.keys()).mean(), tuple(split[2].unique()), is_long=True)
            )
            channels = self._channels(values)
            if channels:
                readings.append(Ids(column, 1.0, channels))
            for order, ids in enumerate(readings):
                if len(ids.endings) <= MAX_LABELS and ids.share > 0.5:
                    max_values = max(max_values, table[column].nunique())
                    named, unique = bool(ID_NAMES.search(column)), not table[column].duplicated().any()
                    rank = (round(ids.share, 2), not _is_row_number(table[column]), named, unique, -position, -order)
                    candidates.append((rank, ids))
        candidates = [(rank, ids) for rank, ids in candidates if table[ids.column].nunique() >= max_values / 2]
        candidates = [(rank, ids) for rank, ids in candidates if not INDEX.fullmatch(ids.column)] or candidates
        if not candidates:
            return None
        _, best = max(candidates, key=lambda item: item[0])
        others = dict.fromkeys(
            ids.column for _, ids in candidates if ids.column != best.column and ids.share > best.share - 0.05
        )
        return replace(best, others=tuple(others))

    def _looks_like_labels(self, values: pd.Series) -> bool:
        """Returns True for a few recurring values that name few of the images: grades 0 to 4, with 0.png to 99.png."""
        count = values.nunique()
        return count < FEW_IDS and 3 * count <= len(values) and 2 * count < len(self._by_stem)

    def _channels(self, values: pd.Series) -> tuple[str, ...]:
        """The endings that the files of every id have, one per channel: `<id>_red.png`, `<id>_green.png`; or none."""
        endings: dict[str, list[str]] = {}
        for stem in self._by_stem:
            id, _, ending = stem.rpartition("_")
            endings.setdefault(id, []).append(ending)
        variants = {tuple(sorted(endings.get(value, ()))) for value in values.head(50)}
        if len(variants) != 1:
            return ()
        channels = variants.pop()
        if len(channels) < 2 or {ending.lower() for ending in channels} <= NOT_CHANNELS:
            return ()
        order = {"red": 0, "green": 1, "blue": 2}
        return tuple(sorted(channels, key=lambda name: (order.get(name, 9), name)))

    def find_patterns(self, table: pd.DataFrame, ids: Ids, part: str) -> tuple[list[str], list[str]]:
        """Finds the patterns that lead from the rows of a table to their images, the most frequent pattern first.

        Args:
            table: a table with text columns.
            ids: its id column.
            part: train or test; images in a folder of the other part are used only if there are no others.

        Returns:
            The patterns, as many as are needed for all rows that have an image; and the images of these rows, each by
            its first pattern.
        """
        count = min(MAX_ROWS, len(table))
        chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, count).astype(int))] if count else table
        rows = [self._patterns_of_row(row, ids) for row in chosen.to_dict("records")]
        of_part = [
            {pattern: path for pattern, path in row.items() if not _names_other_part(pattern, part)} for row in rows
        ]
        rows = of_part if any(of_part) else rows
        patterns: list[str] = []
        remaining = [row for row in rows if row]
        images = []
        while remaining and len(patterns) < MAX_PATTERNS:
            counts = Counter(pattern for row in remaining for pattern in row)
            best = min(counts, key=lambda text: (-counts[text], part not in text, not _is_plain(text), len(text), text))
            patterns.append(best)
            images += [row[best] for row in remaining if best in row]
            remaining = [row for row in remaining if best not in row]
        return patterns, images

    def test_folder_patterns(self, used: list[str]) -> list[str]:
        """Returns patterns of unused images in folders named after the test part; none if one of them is in use.

        Args:
            used: images that are used already, as `read_image` takes them.
        """
        used_files = {name for image in used for name in image.split("|")}
        unused = [PurePosixPath(path) for path in self.files if path not in used_files]
        test = [path for path in unused if any(part_from_name(name) == "test" for name in path.parts[:-1])]
        if {str(path.parent) for path in test} & {str(PurePosixPath(path).parent) for path in used_files}:
            return []
        return list(dict.fromkeys(f"{path.parent}/{{id}}{image_extension(path.name)}" for path in test))

    def _patterns_of_row(self, row: dict[str, str], ids: Ids) -> dict[str, str]:
        """The patterns that lead from a row to images, and the image of each pattern."""
        id = unicodedata.normalize("NFC", row[ids.column])
        id = id.rpartition("_")[0] if ids.is_long else id
        if ids.endings and not ids.is_long:
            channels = [f"{id}_{ending}" for ending in ids.endings]
            paths = self.find_named(channels[0])
            images = {path: "|".join(path.replace(channels[0], name) for name in channels) for path in paths}
        else:
            images = {path: path for path in self.find_named(id)}
        by_pattern = {self._generalise(path, id, row, ids): image for path, image in images.items()}
        return by_pattern | {pattern: pattern.replace("{id}", id) for pattern in self._container_patterns(id)}

    def find_named(self, name: str) -> list[str]:
        """Returns the images that a value names: by stem, file name, end of the path, or number with leading zeros."""
        name = unicodedata.normalize("NFC", name).replace("\\", "/")
        if paths := self._by_stem.get(name):
            return paths
        named = PurePosixPath(name)
        same_stem = [*self._by_stem.get(named.stem, ()), *(self._by_stem.get(named.name, ()) if "/" in name else ())]
        matches = [
            path
            for path in same_stem
            if f"/{path}".endswith(f"/{name}") or f"/{path}".rpartition(".")[0].endswith(f"/{name}")
        ]
        if not matches and "/" in name:  # the table has longer paths, such as absolute ones of another machine
            return match_path_endings(name, self._by_name.get(named.name, []))
        if matches or not name.isdecimal():
            return matches
        return [path for width in self._padded_lengths for path in self._by_stem.get(name.zfill(width), ())]

    def _generalise(self, path: str, id: str, row: dict[str, str], ids: Ids) -> str:
        """The pattern of a path: parts that are values of the row become the names of their columns in braces."""
        id = id.replace("\\", "/")
        if "/" in id:
            start = f"/{path}".rfind(f"/{id}")
            return f"{path[:start]}{{id}}{path[start + len(id) :]}" if start >= 0 else "{id}"
        *folders, name = PurePosixPath(path).parts
        columns = {value: column for column, value in row.items() if column != ids.column and value}
        parts = [f"{{{columns[folder]}}}" if folder in columns else folder for folder in folders]
        stem = image_stem(path)
        if id.isdecimal() and stem != id and name != id and stem == id.zfill(len(stem)):
            name = f"{{id:0>{len(stem)}}}" + name[len(stem) :]
        else:
            name = "{id}" + name[len(id) :]
        if ids.endings and not ids.is_long:
            name = name.replace(f"_{ids.endings[0]}", f"_{{{CHANNEL_FIELD}}}")
        return "/".join([*parts, name])

    def _container_patterns(self, id: str) -> set[str]:
        """Patterns of HDF5 files that contain an image of this id."""
        containers = [path for path in self.files if path.endswith(CONTAINERS)]
        return {f"{path}#{{id}}" for path in containers if image_exists(f"{path}#{id}", self._raw, {path})}

    def guess_channels(self, images: list[str], draft: Draft) -> int:
        """Guesses the number of channels by reading some images; adds the reason and doubts to the draft.

        Args:
            images: training images, as `read_image` takes them.
            draft: gets the reason, and doubts about pages or frames and about images of mixed kinds.

        Returns:
            1 if all of the images are grey, otherwise 3.
        """
        chosen = _evenly_spaced(images, MAX_IMAGES_READ)
        if sum(path_of_image(self._raw, image).stat().st_size for image in chosen) > CHEAP_BYTES:
            chosen = _evenly_spaced(images, DEFAULT_IMAGES_READ)
        facts, grey = ImageFacts(train="unused", test="", channels=3), []
        for image in chosen:
            try:
                pixels = read_image(self._raw, image, facts)
            except UserError:
                continue
            grey.append(bool((pixels == pixels[..., :1]).all()))
        pages = {count_pages(path_of_image(self._raw, image), facts) for image in chosen}
        if max(pages) > 1:
            count = f"up to {max(pages)}" if len(pages) > 1 else f"{max(pages)}"
            handling = "the first is used; middle, last or montage?"
            if pages == {3} and not all(grey):
                handling = "they are used as the three channels of one image"
            draft.doubts.append(f"images.frame: files have {count} pages or frames, and {handling}")
        if not grey:
            draft.doubts.append(f"images.channels: none of the {len(chosen)} images examined can be read")
            return 3
        reason = f"{grey.count(True)} of the {len(grey)} images examined are grey"
        if 0 < grey.count(True) < len(grey):
            draft.doubts.append(f"images.channels: {reason}: do the colours of the others mean anything?")
        draft.add_reason("images.channels", 1 if all(grey) else 3, reason)
        return 1 if all(grey) else 3

    def group_by_headers(self, draft: Draft, images: list[str]) -> bool:
        """Drafts grouping by patient or study, if DICOM headers name some that have several images.

        Args:
            draft: gets images.headers, labels.group and the reason.
            images: training images, as `read_image` takes them.

        Returns:
            True if the headers can be grouped by.
        """
        paths = list(dict.fromkeys(path_of_image(self._raw, image) for image in images))[:MAX_INSPECTED]
        if not paths or not all(is_dicom(self._raw / path) for path in self.files):
            return False
        rows = []
        for path in paths:
            try:
                rows.append(read_dicom_headers(path, GROUP_HEADERS))
            except UserError:  # the audit reports damaged files
                continue
        for keyword in GROUP_HEADERS:
            values = [row[keyword] for row in rows if row[keyword]]
            if 2 * len(values) < len(rows) or not 1 < len(set(values)) < len(values):
                continue
            draft.facts["images"]["headers"] = [keyword]
            draft.facts["labels"]["group"] = keyword
            missing = f"; {len(rows) - len(values)} have none" if len(values) < len(rows) else ""
            why = f"from the DICOM headers: {len(set(values)):,} in the {len(values):,} images examined{missing}"
            draft.add_reason("labels.group", keyword, why)
            return True
        return False
