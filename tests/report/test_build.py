"""The report of finished runs: its contents agree with the results of the other stages."""

import re
import shutil
from html import unescape

import numpy as np
import pandas as pd
import pytest

from medfold import files
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition.project import Project
from medfold.data.dataset import load_dataset
from medfold.ensemble.run_ensemble import ensemble_runs
from medfold.errors import UserError
from medfold.scoring.metric import METRICS
from medfold.submission.ledger import read_ledger
from tests.conftest import SMALL, add_competition, copied
from tests.lookalikes import lookalike_once
from tests.support.helpers import finished_run, noisy_run


@pytest.fixture(scope="session")
def reported_once(once, folded_once):
    """A project with runs of the small phantom, and the report of one of them; only to copy."""

    def make(root):
        shutil.copytree(folded_once, root, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            project = Project.open("small")
            finished_run(project, "good", 1.5)
            finished_run(project, "fair", 1.0)
            finished_run(project, "part", folds=[1])
            finished_run(project, "peeked", best=True)
            report(project, ["good"])

    return once("reported", make)


@pytest.fixture
def project(reported_once, tmp_path, monkeypatch):
    copied(reported_once, tmp_path, monkeypatch)
    return Project.open("small")


@pytest.fixture
def good(project):
    """The report of the run `good`, as it was written."""
    return project.paths.run("good").folder / "report.html"


def read_page(path) -> str:
    """Reads the page without the bytes of its images."""
    return re.sub(r"data:image/jpeg;base64,[\w+/=]+", "data:image/jpeg", path.read_text(encoding="utf-8"))


def cells(text: str, caption: str) -> list[list[str]]:
    """Returns the cells of a table, without its head."""
    body = text.split(f"<caption>{caption}</caption>")[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows][1:]


def sections(text: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', text)


def cards(text: str) -> dict[str, tuple[str, str]]:
    found = re.findall(r'<div class="card[^>]*><span[^>]*>(.*?)</span><b>(.*?)</b><span[^>]*>(.*?)</span>', text)
    return {title: (value, words) for title, value, words in found}


def test_cards_show_score_interval_and_folds(project, capsys):
    path = report(project, ["good"])
    assert path == project.workspace.root / "runs/small/good/report.html"
    assert "runs/small/good/report.html" in capsys.readouterr().out
    score, text = files.read_json(project.paths.run("good").score), read_page(path)
    assert cards(text) == {
        "out-of-fold AUC": (
            f"{score['value']:.4f}",
            f"95 % interval {score['low']:.4f} to {score['high']:.4f}, over patients or other groups",
        ),
        "folds": ("3 of 3", "59 samples"),
    }
    assert '<p class="note">' not in text
    assert sections(text) == ["data", "folds", "performance", "subgroups", "images", "recipe", "again", "card"]
    assert not list(project.workspace.root.rglob("*.tmp"))


def test_page_is_self_contained_and_has_disclaimer(good):
    text = good.read_text(encoding="utf-8")
    assert re.findall(r"https?:", text) == []
    assert re.findall(r'(?:src|href|data-plain)="(?!#|data:)[^"]*"', text) == []
    assert text.count("not for the diagnosis of patients") >= 2
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_report_is_reproducible_byte_for_byte(project, good):
    first = good.read_bytes()
    report(project, ["fair"])
    shutil.rmtree(project.paths.data / "store")
    assert report(Project.open("small"), ["good"]).read_bytes() == first


def test_page_contains_no_patient_ids(project, good):
    (raw,) = project.paths.data.rglob("train.csv")
    table = pd.read_csv(raw, dtype=str)
    assert table["patient_id"].str.fullmatch(r"P\d{4}").all()
    text = read_page(good)
    assert table["id"].isin(re.findall(r"train_\w+", text)).any()
    assert [id for id in table["patient_id"].unique() if id in text] == []


def test_data_and_fold_tables_match_the_dataset(project, good):
    data, text = load_dataset(project), read_page(good)
    facts = dict(cells(text, "Counts, and findings of the audit"))
    assert facts["training images"] == str(len(data.train))
    assert facts["test images"] == str(len(data.test))
    assert facts["groups (patients, or other samples that must not be split)"] == "40"
    assert facts["exact duplicates in train"] == "2"
    assert facts["predicted is the probability of"] == "target = 1 (positive), not 0"
    counted = data.train.groupby("fold").agg(n=("id", "size"), groups=("group", "nunique"))
    rows = cells(text, "Images, groups and labels in each fold")
    assert [[int(cell) for cell in row[:3]] for row in rows] == counted.reset_index().to_numpy().tolist()
    assert sum(int(row[4]) for row in rows) == data.targets.sum()


def test_subgroup_table_matches_scores_by_sex_and_age(project, good):
    found = ensemble_runs(project, ["good"], data := load_dataset(project))
    rows = cells(read_page(good), "Subgroup scores as numbers")
    assert [row[:2] for row in rows if row[0] == "sex"] == [["sex", "F"], ["sex", "M"]]
    ages = [row for row in rows if row[0] == "age"]
    assert sum(int(row[2]) for row in ages) == 59
    sex = data.train.set_index("unit").loc[found.oof.unit_ids, "sex"].to_numpy()
    for _, value, units, positive, score, _ in rows[-2:]:
        here = sex == value
        assert int(units) == here.sum()
        assert positive == f"{found.oof.targets[here].mean():.1%}"
        assert score == f"{METRICS['auc'](found.oof.targets[here], found.oof.predictions[here]):.4f}"


def test_operating_points_match_the_predictions(project, good):
    found, text = ensemble_runs(project, ["good"], load_dataset(project)), read_page(good)
    targets, predictions = found.oof.targets, found.oof.predictions[:, 0]
    rows = cells(text, "Operating points")
    assert [row[0] for row in rows] == ["sensitivity 90%", "sensitivity 95%", "specificity 90%", "specificity 95%"]
    for _, threshold, sensitivity, specificity, *_ in rows:
        called = predictions >= float(threshold) - 5e-5
        assert abs(called[targets == 1].mean() - float(sensitivity[:-1]) / 100) < 0.06
        assert abs((~called)[targets == 0].mean() - float(specificity[:-1]) / 100) < 0.03
    assert f"{np.mean((predictions > 0.5) == targets):.1%} of the decisions are correct" in text
    assert f"Expected calibration error {METRICS['ece'](targets, predictions):.4f}" in text


def test_gallery_captions_match_targets_and_predictions(project, good):
    found, text = ensemble_runs(project, ["good"], load_dataset(project)), read_page(good)
    tiles = re.findall(r'data-text="(\w+), target: true (\d), predicted ([\d.]+), fold (\d)" data-map=""', text)
    assert len(tiles) == text.count('class="tile"') > 20
    rows = {name: number for number, name in enumerate(found.oof.unit_ids)}
    for name, truth, predicted, fold in tiles:
        row = rows[name]
        assert (int(truth), int(fold)) == (found.oof.targets[row], found.oof.fold[row])
        assert predicted == f"{found.oof.predictions[row, 0]:.3f}"
    assert "there are no heat maps" in text


def test_partial_run_is_marked(project):
    text = read_page(report(project, ["part"]))
    units = files.read_json(project.paths.run("part").score)["units"]
    assert f"Covers 1 of 3 folds: the score is of {units} of 59 samples." in text
    assert cards(text)["folds"] == ("1 of 3", f"{units} samples")
    assert "OPTIMISTIC" not in text


def test_optimistic_score_is_marked(project):
    text = read_page(report(project, ["peeked"]))
    assert '<p class="note">OPTIMISTIC: epochs were chosen on the scored folds.' in text
    assert "Covers" not in text


@pytest.mark.slow
def test_ensemble_page_lists_members_and_methods(project):
    path = report(project, ["good", "fair"])
    assert path == project.workspace.root / "runs/small/fair+good.html"
    found, text = ensemble_runs(project, ["good", "fair"], load_dataset(project)), read_page(path)
    scores = [files.read_json(project.paths.run(name).score)["value"] for name in ("good", "fair")]
    assert cells(text, "Members") == [["fair", f"{scores[1]:.4f}"], ["good", f"{scores[0]:.4f}"]]
    caption = "Methods: those fitted on labels are scored on folds that they were not fitted on"
    methods = cells(text, caption)
    assert [row[0] for row in methods] == [one.method.title for one in found.choice.candidates]
    assert [row[1] for row in methods] == [f"{one.cross_fitted:.4f}" for one in found.choice.candidates]
    (marked,) = re.findall(r'<tr class="marked"><th scope="row">(.*?)</th>', text)
    assert marked == found.choice.chosen.method.title
    assert cards(text)["out-of-fold AUC"][0] == f"{found.score['value']:.4f}"
    assert "make submit COMPETITION=small RUNS=&#34;fair good&#34;" in text
    assert "ensemble" in sections(text)


@pytest.mark.slow
def test_requested_ensemble_method_is_used(project):
    found = ensemble_runs(project, ["fair", "peeked"], load_dataset(project), method="stacking")
    text = read_page(report(project, ["fair", "peeked"], method="stacking"))
    (marked,) = re.findall(r'<tr class="marked"><th scope="row">(.*?)</th>', text)
    assert marked == found.choice.chosen.method.title
    assert cards(text)["out-of-fold AUC"][0] == f"{found.score['value']:.4f}"


@pytest.mark.slow
def test_leaderboard_scores_are_shown(project):
    assert "public score" not in cards(read_page(report(project, ["fair"])))
    submit(project, names=["fair"])
    row = read_ledger(project.workspace).iloc[-1]
    shown = cards(read_page(report(project, ["fair"])))
    day = f"{row['when'][:4]}-{row['when'][4:6]}-{row['when'][6:8]}"
    for part in ("public", "private"):
        assert shown[f"{part} score"] == (f"{float(row[part]):.4f}", f"submitted {day}")
    assert "public score" not in cards(read_page(report(project, ["good"])))


def test_untrained_run_raises(project):
    with pytest.raises(UserError, match="run 'nobody' is not trained"):
        report(project, ["nobody"])
    assert not (project.workspace.root / "runs/small/nobody").exists()


@pytest.mark.slow
def test_competition_title_is_escaped(project_folder):
    facts = SMALL.replace("title: A small phantom", "title: '<script>alert(1)</script> & $1 \"b\"'")
    add_competition(project_folder, "odd", facts.replace("keep: [age, sex]", "keep: []"))
    project = Project.open("odd")
    finished_run(project)
    text = read_page(report(project, ["baseline"]))
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; $1 &#34;b&#34;</h1>" in text
    assert text.count("<script") == 1
    assert "subgroups" not in sections(text)


@pytest.mark.slow
def test_history_of_another_metric_is_left_out(project):
    fold = project.paths.run("good").fold(0)
    files.write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], "log_loss": [0.4]}), fold.history)
    assert "Learning curves" not in read_page(report(project, ["good"]))
    files.write_csv(pd.DataFrame({"epoch": [1], "loss": [0.5], "auc": [0.8]}), fold.history)
    assert "Learning curves" in read_page(report(project, ["good"]))
    fold.history.unlink()


@pytest.mark.parametrize(
    ("name", "task", "unit"),
    [
        pytest.param("chestmnist", "multilabel", "samples", marks=pytest.mark.slow),
        # more labels than a table shows
        pytest.param("human-protein-atlas-image-classification", "multilabel", "samples", marks=pytest.mark.slow),
        ("retinamnist", "ordinal", "samples"),
        pytest.param("iq-othnccd-lung-cancer", "multiclass", "samples", marks=pytest.mark.slow),
        pytest.param("rsna-breast-cancer-detection", "binary", "units", marks=pytest.mark.slow),
    ],
)
def test_report_of_every_task_matches_its_run(once, name, task, unit, tmp_path, monkeypatch):
    copied(lookalike_once(once, name), tmp_path, monkeypatch)
    project = Project.open(name)
    assert project.competition.task == task
    noisy_run(project)
    text = read_page(report(project, ["noisy"]))
    score = files.read_json(project.paths.run("noisy").score)
    found = ensemble_runs(project, ["noisy"], load_dataset(project))
    assert next(iter(cards(text).values()))[0] == f"{found.score['value']:.4f}"
    assert cards(text)["folds"][1] == f"{score['units']:,} {unit}"
    drawn = re.findall(r'<figure id="figure-([\w-]+)"', text)
    assert {"examples", "roc", "pr", "calibration"} <= set(drawn)
    assert ("confusion" in drawn) == (task != "multilabel")
    assert ("spread" in drawn) == (task == "binary")
    assert text.count('class="tile"') >= 24
    if task != "binary":
        rows = cells(text, "By class or label")
        assert [row[0] for row in rows] == project.competition.prediction_columns
        targets = found.oof.targets
        members = targets if targets.ndim == 2 else targets[:, None] == np.arange(len(rows))
        for column, (_, count, share, auc, _) in enumerate(rows):
            assert int(count) == members[:, column].sum()
            assert share == f"{members[:, column].mean():.1%}"
            assert auc == f"{METRICS['auc'](members[:, column] * 1, found.probabilities.predictions[:, column]):.4f}"
    if "confusion" in drawn:
        counts = re.search(r'<figure id="figure-confusion".*?</figure>', text, re.DOTALL).group()
        numbers = [int(each.replace(",", "")) for each in re.findall(r">([\d,]+)</td>", counts)]
        assert sum(numbers) >= len(found.oof.targets)
