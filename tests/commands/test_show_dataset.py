"""make folds: near-duplicates and dataset shift."""

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.competition.competition import Competition
from medfold.data.dataset import prepare_dataset
from medfold.data.sources.source import Source
from medfold.system import files
from tests.support.small_project import SMALL, add_competition

GIVEN_FACTS = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle-dataset, slug: a/b}")


@pytest.fixture
def folder(small, tmp_path):
    """A copy of the raw data of the small phantom, to be changed and given with FROM=."""
    Source(small.facts.source, small.paths).get()
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
    assert "near_duplicates" in set(pd.read_csv(competition.paths.audit)["kind"])

    monkeypatch.setattr("medfold.folds.near_duplicates_cache.find_near_duplicates", None)  # a second search would fail
    make_folds(competition)
    monkeypatch.undo()
    monkeypatch.chdir(project_folder)
    joined = download_project(
        project_folder, "near", GIVEN_FACTS.replace("folds: {", "folds: {duplicates: near, "), folder
    )
    dataset = make_folds(joined)
    group = dataset.train.set_index("id")["group"]
    assert all(group[original] == group[copy] for original, copy in pairs)
    assert dataset.leaks.split_near_duplicates == []
    assert files.read_json(joined.paths.folds_metadata)["audit"]["near_duplicates"] == 3
    assert prepare_dataset(joined).train["group"].tolist() == dataset.train["group"].tolist()


@pytest.mark.slow
def test_dataset_shift_and_predictive_column_are_reported(project_folder, folder, capsys):
    table = pd.read_csv(folder / "train.csv", dtype=str)
    sick = table.groupby("patient_id")["target"].transform("max")
    table.assign(site=np.where(sick == "1", "north", "south")).to_csv(folder / "train.csv", index=False)
    competition = download_project(project_folder, "same", GIVEN_FACTS.replace("[age, sex]", "[site]"), folder)
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
