"""make folds: what is printed of folds and audit, near-duplicates, dataset shift."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.audit import AuditResult, DatasetShift, GroupOverlap, SuspectedGroup
from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.shared.show_dataset import show_dataset
from medfold.competition import Competition
from medfold.data import Source, make_dataset
from medfold.folds import LeakReport
from medfold.system import json_files
from tests.support.helpers import replaced
from tests.support.small_project import SMALL, add_competition

GIVEN_FACTS = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle_dataset, slug: a/b}")


@pytest.fixture
def folder(small, tmp_path):
    """A copy of the raw data of the small phantom, to be changed and given with FROM=."""
    Source(small.facts.source, small.paths).fetch()
    target = tmp_path / "given"
    for path in small.paths.raw.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(small.paths.raw)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def download_project(project_folder, name, facts, folder):
    add_competition(project_folder, name, facts)
    competition = Competition.open(name)
    download(competition, folder)
    return competition


def add_near_duplicates(folder, count=3):
    """Adds brighter copies of some training images under other patients' names; returns the pairs of ids."""
    table = pd.read_csv(folder / "train.csv", dtype=str)
    rows, pairs = [], []
    for number, row in enumerate(table.iloc[: 7 * count : 7].to_dict("records")):
        pixels = cv2.imread(str(folder / "train" / f"{row['id']}.png"), cv2.IMREAD_GRAYSCALE)
        copy = f"copy{number}"
        cv2.imwrite(str(folder / "train" / f"{copy}.png"), np.clip(pixels * 1.1, 0, 255).astype(np.uint8))
        rows.append({**row, "id": copy, "patient_id": f"another {number}"})
        pairs.append((row["id"], copy))
    pd.concat([table, pd.DataFrame(rows)]).to_csv(folder / "train.csv", index=False)
    return pairs


CLEAN_AUDIT = AuditResult([], "", [], [], [], DatasetShift(np.nan, []), [], None)


@pytest.fixture
def shown(small, capsys):
    """Returns a function: the lines that are printed of these resultss, without the spaces between columns."""
    train = pd.DataFrame({"group": range(6), "fold": [0, 1, 2] * 2})
    leaks = LeakReport(split_groups=[], duplicates=[], contradicting_duplicates=[], duplicates_in_test=[])
    dataset = SimpleNamespace(train=train, targets=np.array([0, 0, 0, 1, 1, 1]), leaks=leaks, has_new_folds=True)

    def show(**result) -> list[str]:
        show_dataset(small, dataset, replace(CLEAN_AUDIT, **result))
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return show


def test_folds_and_leaks_are_printed_without_further_results(shown):
    lines = shown()
    assert lines[0].split() == ["fold", "samples", "groups", "target=0", "target=1"]
    assert [line for line in lines if line.startswith("audit")] == ["audit groups in two folds none"]
    assert lines[-1] == "train images found in test none"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            {"units_with_lost_labels": ["p1", "p2"]},
            "folds 2 units have a label only with an image that cannot be read: counted as negative: p1, p2",
        ),
        (
            {"group_overlap": GroupOverlap(num_groups=2, num_train=3, num_test=1)},
            "groups in train and test 2 groups, 3 images in train, 1 image in test: the test score may be too high",
        ),
        ({"mask_suspicion": "2 masks"}, "masks among the images 2 masks"),
        ({"value_warnings": ["no air"]}, "values of the images no air"),
        ({"formulas": ["=1+1", "@x"]}, "formulas for a spreadsheet 2 ids or names: =1+1, @x; kept as they are"),
        (
            {"suspected_groups": [SuspectedGroup("subject", "labels.group: subject", 9, 40, 1)]},
            (
                "suspected groups subject: 9 values, 40 images share theirs, 1 value is in several folds "
                "(labels.group: subject keeps them together)"
            ),
        ),
        (
            {"shift": DatasetShift(0.8, [("dark", 0.75), ("site", 0.6)]), "compared_columns": ["site"]},
            (
                "train vs test AUC 0.80 by image statistics and table columns (0.5: alike); "
                "each alone: dark end (5th percentile) 0.75, site 0.60"
            ),
        ),
        ({"predictive_columns": [("site", "sick", 1.0)]}, "columns that differ by class site (sick: 1.00)"),
        ({"predictive_columns": []}, "columns that differ by class none"),
    ],
)
def test_each_result_is_printed(shown, result, line):
    assert line in shown(**result)


@pytest.mark.slow
def test_near_duplicates_are_reported_and_joined_on_request(project_folder, folder, capsys, monkeypatch):
    pairs = add_near_duplicates(folder)
    competition = download_project(project_folder, "exact", GIVEN_FACTS, folder)
    found = make_folds(competition).leaks
    assert {frozenset(pair) for pair in found.near_duplicates} == {frozenset(pair) for pair in pairs}
    said = capsys.readouterr().out
    assert "near-duplicates in train         3 pairs" in said
    assert "near-duplicates side by side: data/exact/near_duplicates.jpg" in said
    sheet = cv2.imread(str(competition.paths.contact_sheet))
    assert sheet.shape[1] > sheet.shape[0] > 176
    assert "near_duplicates" in set(pd.read_csv(competition.paths.leaks)["kind"])

    monkeypatch.setattr("medfold.folds.near_duplicates_cache.find_near_duplicates", None)  # a second search would fail
    make_folds(competition)
    monkeypatch.undo()
    monkeypatch.chdir(project_folder)
    joined = download_project(
        project_folder, "near", replaced(GIVEN_FACTS, ("folds: {", "folds: {duplicates: near, ")), folder
    )
    dataset = make_folds(joined)
    group = dataset.train.set_index("id")["group"]
    assert all(group[original] == group[copy] for original, copy in pairs)
    assert dataset.leaks.split_near_duplicates == []
    assert json_files.read(joined.paths.folds_metadata)["leak_counts"]["near_duplicates"] == 3
    assert make_dataset(joined).train["group"].tolist() == dataset.train["group"].tolist()


@pytest.mark.slow
def test_dataset_shift_and_predictive_column_are_reported(project_folder, folder, capsys):
    table = pd.read_csv(folder / "train.csv", dtype=str)
    sick = table.groupby("patient_id")["target"].transform("max")
    table.assign(site=np.where(sick == "1", "north", "south")).to_csv(folder / "train.csv", index=False)
    competition = download_project(project_folder, "same", replaced(GIVEN_FACTS, ("[age, sex]", "[site]")), folder)
    make_folds(competition)
    said = capsys.readouterr().out
    alike = float(said.partition("train vs test")[2].split()[1])
    assert alike < 0.7
    assert "columns that differ by class     site (1: " in said

    for path in (folder / "test").iterdir():
        brighter = np.clip(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) * 0.7 + 60, 0, 255).astype(np.uint8)
        cv2.imwrite(str(path), brighter)
    shifted = download_project(project_folder, "shifted", GIVEN_FACTS, folder)
    make_folds(shifted)
    said = capsys.readouterr().out
    assert float(said.partition("train vs test")[2].split()[1]) > 0.95
    assert "dark" in said.partition("train vs test")[2].splitlines()[0]
