"""A campaign and its cases, each of which is run once; a journal makes it resumable."""

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medfold.system import files
from medfold.system.hashes import fingerprint, sha256
from tests.support.helpers import REPOSITORY

TESTED = ("src", "tests")  # a journal is valid until a file in these folders changes
HEAD = "| campaign | question | cases | held | time | seed |"


class NotPossibleError(Exception):
    """The campaign cannot run on this machine; the message says why."""


@dataclass(frozen=True)
class Campaign:
    """A yes-or-no question, and the cases that may answer it with no.

    Args:
        question: the question, in one line.
        cases: (seed, full) -> the names of the cases, each of which determines its case fully; a small share of them
            unless `full`.
        prepare: (folder) -> what all cases need, made once in an empty folder. It raises NotPossibleError if the
            campaign cannot run on this machine.
        check: (case, result of `prepare`, an empty folder) -> the result in a few words. An AssertionError means no.
    """

    question: str
    cases: Callable[[int, bool], list[str]]
    prepare: Callable[[Path], Any]
    check: Callable[[str, Any, Path], str]


@dataclass(frozen=True)
class Outcome:
    """Result of a case.

    Args:
        case: name of the case.
        held: whether the answer is yes.
        seen: the result in words, or the error.
        seconds: duration.
    """

    case: str
    held: bool
    seen: str
    seconds: float


def outcomes(campaign: Campaign, cases: list[str]) -> Iterator[Outcome]:
    """Runs cases one after the other, also after a failure."""
    with tempfile.TemporaryDirectory(prefix="campaign ") as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        given = campaign.prepare(shared)
        for number, case in enumerate(cases):
            place = Path(folder) / f"{number}"
            place.mkdir()
            began = time.monotonic()
            try:
                held, seen = True, campaign.check(case, given, place)
            except AssertionError as error:
                held, seen = False, str(error)
            yield Outcome(case, held, seen, round(time.monotonic() - began, 1))
            files.remove(place)


def run(name: str, campaign: Campaign, seed: int, journals: Path) -> list[Outcome]:
    """Runs the cases that are not in the journal yet, and prints the outcome of each.

    Args:
        name: name of the campaign.
        seed: seed of its random choices.
        journals: folder of the journals.

    Returns:
        The outcomes of all cases, also those in the journal.
    """
    journal = journals / f"{name}-{seed}.jsonl"
    cases, known = campaign.cases(seed, True), _read(journal)
    if known:
        print(f"{name}: {len(known)} of {len(cases)} cases are done, the rest follows", flush=True)
    with files.atomic_write(journal) as temporary:  # without an incomplete last line
        entries = ({"code": code_hash()}, *map(asdict, known.values()))
        temporary.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    with journal.open("a", encoding="utf-8") as file:
        for outcome in outcomes(campaign, [case for case in cases if case not in known]):
            file.write(json.dumps(asdict(outcome)) + "\n")
            file.flush()
            os.fsync(file.fileno())
            known[outcome.case] = outcome
            told = "held" if outcome.held else "FAILED"
            print(f"{name} {len(known)}/{len(cases)}: {outcome.case}: {told}, {outcome.seen}", flush=True)
    return [known[case] for case in cases]


def _read(journal: Path) -> dict[str, Outcome]:
    """The outcomes in a journal by case; empty if the code has changed since."""
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True) if journal.is_file() else []
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    if not whole or whole[0] != {"code": code_hash()}:
        return {}
    return {each["case"]: Outcome(**each) for each in whole[1:]}


def code_hash() -> str:
    """Hash of the source and of the tests."""
    paths = [path for folder in TESTED for path in (REPOSITORY / folder).rglob("*.py")]
    return fingerprint({path.relative_to(REPOSITORY).as_posix(): sha256(path) for path in sorted(paths)})


def row(name: str, campaign: Campaign, seed: int, found: list[Outcome]) -> str:
    """A row of the summary table."""
    held, minutes = sum(each.held for each in found), sum(each.seconds for each in found) / 60
    cells = [name, campaign.question, f"{len(found):,}", f"{held:,}", f"{minutes:.0f} min", f"{seed}"]
    return "| " + " | ".join(cells) + " |"


def with_row(text: str, line: str) -> str:
    """The page with the row of one campaign replaced or added."""
    head, table, rest = re.split(rf"(^{re.escape(HEAD)}\n(?:\|.*\n)*)", text, maxsplit=1, flags=re.MULTILINE)
    name = line.split("|")[1]
    lines = table.splitlines()
    kept = [each for each in lines[2:] if each.split("|")[1] != name]
    return head + "\n".join([*lines[:2], *sorted([*kept, line])]) + "\n" + rest
