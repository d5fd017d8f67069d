"""Names of columns that group images."""

import pytest

from medfold.raw_files.group_names import find_group_word


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *[(name, "patient") for name in ("PatientID", "patient", "ID_Patient", "patientid", "Patient Number")],
        *[("StudyInstanceUID", "study"), ("exam_id", "exam"), ("RID", "rid"), ("lesion_id", "lesion"), ("mrn", "mrn")],
        *[(name, None) for name in ("Visit", "exam", "grid", "case_control", "image_case_type", "examined")],
    ],
)
def test_find_group_word_finds_words_for_patients(name, word):
    assert find_group_word(name) == word
