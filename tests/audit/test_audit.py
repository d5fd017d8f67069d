"""Audit of a dataset: lost labels, unnamed groups, differences between train and test and between the classes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.audit import audit
from medfold.data import make_dataset
from medfold.images import STATISTICS, read_appearance
from tests.support.helpers import competition_facts


def test_units_labelled_only_by_unreadable_images_are_found():
    facts = competition_facts(score={"metric": "auc", "unit": "{pid}"})
    unit, target = ["p1", "p1", "p2", "p2", "p3"], ["0", "1", "1", "1", "1"]
    train = pd.DataFrame({"unit": unit, "target": target, "id": list("abcde")})
    assert audit.units_with_lost_labels(facts, train.iloc[[0, 3]], train.iloc[[1, 2, 4]]) == ["p1"]
    assert audit.units_with_lost_labels(facts, train, train[:0]) == []


@pytest.fixture
def competition(tmp_path):
    """A competition whose headers are in `headers.csv` of a temporary folder."""
    paths = SimpleNamespace(headers=tmp_path / "headers.csv", raw_root=lambda root: tmp_path)
    return SimpleNamespace(facts=competition_facts(), paths=paths)


@pytest.mark.parametrize(("group", "names"), [(None, ["PatientID", "subject"]), ("person", ["subject"])])
def test_patient_in_dicom_headers_is_a_suspected_group_unless_groups_are_named(competition, monkeypatch, group, names):
    competition.facts = competition_facts(labels={"targets": ["target"], "group": group})
    ids = [f"i{number}" for number in range(40)]
    train = pd.DataFrame({"id": ids, "image": [f"{id}.dcm" for id in ids], "fold": np.arange(40) % 2})
    persons = [f"p{number // 4}" for number in range(40)]
    monkeypatch.setattr(audit, "read_extra_columns", lambda *_: pd.DataFrame({"subject": persons}))
    monkeypatch.setattr(audit, "is_dicom", lambda path: True)
    monkeypatch.setattr(audit, "read_headers", lambda *_, **__: {"PatientID": persons})
    suspects = audit.find_unnamed_groups(competition, train)
    assert [suspect.name for suspect in suspects] == names
    assert suspects[0].num_split_values == 10
    assert "PatientID" not in names or suspects[0].setting.startswith("labels.group: PatientID with images.dicom")


def parts(num_rows: int = 60) -> SimpleNamespace:
    """A dataset with train and test, the test set brighter; `site` tells the class, `age` is empty in the test set."""
    rng = np.random.default_rng(0)
    ids = [f"i{number}" for number in range(2 * num_rows)]
    targets = np.arange(num_rows) % 2
    appearance = pd.DataFrame(rng.normal(size=(2 * num_rows, len(STATISTICS))), columns=list(STATISTICS))
    appearance[STATISTICS[0]] += np.repeat([0, 10], num_rows)
    table = pd.DataFrame({"id": ids, "group": range(2 * num_rows), "site": "north", "age": None})
    train, test = table[:num_rows].copy(), table[num_rows:].reset_index(drop=True)
    train["site"] = np.where(targets == 1, "north", "south")
    return SimpleNamespace(train=train, test=test, targets=targets, appearance=appearance.assign(id=ids))


def scanned(dataset: SimpleNamespace, monkeypatch) -> SimpleNamespace:
    """The same dataset, whose images a scan has measured."""
    measurements = dataset.appearance[["id"]].assign(height=8, width=8)
    monkeypatch.setattr(audit, "read_measurements", lambda *_: measurements)
    return dataset


def test_train_and_test_are_compared_by_statistics_and_filled_columns(competition, monkeypatch):
    competition.facts = competition_facts(labels={"targets": ["target"], "keep_columns": ["site", "age"]})
    dataset = scanned(parts(), monkeypatch)
    shift, columns = audit.compare_train_and_test(competition, dataset, dataset.appearance)
    assert columns == ["site"]
    assert shift.auc > 0.95
    assert shift.columns[0][0] == STATISTICS[0]


def test_column_that_differs_by_class_is_named_with_the_class(competition):
    dataset = parts()
    assert audit.columns_that_predict_classes(competition, dataset) is None
    headers = pd.DataFrame({"id": dataset.train["id"], "Rows": dataset.targets, "Scanner": dataset.targets})
    headers.to_csv(competition.paths.headers, index=False)
    ((column, name, strength),) = audit.columns_that_predict_classes(competition, dataset)
    assert (column, name) == ("Scanner", "1")
    assert strength > 0.9


def test_kept_column_may_be_named_like_a_statistic_or_a_header(competition, monkeypatch):
    competition.facts = competition_facts(labels={"targets": ["target"], "keep_columns": ["height", "Scanner"]})
    dataset = scanned(parts(), monkeypatch)
    for height, part in enumerate((dataset.train, dataset.test)):
        part["height"], part["Scanner"] = height, "one"
    headers = pd.DataFrame({"id": dataset.train["id"], "Scanner": dataset.targets})
    headers.to_csv(competition.paths.headers, index=False)
    shift, columns = audit.compare_train_and_test(competition, dataset, dataset.appearance)
    assert columns == ["height", "Scanner"]
    assert "height (table)" in dict(shift.columns)
    assert [name for name, *_ in audit.columns_that_predict_classes(competition, dataset)] == ["Scanner (header)"]


def test_groups_in_train_and_test_are_counted_as_the_facts_name_them(folded, monkeypatch):
    train = pd.DataFrame({"id": list("abcd"), "group": [0, 0, 0, 3]})  # a duplicate joined groups 0 and 1
    dataset = SimpleNamespace(train=train, test=pd.DataFrame({"id": ["x", "y", "z"]}))
    samples = pd.DataFrame({"id": list("abcdxyz"), "group": [0, 1, 1, 3, 1, 3, 4]})
    monkeypatch.setattr(audit, "read_samples", lambda *_: samples)
    assert audit.find_group_overlap(folded, dataset) == audit.GroupOverlap(num_groups=2, num_train=3, num_test=2)
    monkeypatch.setattr(audit, "read_samples", lambda *_: samples.assign(group=range(7)))
    assert audit.find_group_overlap(folded, dataset) is None


@pytest.mark.parametrize(("unit", "lost"), [("{pid}", ["p1"]), (None, [])])
def test_results_of_an_audit_are_returned_together(folded, monkeypatch, unit, lost):
    dataset = make_dataset(folded)
    facts = folded.facts.model_copy(update={"score": folded.facts.score.model_copy(update={"unit": unit})})
    competition = replace(folded, facts=facts)
    monkeypatch.setattr(audit, "units_with_lost_labels", lambda *_: ["p1"])
    monkeypatch.setattr(audit, "mask_warning", lambda images: f"{len(images)} masks")
    monkeypatch.setattr(audit, "value_warnings", lambda *_: ["no air"])
    appearance = read_appearance(competition)
    result = audit.audit_dataset(competition, dataset, appearance)
    assert result.units_with_lost_labels == lost
    assert result.mask_suspicion == f"{len(dataset.train) + len(dataset.test)} masks"
    assert result.value_warnings == ["no air"]
    assert result.suspected_groups == audit.find_unnamed_groups(competition, dataset.train)
    assert (result.shift, result.compared_columns) == audit.compare_train_and_test(competition, dataset, appearance)
    assert result.group_overlap is None
    assert result.predictive_columns == audit.columns_that_predict_classes(competition, dataset)
