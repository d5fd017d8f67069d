"""Campaigns: a small seeded share of each, the journal that makes them resumable, and the summary."""

from dataclasses import replace

import pytest

from tests.campaigns import NAMES, campaign, fuzz, named
from tests.campaigns.campaign import HEAD, Campaign, NotPossibleError, outcomes, row, run, with_row
from tests.support.helpers import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_small_share_of_each_campaign_holds(name, monkeypatch):
    monkeypatch.setattr(fuzz, "BLOCK", 30)
    chosen = named(name)
    try:
        cases = list(chosen.cases(0, False))
        found = list(outcomes(chosen, cases))
    except NotPossibleError as reason:
        pytest.skip(str(reason))
    assert [f"{each.case}: {each.seen}" for each in found if not each.held] == []
    assert len(cases) >= 2
    assert [each.case for each in found] == cases


def campaign_of_five(tried: list[str], stop_at: str = "") -> Campaign:
    """A campaign of five cases, of which the odd ones fail."""

    def check(case, given, folder):
        if case == stop_at:
            raise KeyboardInterrupt
        assert given == "prepared"
        assert list(folder.iterdir()) == []
        tried.append(case)
        assert int(case) % 2 == 0, f"{case} is odd"
        return "even"

    return Campaign("Even?", lambda seed, full: [str(seed + each) for each in range(5)], lambda _: "prepared", check)


def test_stopped_campaign_resumes_and_repeats_no_case(tmp_path, capsys):
    tried: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run("even", campaign_of_five(tried, stop_at="3"), 0, tmp_path)
    with (tmp_path / "even-0.jsonl").open("a") as journal:
        journal.write('{"case": "3", "he')  # as after a kill while writing
    found = run("even", campaign_of_five(tried), 0, tmp_path)
    assert "3 of 5 cases are done" in capsys.readouterr().out
    assert tried == ["0", "1", "2", "3", "4"]
    assert [each.held for each in found] == [True, False, True, False, True]
    assert found[1].seen.startswith("1 is odd")
    assert run("even", campaign_of_five(tried), 0, tmp_path) == found
    assert len(tried) == 5
    run("even", campaign_of_five(tried), 10, tmp_path)
    assert tried[5:] == ["10", "11", "12", "13", "14"]


def test_known_outcomes_are_on_the_disk_before_the_next_case_begins(tmp_path):
    journal = tmp_path / "even-0.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run("even", campaign_of_five([], stop_at="3"), 0, tmp_path)
    before = journal.read_text(encoding="utf-8")
    assert before.count("\n") == 4
    seen = []

    def check(case, given, folder):
        seen.append(journal.read_text(encoding="utf-8"))
        return "even"

    run("even", replace(campaign_of_five([]), check=check), 0, tmp_path)
    assert seen[0] == before
    assert [text.count("\n") for text in seen] == [4, 5]


def test_outcomes_of_changed_code_are_discarded(tmp_path, monkeypatch):
    tried: list[str] = []
    run("even", campaign_of_five(tried), 0, tmp_path)
    monkeypatch.setattr(campaign, "code_hash", lambda: "changed")
    run("even", campaign_of_five(tried), 0, tmp_path)
    assert tried == ["0", "1", "2", "3", "4"] * 2


def test_with_row_adds_or_replaces_the_row_of_a_campaign():
    page = f"# Title\n\n{HEAD}\n|---|---|---|---|---|---|\n| kills | Q? | 9 | 9 | 1 min | 0 |\n\nAfter\n"
    found = list(outcomes(campaign_of_five([]), ["0", "1", "2"]))
    line = row("even", campaign_of_five([]), 7, found)
    assert line == "| even | Even? | 3 | 2 | 0 min | 7 |"
    added = with_row(page, line)
    assert added == page.replace("| kills", f"{line}\n| kills")
    again = with_row(added, line.replace("| 7 |", "| 8 |"))
    assert again == added.replace("| 7 |", "| 8 |")
    assert HEAD in (REPOSITORY / "docs" / "development" / "reliability-tests.md").read_text(encoding="utf-8")


def test_cases_of_full_campaigns_are_unique_and_seeded():
    for name in NAMES:
        cases = named(name).cases
        full, share = cases(0, True), cases(0, False)
        assert len(set(full)) == len(full) >= len(share)
        assert cases(0, True) == full
        if name not in ("properties", "renames"):  # which have no random choice of cases
            assert set(cases(1, True)) != set(full)
