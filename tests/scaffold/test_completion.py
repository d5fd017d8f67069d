"""A draft is completed by title, source and upload, in the order of keys of the reference."""

import copy
import re

from medfold.scaffold import Draft
from medfold.scaffold.completion import KEY_ORDER, SECTION_KEY_ORDER, complete_draft
from tests.support.helpers import REPOSITORY


def test_keys_of_a_draft_are_in_the_order_of_the_reference():
    reference = (REPOSITORY / "docs" / "reference.md").read_text(encoding="utf-8")
    for section, keys in SECTION_KEY_ORDER.items():
        documented = re.findall(rf"^\| `{section}\.(\w+)` ", reference, re.MULTILINE)
        assert keys == [key for key in dict.fromkeys(documented) if key in keys]
    facts = {section: dict.fromkeys(reversed(keys), "x") for section, keys in SECTION_KEY_ORDER.items()}
    draft = Draft({**facts, "task": "binary"})
    completed = complete_draft(draft, "theirs", {"kind": "own"}).facts
    assert list(completed) == [key for key in KEY_ORDER if key in completed]
    for section, keys in SECTION_KEY_ORDER.items():
        assert list(completed[section]) == keys


def upload_of(kind: str) -> Draft:
    """The draft of a competition that takes notebooks, completed for a kind of source."""
    draft = Draft({"task": "binary", "labels": {}, "images": {}, "upload": "notebook"})
    draft.add_reason("upload", "notebook", "the test set is hidden")
    draft.add_doubt("upload", "is it a notebook competition?")
    before = copy.deepcopy(draft)
    completed = complete_draft(draft, "their-lungs", {"kind": kind})
    assert draft == before
    return completed


def test_own_data_has_no_upload_and_a_reason_for_that():
    completed = upload_of("own")
    assert (completed.facts["title"], completed.facts["upload"]) == ("Their lungs", "none")
    assert completed.reasons == [("upload", "none", "no address on Kaggle was given")]
    (doubt,) = completed.doubts
    assert str(doubt).startswith("upload: none, since no competition on Kaggle is known; for one, give its address: ")
    assert str(doubt).endswith(" COMPETITION=https://www.kaggle.com/competitions/...")


def test_data_of_kaggle_keeps_the_guessed_upload():
    completed = upload_of("kaggle")
    assert completed.facts["upload"] == "notebook"
    assert (len(completed.reasons), len(completed.doubts)) == (1, 1)
