"""What the names of image files tell: which column of a table names them, and their pattern."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from medfold import competition
from medfold.errors import UserError
from medfold.guess.found import LOOKED_AT, MOST_LABELS, Guess, Ids
from medfold.images import formats
from medfold.samples import patterns

CONTAINERS = (".hdf5", ".h5")
INDEX = re.compile(r"Unnamed: \d+|index|level_0|", re.I)  # names of columns of row numbers
ID_NAMES = re.compile(r"id|image|file|name|path|uid|slide|scan", re.I)  # in names of columns that name images
SEEN = 24  # images that are looked at to find out whether they have colours


# Words for what stands beside an image and is none: in additions to its name, or in the name of a folder.
MASK = re.compile(
    r"mask|segm|annot|ground.?truth|contour|overlay|heatmap|(^|[\W_])(seg|gt|rois?|labels?)([\W_\d]|$)", re.I
)
OFTEN = 0.2  # of the images have a companion, where it is no accident


def companions(images: list[str]) -> tuple[list[str], int, dict[str, int]]:
    """Finds masks and the like: `x_mask.png` beside `x.png`, `masks/x.png` beside `images/x.png`.

    Args:
        images: paths.

    Returns:
        Patterns of those that are masks or the like, how many images they match, and by addition the number of those
        of which one cannot tell.
    """
    by_folder: dict[str, set[str]] = {}
    for path in images:
        by_folder.setdefault(str(PurePosixPath(path).parent), set()).add(PurePosixPath(path).stem)
    exclude, unclear = set(), {}
    counted = Counter(
        addition for stems in by_folder.values() for stem in stems if (addition := _addition(stem, stems))
    )
    bases = max(1, len(images) - sum(counted.values()))
    for addition, count in counted.items():
        if MASK.search(addition):
            exclude.add(f"*{addition}.*")
        elif count >= OFTEN * bases and count > 3:
            unclear[addition] = count
    for folder, stems in by_folder.items():
        name = PurePosixPath(folder).name
        if not MASK.search(name):
            continue
        others = {stem for other, found in by_folder.items() if other != folder for stem in found}
        alike = sum(stem in others or _addition(stem, others | {stem}) is not None for stem in stems)
        if alike >= len(stems) / 2:
            exclude.add(f"{name}/*" if folder == name else f"*/{name}/*")
    patterns_found = sorted(exclude)
    return patterns_found, sum(patterns.is_excluded(path, patterns_found) for path in images), unclear


def _addition(stem: str, stems: set[str]) -> str | None:
    """What is added to the name of another image: '_mask' of x_mask beside x."""
    for cut in re.finditer(r"[\W_]", stem):
        if stem[: cut.start()] in stems:
            return stem[cut.start() :]
    return None


FEW_IDS = 20  # so many different values that recur are rather labels than ids


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
        known = {*formats.suffixes(), *CONTAINERS}
        found = [path for path in files if PurePosixPath(path).suffix.lower() in known]
        self.exclude, self.companions, self.unclear = companions(found)
        self.files = [path for path in found if not patterns.is_excluded(path, self.exclude)]
        self._by_stem: dict[str, list[str]] = {}
        for path in self.files:
            self._by_stem.setdefault(PurePosixPath(path).stem, []).append(path)

    def ids_of(self, table: pd.DataFrame) -> Ids | None:
        """The column whose values name images; of several, one that is named like an id and has no value twice.

        A column of row numbers, such as a table gets that was saved with its index, is one only if there is no other.
        """
        names = {PurePosixPath(path).name for path in self.files}
        fits: list[tuple[tuple, Ids]] = []
        most = 0  # different values of a column that names images: labels 0 and 1 may be names of images, too
        for position, column in enumerate(table.columns):
            values = table[column].drop_duplicates().head(LOOKED_AT)
            values = values[values != ""]
            if not len(values) or self._looks_like_labels(table[column]):
                continue
            found = [Ids(column, (values.isin(self._by_stem.keys()) | values.isin(names)).mean())]
            cut = values.str.rpartition("_")
            found.append(Ids(column, cut[0].isin(self._by_stem.keys()).mean(), tuple(cut[2].unique()), long=True))
            channels = self._channels(values)
            if channels:
                found.append(Ids(column, 1.0, channels))
            for order, ids in enumerate(found):
                if len(ids.endings) <= MOST_LABELS and ids.share > 0.5:
                    most = max(most, table[column].nunique())
                    named, unique = bool(ID_NAMES.search(column)), not table[column].duplicated().any()
                    fits.append(((round(ids.share, 2), named, unique, -position, -order), ids))
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
        if len(found) != 1 or len(first := found.pop()) < 2:
            return ()
        order = {"red": 0, "green": 1, "blue": 2}
        return tuple(sorted(first, key=lambda name: (order.get(name, 9), name)))

    def pattern(self, table: pd.DataFrame, ids: Ids, part: str) -> str | None:
        """Where most of the images of a table are, of a part (train, test) rather; None if none is there."""
        rows = table.head(LOOKED_AT)
        counted: Counter[str] = Counter()
        for row in rows.to_dict("records"):
            id = row[ids.column].rpartition("_")[0] if ids.long else row[ids.column]
            stem = f"{id}_{ids.endings[0]}" if ids.endings and not ids.long else id
            own = {self._general(path, id, row, ids) for path in self._paths_of(stem)}
            counted.update(own | self._members_of(id, ids))
        if not counted:
            return None

        def merit(pattern: str) -> tuple:
            plain = not pattern.endswith((".dcm", ".tif", ".tiff")) and "#" not in pattern
            return counted[pattern], part in pattern, plain, -len(pattern), pattern

        return max(counted, key=merit)

    def _paths_of(self, name: str) -> list[str]:
        """The images of that stem; or, if it has an ending, of that name."""
        same_stem = self._by_stem.get(PurePosixPath(name).stem, [])
        return self._by_stem.get(name) or [path for path in same_stem if PurePosixPath(path).name == name]

    def _general(self, path: str, id: str, row: dict[str, str], ids: Ids) -> str:
        *folders, name = PurePosixPath(path).parts
        others = {value: column for column, value in row.items() if column != ids.column and value}
        parts = [f"{{{others[folder]}}}" if folder in others else folder for folder in folders]
        name = "{id}" + name[len(id) :]
        if ids.endings and not ids.long:
            name = name.replace(f"_{ids.endings[0]}", f"_{{{patterns.CHANNEL}}}")
        return "/".join([*parts, name])

    def _members_of(self, id: str, ids: Ids) -> set[str]:
        containers = [path for path in self.files if path.endswith(CONTAINERS)]
        found = [path for path in containers if patterns.is_there(f"{path}#{id}", self._raw, {path})]
        return {f"{path}#{{id}}" for path in found}

    def told_depth(self, images: list[str], guess: Guess) -> int:
        """1 if images are grey, 3 if any has colours, by a look at some of the whole set; tells what was seen.

        Args:
            images: as `formats.read` takes them.
        """
        chosen = [images[int(position)] for position in np.linspace(0, len(images) - 1, min(SEEN, len(images)))]
        facts, grey = competition.Images(train="unused", test="", channels=3), []
        for image in chosen:
            try:
                pixels = formats.read(self._raw, image, facts)
            except UserError:
                continue
            grey.append(bool((pixels == pixels[..., :1]).all()))
        pages = {formats.pages(self._raw / image.split("|")[0]) for image in chosen}
        if max(pages) > 1:
            many = f"up to {max(pages)} pages" if len(pages) > 1 else f"{max(pages)} pages"
            guess.doubts.append(f"images.frame: TIFFs have {many}, and the first is taken; middle, last or montage?")
        if not grey:
            guess.doubts.append(f"images.channels: none of {len(chosen)} images that I tried can be read")
            return 3
        told = f"{grey.count(True)} of {len(grey)} images that I looked at are grey"
        if 0 < grey.count(True) < len(grey):
            guess.doubts.append(f"images.channels: {told}: do the colours of the others tell anything?")
        guess.tell("images.channels", 1 if all(grey) else 3, told)
        return 1 if all(grey) else 3

    def patients_in_headers(self) -> bool:
        """True if the DICOM headers of the training images name patients who have several."""
        found = [path for path in self.files if path.endswith(".dcm") and "train" in path][:LOOKED_AT]
        values = [formats.headers(self._raw / path, ["PatientID"])["PatientID"] for path in found]
        return "" not in values and 1 < len(set(values)) < len(values)
