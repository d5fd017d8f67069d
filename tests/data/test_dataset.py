"""Hold-outs, cut with the folds once copies of an image are known; and the audit of patients and samples."""

import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold import files
from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.recheck import recheck
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition.project import Project, image_settings
from medfold.data.samples import needs_holdout, read_samples
from medfold.errors import UserError
from medfold.images.scan_tables import read_measurements
from tests.conftest import add_competition
from tests.support import dicom_files
from tests.support.helpers import finished_run, picture

FACTS = """title: Hold-out
source: {kind: kaggle-dataset, slug: a/b}
upload: local
task: binary
classes: [no, yes]
labels: {layout: folders, targets: [sick], holdout: 0.3}
images: {train: "{label}/{id}.png", channels: 1}
score: {metric: auc}
folds: {k: 3, duplicates: exact}
"""


@pytest.fixture
def holdout_project(project_folder, tmp_path):
    """40 images, each under two names, and one that cannot be read."""
    given = tmp_path / "given"
    for number in range(40):
        first = given / ("yes" if number % 4 == 0 else "no") / f"{number:02}.png"
        picture(first, seed=number)
        shutil.copy(first, first.with_name(f"copy{number:02}.png"))
    (given / "no" / "broken.png").write_bytes(b"no picture")
    add_competition(project_folder, "cut", FACTS.replace("channels: 1", "channels: 1, tolerate: 0.05"))
    project = Project.open("cut")
    download(project, path=given)
    return project


def test_holdout_has_the_requested_share_and_keeps_copies_together(holdout_project, capsys):
    download(holdout_project, force=True, path=holdout_project.paths.raw.parents[2].parent / "given")
    assert "81 images; 30% of them become the test part when the folds are made" in capsys.readouterr().out
    assert needs_holdout(holdout_project.paths)
    data = make_folds(holdout_project)
    said = capsys.readouterr().out
    assert "holdout    24 of 80 images (30.0%, 30.0% requested) become the test part; copies of an image" in said
    assert "train images found in test       none" in said
    table = read_samples(holdout_project.competition, holdout_project.paths)
    part = table[table["id"] != "broken"].assign(twin=lambda rows: rows["id"].str[-2:]).groupby("twin")["part"]
    assert part.nunique().max() == 1
    assert len(data.test) == 24
    assert table.loc[table["id"] == "broken", "part"].item() == "train"
    assert table.loc[table["part"] == "test", "sick"].isna().all()
    solution = pd.read_csv(holdout_project.paths.solution, dtype=str)
    assert sorted(solution["id"]) == sorted(table.loc[table["part"] == "test", "id"])
    assert (solution["sick"] == "yes").sum() == 6


def test_holdout_is_stable_and_decodes_images_once(holdout_project, capsys, monkeypatch):
    recipe = image_settings(holdout_project, "baseline")
    first = make_folds(holdout_project, prepare=recipe)
    before = files.read_csv(holdout_project.paths.samples)
    capsys.readouterr()
    monkeypatch.setattr("medfold.images.scan.map_in_workers", lambda *words: pytest.fail("an image was decoded again"))
    again = make_folds(holdout_project, prepare=recipe)
    assert "holdout" not in capsys.readouterr().out
    assert first.test.equals(again.test)
    assert read_measurements(holdout_project.competition, holdout_project.paths) is not None
    holdout_project.paths.samples.unlink()  # built again from the raw data, with the same hold-out
    assert make_folds(holdout_project, prepare=recipe).train["id"].tolist() == first.train["id"].tolist()
    assert files.read_csv(holdout_project.paths.samples).equals(before)


def test_holdout_is_scored_and_rechecked(holdout_project, capsys):
    finished_run(holdout_project, "noise", quality=0.5)
    submit(holdout_project, names=["noise"], force=True)
    assert "24 images" in capsys.readouterr().out
    holdout_project.paths.samples.unlink()
    recheck(holdout_project)
    assert capsys.readouterr().out.count("computed again, equal") == 2


def test_near_duplicates_stay_in_one_part(project_folder, tmp_path):
    import cv2

    given = tmp_path / "given"
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), np.uint8)
        large = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_CUBIC)
        folder = given / ("yes" if number % 4 == 0 else "no")
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number:02}.png"), large)
        cv2.imwrite(str(folder / f"like{number:02}.png"), np.clip(large.astype(int) + 2, 0, 255).astype(np.uint8))
    add_competition(project_folder, "near", FACTS.replace("duplicates: exact", "duplicates: near"))
    project = Project.open("near")
    download(project, path=given)
    data = make_folds(project)
    assert not {id[-2:] for id in data.train["id"]} & {id[-2:] for id in data.test["id"]}
    assert len(data.test) == 24


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ("id,a,b\nt0,1,2\n", "sample submission: columns a, b fit neither"),
        ("id,sick\nt0,0.5\nt1,0.5\n", "1 image is missing|2 ids|t1"),
    ],
)
def test_unfitting_sample_submission_raises_before_training(project_folder, tmp_path, sample, message):
    given = tmp_path / "given"
    for number in range(12):
        picture(given / ("yes" if number % 2 else "no") / f"{number:02}.png", seed=number)
    picture(given / "test" / "t0.png", seed=99)
    (given / "sample.csv").write_text(sample)
    facts = FACTS.replace(", holdout: 0.3", "").replace(
        'train: "{label}/{id}.png"', 'train: "{label}/{id}.png", test: "test/{id}.png"'
    )
    add_competition(project_folder, "fits", facts + "submission: {sample: sample.csv}\n")
    project = Project.open("fits")
    download(project, path=given)
    with pytest.raises(UserError, match=message):
        make_folds(project)


@pytest.mark.slow
def test_every_score_warns_of_unknown_patients(holdout_project, capsys):
    make_folds(holdout_project)
    finished_run(holdout_project, "noise", quality=0.5)
    assert "unknown: the OOF score may be too high" in capsys.readouterr().out
    submit(holdout_project, names=["noise"], force=True)
    assert "; patients unknown: it may be too high" in capsys.readouterr().out
    report(holdout_project, ["noise"])
    assert "patients unknown: it may be too high" in holdout_project.paths.run("noise").report.read_text()


def test_multilabel_holdout_hides_all_labels(project_folder, tmp_path):
    given = tmp_path / "given"
    rows = ["image,a,b,c"]
    for number in range(30):
        picture(given / f"i{number:02}.png", seed=number)
        rows.append(f"i{number:02},{number % 2},{number % 3 // 2},{number % 5 // 4}")
    (given / "train.csv").write_text("\n".join(rows) + "\n")
    facts = FACTS.replace("task: binary\nclasses: [no, yes]", "task: multilabel").replace(
        "metric: auc", "metric: mean_auc"
    )
    facts = facts.replace(
        "{layout: folders, targets: [sick], holdout: 0.3}",
        "{file: train.csv, id: image, targets: [a, b, c], holdout: 0.3}",
    )
    add_competition(project_folder, "many", facts.replace("{label}/{id}.png", "{id}.png"))
    project = Project.open("many")
    download(project, path=given)
    data = make_folds(project)
    assert len(data.test) == 9
    table = read_samples(project.competition, project.paths)
    assert table.loc[table["part"] == "test", ["a", "b", "c"]].isna().all(axis=None)
    solution = pd.read_csv(project.paths.solution, dtype=str)
    assert solution[["a", "b", "c"]].isin(["0", "1"]).all(axis=None)


def test_labels_in_test_table_become_the_hidden_solution(project_folder, tmp_path, capsys):
    given = tmp_path / "given"
    for part, count in (("train", 20), ("test", 8)):
        rows = ["id,sick"]
        for number in range(count):
            picture(given / part / f"{part}{number}.png", seed=number + 50 * (part == "test"))
            rows.append(f"{part}{number},{['no', 'yes'][number % 2]}")
        (given / f"{part}.csv").write_text("\n".join(rows) + "\n")
    facts = FACTS.replace(
        "{layout: folders, targets: [sick], holdout: 0.3}", "{file: train.csv, test: test.csv, targets: [sick]}"
    )
    facts = facts.replace('train: "{label}/{id}.png"', 'train: "train/{id}.png", test: "test/{id}.png"')
    add_competition(project_folder, "local", facts)
    project = Project.open("local")
    download(project, path=given)
    assert "test.csv has labels: they become the hidden solution" in capsys.readouterr().out
    finished_run(project, "noise", quality=1.0)
    submit(project, names=["noise"], force=True)
    assert "8 images" in capsys.readouterr().out


def test_images_of_one_value_are_not_duplicates(project_folder, tmp_path, capsys):
    given = tmp_path / "given"
    for number in range(40):
        path = given / ("yes" if number % 8 < 4 else "no") / f"p{number // 4}_{number}.png"
        picture(path, seed=number)
        if number % 4 == 0:
            cv2.imwrite(str(path), np.zeros((12, 10), np.uint8))
    grouped = FACTS.replace("k: 3, duplicates: exact", "k: 3, method: stratified-group, duplicates: near")
    grouped = grouped.replace("holdout: 0.3", 'holdout: 0.3, group_pattern: "p[0-9]+"')
    add_competition(project_folder, "air", grouped)
    project = Project.open("air")
    download(project, path=given)
    data = make_folds(project)
    assert (len(data.train) + len(data.test), data.train["group"].nunique()) == (40, 7)
    assert (data.leaks.duplicates, data.leaks.near, data.leaks.leaked) == ([], [], [])
    aired = sum(data.train["id"].str.extract(r"_(\d+)$")[0].astype(int) % 4 == 0)
    told = " ".join(capsys.readouterr().out.split())
    assert f"images of one value {aired}, which are not copies of each other: " in told


@pytest.mark.parametrize("layout", ["folders", "wide"])
def test_audit_suggests_patient_ids_of_dicom_headers(project_folder, tmp_path, capsys, layout):
    rows = ["image,sick"]
    for number in range(30):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 3}")
        label = ("no", "yes")[number // 3 % 2]
        (tmp_path / "given" / label).mkdir(parents=True, exist_ok=True)
        dicom_files.save(tmp_path / "given" / label / f"{number}.dcm", made)
        rows.append(f"{number},{label}")
    (tmp_path / "given" / "table.csv").write_text("\n".join(rows))
    facts = FACTS.replace("{label}/{id}.png", "{label}/{id}.dcm")
    if layout == "wide":
        facts = facts.replace("layout: folders", "file: table.csv, id: image").replace("{label}", "{sick}")
    add_competition(project_folder, "scans", facts)
    project = Project.open("scans")
    download(project, path=tmp_path / "given")
    make_folds(project)
    told = " ".join(capsys.readouterr().out.split())
    assert "suspected groups PatientID: " in told
    assert "(labels.group: PatientID with images.headers: [PatientID] keeps them together)" in told
