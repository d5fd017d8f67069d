"""Prints the leaks, the first part of the audit."""

from medfold.competition import Competition
from medfold.folds import LeakReport
from medfold.project_root import display_path
from medfold.terminal.console import say, warn
from medfold.text import count_of, shorten_list

MAX_IDS = 3  # shown for each set of copies


def show_leaks(competition: Competition, leaks: LeakReport) -> None:
    """Prints a line per kind of leak, and where all of them are."""
    for index, (finding, value) in enumerate(leak_lines(leaks)):
        (warn if value != "none" else say)("audit" if index == 0 else "", f"{finding:<33}{value}")
    if any(leaks.counts().values()):
        say("", f"all of them: {display_path(competition.paths.leaks)}")


def leak_lines(leaks: LeakReport) -> list[tuple[str, str]]:
    """Returns each kind of leak with its count and up to three examples, or 'none'."""
    lines = [
        ("groups in two folds", shorten_list(leaks.split_groups) if leaks.split_groups else "none"),
        ("exact duplicates in train", _describe(leaks.duplicates, ", each in one fold")),
        ("duplicates with different labels", _describe(leaks.contradicting_duplicates)),
        ("train images found in test", _describe(leaks.duplicates_in_test)),
    ]
    if leaks.images_of_one_value:
        note = ", which are not copies of each other"
        lines.append(("images of one value", _describe(leaks.images_of_one_value, note)))
    if leaks.near_duplicates is not None:
        note = ", each in one fold"
        if leaks.split_near_duplicates:
            num_split = f"{len(leaks.split_near_duplicates):,} of them in different folds"
            note = f", {num_split} (folds.duplicates: near joins them)"
        lines.append(("near-duplicates in train", _describe(leaks.near_duplicates, note, are_near=True)))
        lines.append(("near-duplicates of train in test", _describe(leaks.near_duplicates_in_test, are_near=True)))
    return lines


def _describe(clusters: list[list[str]], note: str = "", are_near: bool = False) -> str:
    """Returns how many clusters of ids there are, with the first ones."""
    separator = " ~ " if are_near else " = "
    counted = count_of(len(clusters), "pair") if are_near else f"{len(clusters):,}"
    examples = [
        separator.join(ids[:MAX_IDS]) + f" and {len(ids) - MAX_IDS} more" * (len(ids) > MAX_IDS) for ids in clusters
    ]
    return f"{counted}{note}: {shorten_list(examples)}" if clusters else "none"
