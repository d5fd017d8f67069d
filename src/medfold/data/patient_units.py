"""Units that are named by patients: their ids then stand in the sample table, in predictions and in submissions."""

from medfold.competition import CompetitionFacts
from medfold.images import identifying_keywords
from medfold.raw_files import PERSON_WORDS, find_group_word, pattern_fields


def patient_fields(facts: CompetitionFacts) -> list[str]:
    """Returns the fields of `score.unit` whose values may identify a patient.

    They are the column of `labels.group`, DICOM headers that are not technical, and columns named after persons.
    """
    fields = pattern_fields(facts.score.unit or "")
    headers = identifying_keywords(set(fields) & set(facts.images.dicom_headers))
    return [
        field
        for field in fields
        if field == facts.labels.group or field in headers or find_group_word(field) in PERSON_WORDS
    ]


def describe_patient_units(facts: CompetitionFacts) -> str:
    """Returns a warning that the ids of units may identify patients; '' if they do not."""
    fields = patient_fields(facts)
    if not fields:
        return ""
    named = " and ".join(fields)
    return f"score.unit holds {named}: these values are in samples.csv, predictions and the submission, as they are"
