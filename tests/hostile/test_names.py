"""Names of classes and files that a terminal, a web page, a plot, a shell or a spreadsheet would obey."""

import json

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

NAMES = {
    "markup": "[/]",
    "colour": "[red]sick[/red]",
    "escape": "\x1b[2J\x1b]0;title\x07",
    "direction": "\u202ekcis",
    "script": "<script>document.title='pwned'</script>",
    "quote": '"><img src=x onerror=alert(1)>',
    "formula": "$\\frac{1}{$ and $x^$",
    "shell": "$(touch pwned); `touch pwned` '",
    "spreadsheet": "=cmd|' /C calc'!A0",
    "braces": "{0.__class__} %s {{ 7*7 }}",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_class_of_any_name_is_shown_and_not_obeyed(victim, name):
    victim.change_facts("[healthy, sick]", json.dumps(["healthy", name]))
    table = pd.read_csv(victim.given / "train.csv").replace("sick", name)
    table.to_csv(victim.given / "train.csv", index=False)
    said = ""
    for target, words in {
        "download": [f"FROM={victim.given}"],
        "folds": [],
        "train": ["FOLD=0"],
        "report": [],
        "submit": ["FORCE=1", "DRY_RUN=1"],
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


@pytest.mark.parametrize("name", ["[b]", "\x1b[2J", "a\nb", "$HOME", "' or 1", "--force", "=1+1"])
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
