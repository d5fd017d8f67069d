"""What the names of image files tell: which column of a table names them, and their pattern."""

from collections import Counter
from pathlib import Path, PurePosixPath

import pandas as pd

from medfold import competition
from medfold.errors import UserError
from medfold.guess.found import LOOKED_AT, MOST_LABELS, Ids
from medfold.images import formats
from medfold.samples import patterns

CONTAINERS = (".hdf5", ".h5")


class Pictures:
    """The image files of a competition.

    Args:
        raw: the folder with the competition's files.
        files: their paths below it.
    """

    def __init__(self, raw: Path, files: list[str]):
        self._raw = raw
        known = {*formats.suffixes(), *CONTAINERS}
        self.files = [path for path in files if PurePosixPath(path).suffix.lower() in known]
        self._by_stem: dict[str, list[str]] = {}
        for path in self.files:
            self._by_stem.setdefault(PurePosixPath(path).stem, []).append(path)

    def ids_of(self, table: pd.DataFrame) -> Ids | None:
        """The column whose values name images; of several that do, the first."""
        names = {PurePosixPath(path).name for path in self.files}
        best = None
        for column in table.columns:
            values = table[column].drop_duplicates().head(LOOKED_AT)
            values = values[values != ""]
            if not len(values):
                continue
            found = [Ids(column, (values.isin(self._by_stem.keys()) | values.isin(names)).mean())]
            cut = values.str.rpartition("_")
            found.append(Ids(column, cut[0].isin(self._by_stem.keys()).mean(), tuple(cut[2].unique()), long=True))
            channels = self._channels(values)
            if channels:
                found.append(Ids(column, 1.0, channels))
            for ids in found:
                few = len(ids.endings) <= MOST_LABELS
                if few and ids.share > 0.5 and (best is None or ids.share > best.share + 0.01):
                    best = ids
        return best

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

    def depth(self, table: pd.DataFrame, ids: Ids, pattern: str) -> int | None:
        """1 if the first images are grey, 3 if any has colours; None if none of them can be read."""
        rows = table.head(8).rename(columns={ids.column: "id"})
        if ids.long:
            rows["id"] = rows["id"].str.rpartition("_")[0]
        facts = competition.Images(train=pattern, test="", channels=3)
        grey = []
        for image in patterns.fill(pattern, rows, "images").unique():
            try:
                pixels = formats.read(self._raw, image, facts)
            except UserError:
                continue
            grey.append(bool((pixels == pixels[..., :1]).all()))
        if not grey:
            return None
        return 1 if all(grey) else 3

    def patients_in_headers(self) -> bool:
        """True if the DICOM headers of the training images name patients who have several."""
        found = [path for path in self.files if path.endswith(".dcm") and "train" in path][:LOOKED_AT]
        values = [formats.headers(self._raw / path, ["PatientID"])["PatientID"] for path in found]
        return "" not in values and 1 < len(set(values)) < len(values)
