"""make folds: the folds and the results of the audit, and what is refused."""

import json

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.data import open_source
from tests.support import dicom_files
from tests.support.helpers import refused, replaced, slow_but_first
from tests.support.holdouts import FACTS
from tests.support.small_project import SMALL, add_competition


def test_folds_of_older_data_are_refused(folded):
    table = pd.read_csv(folded.paths.folds_table)
    table.iloc[:-2].to_csv(folded.paths.folds_table, index=False)
    with refused(r"2 ids differ from the data .*make folds COMPETITION=small FORCE=1"):
        train(folded, folds=[0])
    make_folds(folded, force=True)
    assert len(pd.read_csv(folded.paths.folds_table)) == len(table)


def test_audit_joins_duplicates_and_reports_leaks(folded, capsys):
    table = make_folds(folded, force=True)
    said = capsys.readouterr().out
    assert "exact duplicates in train        2, each in one fold" in said
    assert "duplicates with different labels 1:" in said
    assert "train images found in test       1:" in said
    for component in table.leaks.duplicates:
        assert table.train.set_index("id").loc[component, "group"].nunique() == 1
    assert json.loads(folded.paths.folds_metadata.read_text())["leak_counts"]["split_groups"] == 0


@pytest.mark.slow
def test_class_in_too_few_groups_is_reported(project_folder, capsys):
    add_competition(project_folder, "rare", replaced(SMALL, ("seed: 1,", "seed: 1, prevalence: 0.03,")))
    make_folds(Competition.open("rare"))
    assert "class target=1 is in" in capsys.readouterr().out


@pytest.mark.slow
def test_group_larger_than_a_fold_is_reported(project_folder, capsys):
    add_competition(project_folder, "few", replaced(SMALL, ("train_patients: 40", "train_patients: 10")))
    competition = Competition.open("few")
    download(competition)
    make_folds(competition)
    assert "the largest group" not in capsys.readouterr().out
    table = competition.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    patient = lines[0].split(",").index("patient_id")
    rows = [line.split(",") for line in lines[1:]]
    for row in rows[: len(rows) // 2]:
        row[patient] = "one"
    table.write_text("\n".join([lines[0], *(",".join(row) for row in rows), ""]))
    open_source(competition).write_manifest()
    make_folds(competition, force=True)
    assert "the largest group holds" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("layout", slow_but_first("folders", "wide"))
def test_audit_suggests_patient_ids_of_dicom_headers(project_folder, tmp_path, capsys, layout):
    rows = ["image,sick"]
    for number in range(30):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 3}")
        label = ("no", "yes")[number // 3 % 2]
        (tmp_path / "given" / label).mkdir(parents=True, exist_ok=True)
        dicom_files.save(tmp_path / "given" / label / f"{number}.dcm", made)
        rows.append(f"{number},{label}")
    (tmp_path / "given" / "table.csv").write_text("\n".join(rows))
    facts = replaced(FACTS, ("{label}/{id}.png", "{label}/{id}.dcm"))
    if layout == "wide":
        facts = replaced(facts, ("layout: folders", "file: table.csv, id: image"), ("{label}", "{sick}"))
    add_competition(project_folder, "scans", facts)
    competition = Competition.open("scans")
    download(competition, path=tmp_path / "given")
    make_folds(competition)
    told = " ".join(capsys.readouterr().out.split())
    assert "suspected groups PatientID: " in told
    assert "(labels.group: PatientID with images.dicom_headers: [PatientID] keeps them together)" in told
