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
    of them often. So is what stands before the first separator of an id, and a folder.

    Args:
        ids: text (n,).
        images: text (n,), their paths.
        columns: text (n, columns), further columns of the label table.
        fold: int (n,).

    Returns:
        The suspects, those whose name says so first, then those that join the most images.
    """
    candidates = [(name, f"labels.group: {name}", columns[name], by_name(name)) for name in columns]
    first = ids.str.extract(r"^([^_\-. ]*\d[^_\-. ]*)[_\-. ]", expand=False)
    candidates.append(("the first part of the ids", 'labels.group_pattern: "[^_. -]+"', first, False))
    folder = images.str.rpartition("/")[0].str.rpartition("/")[2]
    candidates.append(("the folder of an image", "labels.group_pattern, with folders in labels.id", folder, False))
    found = []
    for name, fact, values, believed in candidates:
        if not believed and TELL.search(name) and name in columns:
            continue
        values = values.fillna("").astype(str).str.strip()
        count = values[values != ""].value_counts()
        joined, recurring = values.isin(count.index[count > 1]).to_numpy(), count[count > 1]
        if not len(recurring) or (values == "").mean() > 0.5:
            continue
        if not believed and not _look_like_names(count, recurring, len(values)):
            continue
        apart = int((pd.Series(fold[joined]).groupby(values.to_numpy()[joined]).nunique() > 1).sum())
        if apart:
            found.append((not believed, Suspect(name, fact, len(count), int(joined.sum()), apart)))
    return [suspect for _, suspect in sorted(found, key=lambda each: (each[0], -each[1].images))]


def _look_like_names(count: pd.Series, recurring: pd.Series, images: int) -> bool:
    digits = count.index.str.contains(r"\d").mean()
    fractions = count.index.str.fullmatch(r"-?\d+\.\d+").mean()
    enough = recurring.sum() >= JOINS * images
    return bool(digits > 0.9 and fractions < 0.5 and count.max() <= max(LARGEST * images, 3) and enough)
