import cv2
import numpy as np
import pandas as pd
import pytest

from medfold import files
from medfold.commands.download import download
from medfold.commands.folds import make_folds, warn_of_lost_labels
from medfold.competition.project import Project
from medfold.data.dataset import load_dataset
from medfold.data.sources.source import Source
from tests.conftest import SMALL, add_competition
from tests.support.helpers import competition

FAR = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle-dataset, slug: a/b}")


@pytest.fixture
def folder(small, tmp_path):
    """The raw data of the small phantom, to be changed and given as FROM=."""
    Source(small.competition.source, small.paths).get()
    target = tmp_path / "given"
    for path in small.paths.raw.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(small.paths.raw)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def opened(project_folder, name, facts, folder):
    add_competition(project_folder, name, facts)
    project = Project.open(name)
    download(project, folder)
    return project


def plant(folder, count=3):
    """Brighter copies of some training images under other patients' names; the pairs."""
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
def test_near_duplicates_are_told_drawn_and_joined_if_asked(project_folder, folder, capsys, monkeypatch):
    pairs = plant(folder)
    project = opened(project_folder, "exact", FAR, folder)
    found = make_folds(project).leaks
    assert {frozenset(pair) for pair in found.near} == {frozenset(pair) for pair in pairs}
    said = capsys.readouterr().out
    assert "near-duplicates in train         3 pairs" in said
    assert "near-duplicates side by side: data/exact/near_duplicates.jpg" in said
    sheet = cv2.imread(str(project.paths.contact_sheet))
    assert sheet.shape[1] > sheet.shape[0] > 176
    assert "near" in set(pd.read_csv(project.paths.audit)["kind"])

    monkeypatch.setattr("medfold.folds.kept_near_duplicates.find_near_duplicates", None)  # found once
    make_folds(project)
    monkeypatch.undo()
    monkeypatch.chdir(project_folder)
    joined = opened(project_folder, "near", FAR.replace("folds: {", "folds: {duplicates: near, "), folder)
    data = make_folds(joined)
    group = data.train.set_index("id")["group"]
    assert all(group[a] == group[b] for a, b in pairs)
    assert data.leaks.near_split == []
    assert files.read_json(joined.paths.folds_metadata)["audit"]["near"] == 3
    assert load_dataset(joined).train["group"].tolist() == data.train["group"].tolist()


@pytest.mark.slow
def test_a_test_part_from_elsewhere_and_a_telling_column_are_noticed(project_folder, folder, capsys):
    table = pd.read_csv(folder / "train.csv", dtype=str)
    sick = table.groupby("patient_id")["target"].transform("max")
    table.assign(site=np.where(sick == "1", "north", "south")).to_csv(folder / "train.csv", index=False)
    project = opened(project_folder, "same", FAR.replace("[age, sex]", "[site]"), folder)
    make_folds(project)
    said = capsys.readouterr().out
    alike = float(said.partition("train vs test")[2].split()[1])
    assert alike < 0.7
    assert "columns that differ by class     site (1: " in said

    for path in (folder / "test").iterdir():
        brighter = np.clip(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) * 0.7 + 60, 0, 255).astype(np.uint8)
        cv2.imwrite(str(path), brighter)
    shifted = opened(project_folder, "shifted", FAR, folder)
    make_folds(shifted)
    said = capsys.readouterr().out
    assert float(said.partition("train vs test")[2].split()[1]) > 0.95
    assert "dark" in said.partition("train vs test")[2].splitlines()[0]


def test_a_unit_whose_label_stands_with_an_unreadable_image_is_told(capsys):
    facts = competition(score={"metric": "auc", "unit": "{pid}"})
    unit, target = ["p1", "p1", "p2", "p2", "p3"], ["0", "1", "1", "1", "1"]
    train = pd.DataFrame({"unit": unit, "target": target, "id": list("abcde")})
    warn_of_lost_labels(facts, train.iloc[[0, 3]], train.iloc[[1, 2, 4]])
    told = "1 unit has a label only with an image that cannot be read: counted as negative: p1"
    assert told in capsys.readouterr().out
    warn_of_lost_labels(facts, train, train[:0])
    assert capsys.readouterr().out == ""
