"""Groups that nobody named: columns, parts of ids and folders whose values recur, as those of patients do."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Words for what several images are of, persons first; a column that has one is believed at once.
PERSON_WORDS = (
    "patient",
    "subject",
    "person",
    "participant",
    "individual",
    "donor",
    "mrn",
    "pid",
    "rid",
    "empi",
    "anon",
)
GROUP_WORDS = (*PERSON_WORDS, "case", "lesion", "study", "exam", "series", "visit")
VAGUE = ("study", "exam", "series", "visit")  # they count visits as well as name them: only with a word for an id
KEY = re.compile(r"id|uid|number|num|no|key|code|accession|name|instance", re.I)
# Names of columns that tell something about a person or an image and name neither: Patient Age, ViewPosition.
TELL = re.compile(
    r"age|sex|gender|view|position|date|time|year|laterality|side|site|weight|height|race|ethnic|count|number of|"
    r"diagnos|history|class|label|grade|type|status|path|descri|control|examined|location|modality",
    re.I,
)
PART, BETWEEN, MOST_PARTS = "[^_. -]+", "[_. -]+", 6  # of an id
LARGEST = 0.1  # share of the images that one value may have: more is a kind, not somebody
JOINS = 0.05  # share of the images that must stand beside another of the same value


@dataclass(frozen=True)
class SuspectedGroup:
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


def is_group_name(name: str) -> bool:
    """True if a column is named as if it named persons, studies or lesions, and not what is said of them."""
    return find_group_word(name) is not None


def find_group_word(name: str) -> str | None:
    """Finds the word of `NAMES` in a column's name: patient in ID_Patient and PatientID; None if there is none."""
    plain = name.replace("image", "").replace("Image", "")
    if TELL.search(plain):
        return None
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", plain)]
    key = any(KEY.fullmatch(word) for word in words)
    for known in GROUP_WORDS:
        if known in VAGUE and not key:
            continue
        # Short ones are words of their own: rid, but not grid. Others may stand within: patientid.
        if known in words or (len(known) > 4 and any(known in word for word in words)):
            return known
    return None


def find_unnamed_groups(
    ids: pd.Series, images: pd.Series, columns: pd.DataFrame, fold: np.ndarray
) -> list[SuspectedGroup]:
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
    candidates = [(name, f"labels.group: {name}", columns[name], is_group_name(name)) for name in columns]
    candidates += _first_parts(ids)
    candidates += _folders(images)
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
            found.append((not believed, SuspectedGroup(name, fact, len(count), int(joined.sum()), apart)))
    return [suspect for _, suspect in sorted(found, key=lambda each: (each[0], -each[1].images))]


def _first_parts(ids: pd.Series) -> list[tuple[str, str, pd.Series, bool]]:
    """Finds the shortest beginning of the ids that looks like names of somebody: `CNV-1016042` of CNV-1016042-1."""
    for count in range(1, MOST_PARTS + 1):
        rule = f"(?:{PART}{BETWEEN}){{{count - 1}}}{PART}".replace("{1}", "") if count > 1 else PART
        first = ids.str.extract(f"^({rule}){BETWEEN}", expand=False).fillna("")
        first = first.where(first.str.contains(r"\d"), "")
        if (first != "").mean() > 0.5 and _look_like_names(first):
            name = "the first part of the ids" if count == 1 else f"the first {count} parts of the ids"
            return [(name, f'labels.group_pattern: "{rule}"', first, False)]
    return []


def _folders(images: pd.Series) -> list[tuple[str, str, pd.Series, bool]]:
    """The folders of images as candidates, the outermost that look like names: patient00001 of patient00001/study1."""
    folders = images.str.partition("#")[0].str.split("/").str[:-1]
    for level in range(int(folders.str.len().max())):
        names = folders.str[level].fillna("").astype(str)
        if (names != "").mean() > 0.5 and _look_like_names(names):
            fact = "labels.group_pattern, with folders in labels.id"
            name = "the folder of an image" if level == folders.str.len().max() - 1 else f"folders of level {level + 1}"
            return [(name, fact, names, False)]
    return []


def _look_like_names(values: pd.Series) -> bool:
    count, images = values[values != ""].value_counts(), len(values)
    recurring = count[count > 1]
    digits = count.index.str.contains(r"\d").mean()
    fractions = count.index.str.fullmatch(r"-?\d+\.\d+").mean()
    enough = recurring.sum() >= JOINS * images
    return bool(digits > 0.9 and fractions < 0.5 and count.max() <= max(LARGEST * images, 3) and enough)
