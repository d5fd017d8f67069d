"""What the names of image files tell: which column of a table names them, and their pattern."""

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
    TABLE_ENDINGS,
    find_companions,
    image_exists,
    is_excluded,
    match_path_endings,
    part_from_name,
)
from medfold.errors import UserError
from medfold.images import (
    NOT_READ,
    count_pages,
    image_ending,
    image_endings,
    image_stem,
    is_dicom,
    path_of_image,
    read_dicom_headers,
    read_image,
)
from medfold.scaffold.draft import LOOKED_AT, MOST_LABELS, Draft, Ids

CONTAINERS = (".hdf5", ".h5")
KNOWN = {*image_endings(), *CONTAINERS}
OTHERS = {
    *TABLE_ENDINGS,
    *NOT_READ,
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
SEEN, MOST_SEEN = 24, 200  # images that are looked at to find out whether they have colours
CHEAP = 50_000_000  # bytes up to which it is MOST_SEEN
MOST_ROWS = 5000  # of a table that are looked up
MOST_PATTERNS = 40  # for the images of one table
WHO_IN_HEADERS = ("PatientID", "StudyInstanceUID")  # headers of what images are of
SIDES = {"left", "right", "l", "r", "od", "os", "cc", "mlo"}  # at the ends of names: eyes and views, no channels
FEW_IDS = 20  # so many different values that recur are rather labels than ids


def _of_other_part(rule: str, part: str) -> bool:
    """True if a pattern has a folder named for the other part: test for train, train for test."""
    other = "test" if part == "train" else "train"
    return any(part_from_name(folder) == other for folder in rule.split("/")[:-1])


def _counts_rows(values: pd.Series) -> bool:
    """True for a column of row numbers: 0, 1, 2 ... or 1, 2, 3 ..."""
    if not values.str.fullmatch(r"\d+").all():
        return False
    numbers = values.astype(int).to_numpy()
    return numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all())


def _spread(items: list[str], most: int) -> list[str]:
    return [items[int(position)] for position in np.linspace(0, len(items) - 1, min(most, len(items)))]


def _is_plain(rule: str) -> bool:
    return not rule.endswith((".dcm", ".tif", ".tiff")) and "#{" not in rule


class Pictures:
    """The image files of a competition.

    Args:
        raw: the folder with the competition's files.
        files: their paths below it.

    `files` are those that may be samples; `exclude` are patterns of those that are masks or the like, `companions` how
    many they are; `unclear` are additions to names of which one cannot tell, with their numbers.
    """

    def __init__(self, raw: Path, files: list[str]):
        self._raw = raw
        found = [path for path in files if self._is_image(path)]
        self.exclude, self.companions, self.unclear = find_companions(found)
        self.files = [path for path in found if not is_excluded(path, self.exclude)]
        self._by_stem: dict[str, list[str]] = {}
        for path in self.files:
            self._by_stem.setdefault(image_stem(path), []).append(path)
        self._by_name: dict[str, list[str]] = {}
        for path in self.files:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)
        self._widths = sorted({len(stem) for stem in self._by_stem if stem.isdecimal() and stem.startswith("0")})

    def _is_image(self, path: str) -> bool:
        """True for an image, by the end of its name or, as DICOM files often have none, by its first bytes."""
        end = PurePosixPath(path).suffix.lower()
        return end in KNOWN or (end not in OTHERS and is_dicom(self._raw / path))

    def ids_of(self, table: pd.DataFrame) -> Ids | None:
        """The column whose values name images; of several, one that is named like an id and has no value twice.

        A column of row numbers, such as a table gets that was saved with its index, is one only if there is no other.
        """
        fits: list[tuple[tuple, Ids]] = []
        most = 0  # different values of a column that names images: labels 0 and 1 may be names of images, too
        for position, column in enumerate(table.columns):
            values = table[column].drop_duplicates().head(LOOKED_AT)
            values = values[values != ""]
            if not len(values) or self._looks_like_labels(table[column]):
                continue
            found = [Ids(column, values.map(lambda value: bool(self.named(value))).mean())]
            cut = values.str.rpartition("_")
            found.append(Ids(column, cut[0].isin(self._by_stem.keys()).mean(), tuple(cut[2].unique()), long=True))
            channels = self._channels(values)
            if channels:
                found.append(Ids(column, 1.0, channels))
            for order, ids in enumerate(found):
                if len(ids.endings) <= MOST_LABELS and ids.share > 0.5:
                    most = max(most, table[column].nunique())
                    named, unique = bool(ID_NAMES.search(column)), not table[column].duplicated().any()
                    merit = (round(ids.share, 2), not _counts_rows(table[column]), named, unique, -position, -order)
                    fits.append((merit, ids))
        fits = [(merit, ids) for merit, ids in fits if table[ids.column].nunique() >= most / 2]
        fits = [(merit, ids) for merit, ids in fits if not INDEX.fullmatch(ids.column)] or fits
        if not fits:
            return None
        _, best = max(fits, key=lambda item: item[0])
        others = dict.fromkeys(
            ids.column for _, ids in fits if ids.column != best.column and ids.share > best.share - 0.05
        )
        return replace(best, others=tuple(others))

    def _looks_like_labels(self, values: pd.Series) -> bool:
        """True for few values that recur and name few of the images: grades 0 to 4, beside images 0.png to 99.png."""
        count = values.nunique()
        return count < FEW_IDS and 3 * count <= len(values) and 2 * count < len(self._by_stem)

    def _channels(self, values: pd.Series) -> tuple[str, ...]:
        """The same few endings that the image files of every id have: `<id>_red.png`, `<id>_green.png`."""
        endings: dict[str, list[str]] = {}
        for stem in self._by_stem:
            front, _, ending = stem.rpartition("_")
            endings.setdefault(front, []).append(ending)
        found = {tuple(sorted(endings.get(value, ()))) for value in values.head(50)}
        if len(found) != 1 or len(first := found.pop()) < 2 or {ending.lower() for ending in first} <= SIDES:
            return ()
        order = {"red": 0, "green": 1, "blue": 2}
        return tuple(sorted(first, key=lambda name: (order.get(name, 9), name)))

    def patterns(self, table: pd.DataFrame, ids: Ids, part: str) -> tuple[list[str], list[str]]:
        """Where the images of a table are: as many patterns as it takes, the most frequent first.

        Args:
            part: train or test; what stands in a folder of the other one is taken only if there is nothing else.

        Returns:
            The patterns, and a row's image by the first of them that it has, of the rows that have one.
        """
        count = min(MOST_ROWS, len(table))
        chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, count).astype(int))] if count else table
        rows = [self._places_of(row, ids) for row in chosen.to_dict("records")]
        own = [{rule: path for rule, path in row.items() if not _of_other_part(rule, part)} for row in rows]
        rows = own if any(own) else rows
        found: list[str] = []
        left = [row for row in rows if row]
        images = []
        while left and len(found) < MOST_PATTERNS:
            counted = Counter(rule for row in left for rule in row)
            best = min(
                counted, key=lambda rule: (-counted[rule], part not in rule, not _is_plain(rule), len(rule), rule)
            )
            found.append(best)
            images += [row[best] for row in left if best in row]
            left = [row for row in left if best not in row]
        return found, images

    def in_test_folders(self, used: list[str]) -> list[str]:
        """Patterns of images in folders named for the test part, none of which is used already."""
        taken = {name for image in used for name in image.split("|")}
        left = [path for path in self.files if path not in taken]
        there = [
            path for path in map(PurePosixPath, left) if any(part_from_name(name) == "test" for name in path.parts[:-1])
        ]
        if {str(path.parent) for path in there} & {str(PurePosixPath(path).parent) for path in taken}:
            return []
        return list(dict.fromkeys(f"{path.parent}/{{id}}{image_ending(path.name)}" for path in there))

    def _places_of(self, row: dict[str, str], ids: Ids) -> dict[str, str]:
        """The patterns that lead from a row to images, each with the image."""
        id = unicodedata.normalize("NFC", row[ids.column])
        id = id.rpartition("_")[0] if ids.long else id
        if ids.endings and not ids.long:
            channels = [f"{id}_{ending}" for ending in ids.endings]
            paths = self.named(channels[0])
            whole = {path: "|".join(path.replace(channels[0], name) for name in channels) for path in paths}
        else:
            whole = {path: path for path in self.named(id)}
        found = {self._general(path, id, row, ids): image for path, image in whole.items()}
        return found | {rule: rule.replace("{id}", id) for rule in self._members_of(id, ids)}

    def named(self, name: str) -> list[str]:
        """The images that a value names: by their stem, their name, the end of their path, or a number with zeros."""
        name = unicodedata.normalize("NFC", name).replace("\\", "/")
        if paths := self._by_stem.get(name):
            return paths
        end = PurePosixPath(name)
        same_stem = [*self._by_stem.get(end.stem, ()), *(self._by_stem.get(end.name, ()) if "/" in name else ())]
        ends = [
            path
            for path in same_stem
            if f"/{path}".endswith(f"/{name}") or f"/{path}".rpartition(".")[0].endswith(f"/{name}")
        ]
        if not ends and "/" in name:  # the table was made where more stood in front
            return match_path_endings(name, self._by_name.get(end.name, []))
        if ends or not name.isdecimal():
            return ends
        return [path for width in self._widths for path in self._by_stem.get(name.zfill(width), ())]

    def _general(self, path: str, id: str, row: dict[str, str], ids: Ids) -> str:
        """The pattern of a path: what the row says of it in braces."""
        id = id.replace("\\", "/")
        if "/" in id:
            at = f"/{path}".rfind(f"/{id}")
            return f"{path[:at]}{{id}}{path[at + len(id) :]}" if at >= 0 else "{id}"
        *folders, name = PurePosixPath(path).parts
        others = {value: column for column, value in row.items() if column != ids.column and value}
        parts = [f"{{{others[folder]}}}" if folder in others else folder for folder in folders]
        stem = image_stem(path)
        if id.isdecimal() and stem != id and name != id and stem == id.zfill(len(stem)):
            name = f"{{id:0>{len(stem)}}}" + name[len(stem) :]
        else:
            name = "{id}" + name[len(id) :]
        if ids.endings and not ids.long:
            name = name.replace(f"_{ids.endings[0]}", f"_{{{CHANNEL_FIELD}}}")
        return "/".join([*parts, name])

    def _members_of(self, id: str, ids: Ids) -> set[str]:
        containers = [path for path in self.files if path.endswith(CONTAINERS)]
        found = [path for path in containers if image_exists(f"{path}#{id}", self._raw, {path})]
        return {f"{path}#{{id}}" for path in found}

    def told_depth(self, images: list[str], guess: Draft) -> int:
        """1 if images are grey, 3 if any has colours, by a look at some of the whole set; tells what was seen.

        Args:
            images: as `read_image` takes them.
        """
        chosen = _spread(images, MOST_SEEN)
        if sum(path_of_image(self._raw, image).stat().st_size for image in chosen) > CHEAP:
            chosen = _spread(images, SEEN)
        facts, grey = ImageFacts(train="unused", test="", channels=3), []
        for image in chosen:
            try:
                pixels = read_image(self._raw, image, facts)
            except UserError:
                continue
            grey.append(bool((pixels == pixels[..., :1]).all()))
        pages = {count_pages(path_of_image(self._raw, image), facts) for image in chosen}
        if max(pages) > 1:
            many = f"up to {max(pages)}" if len(pages) > 1 else f"{max(pages)}"
            what = "the first is taken; middle, last or montage?"
            if pages == {3} and not all(grey):
                what = "they are taken as the three channels of one image"
            guess.doubts.append(f"images.frame: files have {many} pages or frames, and {what}")
        if not grey:
            guess.doubts.append(f"images.channels: none of {len(chosen)} images that I tried can be read")
            return 3
        told = f"{grey.count(True)} of {len(grey)} images that I looked at are grey"
        if 0 < grey.count(True) < len(grey):
            guess.doubts.append(f"images.channels: {told}: do the colours of the others tell anything?")
        guess.tell("images.channels", 1 if all(grey) else 3, told)
        return 1 if all(grey) else 3

    def patients_in_headers(self, guess: Draft, images: list[str]) -> bool:
        """Groups by patient or study if DICOM headers name some who have several images; True if they do.

        Args:
            images: of the training part, as `read_image` takes them.
        """
        paths = list(dict.fromkeys(path_of_image(self._raw, image) for image in images))[:LOOKED_AT]
        if not paths or not all(is_dicom(self._raw / path) for path in self.files):
            return False
        rows = []
        for path in paths:
            try:
                rows.append(read_dicom_headers(path, WHO_IN_HEADERS))
            except UserError:  # of a damaged one the audit tells
                continue
        for keyword in WHO_IN_HEADERS:
            values = [row[keyword] for row in rows if row[keyword]]
            if 2 * len(values) < len(rows) or not 1 < len(set(values)) < len(values):
                continue
            guess.facts["images"]["headers"] = [keyword]
            guess.facts["labels"]["group"] = keyword
            lacking = f"; {len(rows) - len(values)} have none" if len(values) < len(rows) else ""
            why = f"of the DICOM headers: {len(set(values)):,} in {len(values):,} images that I looked at{lacking}"
            guess.tell("labels.group", keyword, why)
            return True
        return False
