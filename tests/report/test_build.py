"""The report of finished runs: its contents agree with the results of the other stages."""

import re
import shutil
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition import Competition, CompetitionFacts
from medfold.data import make_dataset
from medfold.ensemble import Ensemble, ensemble_runs
from medfold.scoring import METRICS
from medfold.submission import read_ledger
from medfold.system import json_files
from tests.lookalikes import lookalike_once
from tests.support.finished_runs import finished_run, noisy_run
from tests.support.helpers import refused, replaced
from tests.support.report_pages import cards, cells, read_page, sections
from tests.support.small_project import SMALL, add_competition, copy_project


def test_cards_show_score_interval_and_folds(competition, capsys):
    path = report(competition, ["good"])
    assert path == competition.project_paths.root / "runs/small/good/report.html"
    assert "runs/small/good/report.html" in capsys.readouterr().out
    score, text = json_files.read(competition.paths.run("good").score), read_page(path)
    assert cards(text) == {
        "out-of-fold AUC": (
            f"{score['value']:.4f}",
            f"95 % interval {score['low']:.4f} to {score['high']:.4f}, over patients or other groups",
        ),
        "folds": ("3 of 3", "59 samples"),
    }
    assert '<p class="note">' not in text
    assert sections(text) == ["data", "folds", "performance", "subgroups", "images", "recipe", "again", "card"]
    assert not list(competition.project_paths.root.rglob("*.tmp"))


def test_page_is_self_contained_and_has_disclaimer(good):
    text = good.read_text(encoding="utf-8")
    assert re.findall(r"https?:", text) == []
    assert re.findall(r'(?:src|href|data-plain)="(?!#|data:)[^"]*"', text) == []
    assert text.count("not for the diagnosis of patients") >= 2
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_report_is_reproducible_byte_for_byte(competition, good):
    first = good.read_bytes()
    report(competition, ["fair"])
    shutil.rmtree(competition.paths.data / "store")
    assert report(Competition.open("small"), ["good"]).read_bytes() == first


def test_page_contains_no_patient_ids(competition, good):
    (raw,) = competition.paths.data.rglob("train.csv")
    table = pd.read_csv(raw, dtype=str)
    assert table["patient_id"].str.fullmatch(r"P\d{4}").all()
    text = read_page(good)
    assert table["id"].isin(re.findall(r"train_\w+", text)).any()
    assert [id for id in table["patient_id"].unique() if id in text] == []


def test_partial_run_is_marked(competition):
    text = read_page(report(competition, ["part"]))
    units = json_files.read(competition.paths.run("part").score)["num_units"]
    assert f"Covers 1 of 3 folds: the score is of {units} of 59 samples." in text
    assert cards(text)["folds"] == ("1 of 3", f"{units} samples")
    assert "OPTIMISTIC" not in text


@pytest.mark.slow
def test_leaderboard_scores_are_shown(competition):
    assert "public score" not in cards(read_page(report(competition, ["fair"])))
    submit(competition, run_names=["fair"])
    row = read_ledger(competition.project_paths).iloc[-1]
    shown = cards(read_page(report(competition, ["fair"])))
    day = f"{row['time'][:4]}-{row['time'][4:6]}-{row['time'][6:8]}"
    for part in ("public", "private"):
        assert shown[f"{part} score"] == (f"{float(row[part]):.4f}", f"submitted {day}")
    assert "public score" not in cards(read_page(report(competition, ["good"])))


@pytest.mark.slow
def test_history_with_words_for_numbers_is_refused(competition):
    history = competition.paths.run("good").fold(0).history
    history.write_text("phase,epoch,learning_rate,loss,val_auc\nall,0,0.1,0.5,high\n")
    with refused(r"history\.csv: damaged or edited .*high"):
        report(competition, ["good"])


@pytest.mark.slow
def test_competition_title_is_escaped(project_folder):
    facts = replaced(SMALL, ("title: A small phantom", "title: '<script>alert(1)</script> & $1 \"b\"'"))
    add_competition(project_folder, "odd", replaced(facts, ("keep_columns: [age, sex]", "keep_columns: []")))
    competition = Competition.open("odd")
    finished_run(competition)
    text = read_page(report(competition, ["baseline"]))
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; $1 &#34;b&#34;</h1>" in text
    assert text.count("<script") == 1
    assert "subgroups" not in sections(text)


class TaskReport(NamedTuple):
    """The report of a noisy run of a look-alike, and its ensemble."""

    text: str
    facts: CompetitionFacts
    score: dict
    ensemble: Ensemble
    unit: str


SLOW_TASKS = [
    ("chestmnist", "multilabel", "samples"),
    # more labels than a table shows
    ("human-protein-atlas-image-classification", "multilabel", "samples"),
    ("iq-othnccd-lung-cancer", "multiclass", "samples"),
    ("rsna-breast-cancer-detection", "binary", "units"),
]
TASKS = [("retinamnist", "ordinal", "samples"), *(pytest.param(task, marks=pytest.mark.slow) for task in SLOW_TASKS)]


@pytest.fixture(scope="module", params=TASKS)
def task_report(request, once, tmp_path_factory) -> TaskReport:
    """The report of a noisy run of each task; made once for the tests of this module."""
    name, task, unit = request.param
    with pytest.MonkeyPatch.context() as patch:
        copy_project(lookalike_once(once, name), tmp_path_factory.mktemp("reported"), patch)
        competition = Competition.open(name)
        assert competition.facts.task == task
        noisy_run(competition)
        text = read_page(report(competition, ["noisy"]))
        score = json_files.read(competition.paths.run("noisy").score)
        return TaskReport(
            text, competition.facts, score, ensemble_runs(competition, ["noisy"], make_dataset(competition)), unit
        )


def test_cards_of_every_task_match_its_run(task_report):
    shown = cards(task_report.text)
    assert next(iter(shown.values()))[0] == f"{task_report.ensemble.score.value:.4f}"
    assert shown["folds"][1] == f"{task_report.score['num_units']:,} {task_report.unit}"


def test_figures_and_gallery_of_every_task_are_drawn(task_report):
    text, task = task_report.text, task_report.facts.task
    drawn = re.findall(r'<figure id="figure-([\w-]+)"', text)
    assert {"examples", "roc", "pr", "calibration"} <= set(drawn)
    assert ("confusion" in drawn) == (task != "multilabel")
    assert ("spread" in drawn) == (task == "binary")
    assert text.count('class="tile"') >= 24
    if "confusion" in drawn:
        counts = re.search(r'<figure id="figure-confusion".*?</figure>', text, re.DOTALL).group()
        numbers = [int(each.replace(",", "")) for each in re.findall(r">([\d,]+)</td>", counts)]
        assert sum(numbers) >= len(task_report.ensemble.oof.targets)


def test_table_of_classes_matches_targets_and_predictions(task_report):
    facts, found = task_report.facts, task_report.ensemble
    if facts.task == "binary":  # a single class has no such table
        return
    rows = cells(task_report.text, "By class or label")
    assert [row[0] for row in rows] == facts.prediction_columns
    targets = found.oof.targets
    members = targets if targets.ndim == 2 else targets[:, None] == np.arange(len(rows))
    for column, (_, count, share, auc, _) in enumerate(rows):
        assert int(count) == members[:, column].sum()
        assert share == f"{members[:, column].mean():.1%}"
        assert auc == f"{METRICS['auc'](members[:, column] * 1, found.oof_probabilities.predictions[:, column]):.4f}"
