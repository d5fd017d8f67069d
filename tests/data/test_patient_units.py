"""Units that are named by patients are found, said, and kept from other users of the machine."""

import shutil
import stat

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.data import Source
from medfold.data.patient_units import describe_patient_units, patient_fields
from tests.support.finished_runs import finished_run
from tests.support.helpers import competition_facts
from tests.support.small_project import SMALL, add_competition

PATIENT_UNIT = (
    SMALL.replace(SMALL.splitlines()[1], "source: {kind: own}")
    .replace("labels: {", "labels: {test_file: test.csv, ")
    .replace("score: {metric: auc}", 'score: {metric: auc, unit: "{patient_id}"}')
    .replace("submission: {sample: sample_submission.csv}\n", "")
)


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        (None, []),
        ("{id}", []),
        ("{study_id}", []),
        ("{PatientAge}_{side}", []),
        ("{patient_id}_{laterality}", ["patient_id"]),
        ("{PatientID}", ["PatientID"]),
        ("{case}", ["case"]),  # the column of labels.group
        ("{AccessionNumber}_{Laterality}", ["AccessionNumber"]),  # DICOM headers
        ("{Subject}-{Person}", ["Subject", "Person"]),
    ],
)
def test_fields_that_may_identify_a_patient_are_found(unit, found):
    images = {"train": "train/{id}.png", "test": "test/{id}.png", "dicom_headers": ["AccessionNumber", "Laterality"]}
    labels = {"targets": ["target"], "group": "case"}
    facts = competition_facts(score={"metric": "auc", "unit": unit}, images=images, labels=labels)
    assert patient_fields(facts) == found
    assert bool(describe_patient_units(facts)) is bool(found)


@pytest.fixture
def by_patient(small, project_folder, tmp_path):
    """A phantom whose units are its patients; each test image is of another one."""
    Source(small.facts.source, small.paths).fetch()
    given = shutil.copytree(small.paths.raw, tmp_path / "given")
    test = pd.read_csv(given / "sample_submission.csv", dtype=str)[["id"]]
    test.assign(patient_id="patient of " + test["id"]).to_csv(given / "test.csv", index=False)
    add_competition(project_folder, "by-patient", PATIENT_UNIT)
    competition = Competition.open("by-patient")
    download(competition, path=given)
    return competition


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.slow
def test_patients_in_units_are_reported_with_the_folds_and_with_the_submission(by_patient, capsys):
    text = "score.unit holds patient_id: these values are in samples.csv, predictions and the submission, as they are"
    make_folds(by_patient)
    assert capsys.readouterr().out.count(text) == 1
    finished_run(by_patient)
    submit(by_patient, run_names=["baseline"], force=True, dry_run=True)
    assert capsys.readouterr().out.count(text) == 1


@pytest.mark.slow
def test_only_the_owner_may_read_files_with_patient_ids(by_patient, small):
    make_folds(by_patient)
    make_folds(small)
    paths = by_patient.paths
    assert {mode(path) for path in (paths.groups, paths.samples, paths.sample_submission)} == {0o600}
    assert mode(small.paths.groups) == 0o600
    assert mode(small.paths.samples) & 0o600 == 0o600
