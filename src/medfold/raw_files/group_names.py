"""Names of columns that group images: the words for patients, studies and lesions."""

import re

# Words for what several images may share, persons first. A column named with one of them needs no other evidence.
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
WEAK_GROUP_WORDS = ("study", "exam", "series", "visit")  # may be counts of visits: used only together with an `ID_WORD`
ID_WORD = re.compile(r"id|uid|number|num|no|key|code|accession|name|instance", re.I)
# Names of columns that describe a person or an image but do not identify it: Patient Age, ViewPosition.
ATTRIBUTE_WORD = re.compile(
    r"age|sex|gender|view|position|date|time|year|laterality|side|site|weight|height|race|ethnic|count|number of|"
    r"diagnos|history|class|label|grade|type|status|path|descri|control|examined|location|modality",
    re.I,
)


def is_attribute_name(name: str) -> bool:
    """Returns True if a column's name says that it describes a person or an image: Patient Age, ViewPosition."""
    return ATTRIBUTE_WORD.search(name) is not None


def is_group_name(name: str) -> bool:
    """Returns True if a column's name refers to persons, studies or lesions, rather than describing them."""
    return find_group_word(name) is not None


def find_group_word(name: str) -> str | None:
    """Finds the word of `GROUP_WORDS` in a column's name (patient in ID_Patient and PatientID); None without one."""
    without_image = name.replace("image", "").replace("Image", "")
    if is_attribute_name(without_image):
        return None
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", without_image)]
    has_id_word = any(ID_WORD.fullmatch(word) for word in words)
    for group_word in GROUP_WORDS:
        if group_word in WEAK_GROUP_WORDS and not has_id_word:
            continue
        # A short word must match whole (rid, but not grid); a longer one may be part of a word (patientid).
        if group_word in words or (len(group_word) > 4 and any(group_word in word for word in words)):
            return group_word
    return None
