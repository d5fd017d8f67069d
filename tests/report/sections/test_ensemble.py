"""The section on the members and methods of an ensemble."""

import re

import pytest

from medfold.commands.report import report
from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.system import json_files
from tests.support.report_pages import cards, cells, read_page, sections


@pytest.mark.slow
def test_ensemble_page_lists_members_and_methods(competition):
    path = report(competition, ["good", "fair"])
    assert path == competition.project_paths.root / "runs/small/fair+good.html"
    found, text = ensemble_runs(competition, ["good", "fair"], make_dataset(competition)), read_page(path)
    scores = [json_files.read(competition.paths.run(name).score)["value"] for name in ("good", "fair")]
    assert cells(text, "Members") == [["fair", f"{scores[1]:.4f}"], ["good", f"{scores[0]:.4f}"]]
    caption = "Methods: if fitted on labels, scored on folds that they were not fitted on"
    methods = cells(text, caption)
    assert [row[0] for row in methods] == [one.method.title for one in found.method_choice.candidates]
    assert [row[1] for row in methods] == [f"{one.cross_fitted:.4f}" for one in found.method_choice.candidates]
    (marked,) = re.findall(r'<tr class="marked"><th scope="row">(.*?)</th>', text)
    assert marked == found.method_choice.chosen.method.title
    assert cards(text)["out-of-fold AUC"][0] == f"{found.score.value:.4f}"
    assert "make submit COMPETITION=small RUNS=&#34;fair good&#34;" in text
    assert "ensemble" in sections(text)


@pytest.mark.slow
def test_requested_ensemble_method_is_used(competition):
    found = ensemble_runs(competition, ["fair", "peeked"], make_dataset(competition), method_name="stacking")
    text = read_page(report(competition, ["fair", "peeked"], method="stacking"))
    (marked,) = re.findall(r'<tr class="marked"><th scope="row">(.*?)</th>', text)
    assert marked == found.method_choice.chosen.method.title
    assert cards(text)["out-of-fold AUC"][0] == f"{found.score.value:.4f}"
