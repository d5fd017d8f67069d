"""Groups that nobody named: columns, parts of ids and folders whose values recur, as those of patients do."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Words for what several images are of; a column or a folder that has one is believed at once.
NAMES = ("patient", "subject", "person", "participant", "case", "lesion", "study", "exam", "series", "visit")
# Names of columns that tell something about a person or an image and name neither: Patient Age, ViewPosition.
TELL = re.compile(
    r"age|sex|gender|view|position|date|time|year|laterality|side|site|weight|height|race|ethnic|count|number of|"
    r"diagnos|history|class|label|grade|type|status|path",
    re.I,
)
PART, BETWEEN, MOST_PARTS = "[^_. -]+", "[_. -]+", 6  # of an id
LARGEST = 0.1  # share of the images that one value may have: more is a kind, not somebody
JOINS = 0.05  # share of the images that must stand beside another of the same value


@dataclass(frozen=True)
class Suspect:
    """Something whose values recur.

    Args:
        name: the column, or what part of the ids or of the folders it is.
        fact: what to write into competition.yaml to group by it.
        values: how many different ones.
        images: that share theirs with another image.
        apart: how many values stand in several folds.
    """

    name: str
    fact: str
    values: int
    images: int
    apart: int


def by_name(name: str) -> bool:
    """True if a column is named as if it named persons, studies or lesions, and not what is said of them."""
    plain = name.lower().replace("image", "")
    return any(word in plain for word in NAMES) and not TELL.search(plain)


def find(ids: pd.Series, images: pd.Series, columns: pd.DataFrame, fold: np.ndarray) -> list[Suspect]:
    """Finds columns, parts of ids and folders whose values join images of different folds.

    A column is a suspect by its name, or if its values look like names of somebody: letters or digits that recur, none
    of them often. So are the first parts of an id, as few of them as look so, and a folder.

    Args:
        ids: text (n,).
        images: text (n,), their paths.
        columns: text (n, columns), further columns of the label table.
        fold: int (n,).

    Returns:
        The suspects, those whose name says so first, then those that join the most images.
    """
    candidates = [(name, f"labels.group: {name}", columns[name], by_name(name)) for name in columns]
    candidates += _first_parts(ids)
    folder = images.str.rpartition("/")[0].str.rpartition("/")[2]
    candidates.append(("the folder of an image", "labels.group_pattern, with folders in labels.id", folder, False))
    found = []
    for name, fact, values, believed in candidates:
        if not believed and TELL.search(name) and name in columns:
            continue
        values = values.fillna("").astype(str).str.strip()
        count = values[values != ""].value_counts()
        joined = values.isin(count.index[count > 1]).to_numpy()
        if not joined.any() or (values == "").mean() > 0.5:
            continue
        if not believed and not _look_like_names(values):
            continue
        apart = int((pd.Series(fold[joined]).groupby(values.to_numpy()[joined]).nunique() > 1).sum())
        if apart:
            found.append((not believed, Suspect(name, fact, len(count), int(joined.sum()), apart)))
    return [suspect for _, suspect in sorted(found, key=lambda each: (each[0], -each[1].images))]


def _first_parts(ids: pd.Series) -> list[tuple[str, str, pd.Series, bool]]:
    """The fewest parts of the ids, from the first, that look like names: `CNV-1016042` of CNV-1016042-1."""
    for count in range(1, MOST_PARTS + 1):
        rule = f"(?:{PART}{BETWEEN}){{{count - 1}}}{PART}".replace("{1}", "") if count > 1 else PART
        first = ids.str.extract(f"^({rule}){BETWEEN}", expand=False).fillna("")
        first = first.where(first.str.contains(r"\d"), "")
        if (first != "").mean() > 0.5 and _look_like_names(first):
            name = "the first part of the ids" if count == 1 else f"the first {count} parts of the ids"
            return [(name, f'labels.group_pattern: "{rule}"', first, False)]
    return []


def _look_like_names(values: pd.Series) -> bool:
    count, images = values[values != ""].value_counts(), len(values)
    recurring = count[count > 1]
    digits = count.index.str.contains(r"\d").mean()
    fractions = count.index.str.fullmatch(r"-?\d+\.\d+").mean()
    enough = recurring.sum() >= JOINS * images
    return bool(digits > 0.9 and fractions < 0.5 and count.max() <= max(LARGEST * images, 3) and enough)
