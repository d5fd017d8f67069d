"""Names of classes and files that a terminal, a web page, a plot, a shell or a spreadsheet would obey."""

import json

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

NAMES = {
    "terminal": ["[/]", "[red]sick[/red]", "\x1b[2J\x1b]0;title\x07", "\u202ekcis"],
    "page and plot": ["<script>document.title='pwned'</script>", '"><img src=x onerror=alert(1)>', "$x^$", "{{ 7*7 }}"],
    "shell and spreadsheet": ["$(touch pwned); `touch pwned` '", "=cmd|' /C calc'!A0", "%s {0.__class__}", "a\nb"],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_classes_of_any_name_are_shown_and_not_obeyed(victim, names):
    victim.change_facts("task: binary\nclasses: [healthy, sick]", f"task: multiclass\nclasses: {json.dumps(names)}")
    victim.change_facts("metric: auc", "metric: mean_auc")
    victim.change_facts("submission: {sample: sample_submission.csv}\n", "")
    table = pd.read_csv(victim.given / "train.csv")
    table["finding"] = [names[number // 2 % 4] for number in range(len(table))]
    table.to_csv(victim.given / "train.csv", index=False)
    said = ""
    for target, words in {
        "download": [f"FROM={victim.given}"],
        "train": ["FOLD=0"],
        "report": [],
        "submit": ["FORCE=1"],
    }.items():
        ended = victim.make(target, *words)
        assert ended.code == 0, ended
        said += ended.said + ended.errors
    assert "\x1b" not in said
    assert "\u202e" not in said
    page = (victim.clone / "runs" / "clinic" / "baseline" / "report.html").read_text()
    assert "<script>document" not in page
    assert "<img src=x" not in page
    assert not list(victim.clone.rglob("pwned"))


@pytest.mark.parametrize("name", ["[b]", "\x1b[2J", "a\nb", "$HOME", "--force"])
def test_file_of_any_name_is_shown_and_not_obeyed(victim, name):
    (victim.given / "train" / "i00.png").rename(victim.given / "train" / f"{name}.png")
    table = pd.read_csv(victim.given / "train.csv").replace("i00", name)
    table.to_csv(victim.given / "train.csv", index=False)
    ended = victim.make("download", f"FROM={victim.given}")
    if ended.code == 0:
        ended = victim.make("folds")
    assert ended.code in (0, 2), ended
    assert "\x1b" not in ended.said + ended.errors
    assert len(ended.errors.splitlines()) == (ended.code == 2)
