"""What a campaign is, and how its cases are tried: each once; a journal makes it resumable."""

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medfold import files
from tests.support.helpers import REPOSITORY

TESTED = ("src", "tests")  # a journal holds as long as nothing in these folders changes
HEAD = "| campaign | question | cases | held | time | seed |"


class NotPossibleError(Exception):
    """A campaign cannot be tried on this machine; the text says why."""


@dataclass(frozen=True)
class Campaign:
    """A question, and the cases that could answer it with no.

    Args:
        question: in one line.
        cases: (seed, full) -> the names of the cases, each of which says all that decides it; a small share of them
            unless `full`.
        prepare: (folder) -> what all cases need, made once in an empty folder. It raises NotPossibleError where the
            machine does not allow the campaign.
        check: (case, what `prepare` gave, an empty folder) -> what was seen, in a few words. An AssertionError is a no.
    """

    question: str
    cases: Callable[[int, bool], list[str]]
    prepare: Callable[[Path], Any]
    check: Callable[[str, Any, Path], str]


@dataclass(frozen=True)
class Outcome:
    """What a case came to.

    Args:
        case: its name.
        held: whether the answer is yes.
        seen: what was seen, or what is wrong.
        seconds: that it took.
    """

    case: str
    held: bool
    seen: str
    seconds: float


def outcomes(campaign: Campaign, cases: list[str]) -> Iterator[Outcome]:
    """Tries cases one after the other; a no does not end it."""
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
    """Tries the cases that are not in the journal yet, and says what comes of each.

    Args:
        name: of the campaign.
        seed: for its random choices.
        journals: the folder of the journals.

    Returns:
        The outcomes of all cases, those of an earlier start too.
    """
    journal = journals / f"{name}-{seed}.jsonl"
    cases, known = campaign.cases(seed, True), _read(journal)
    if known:
        print(f"{name}: {len(known)} of {len(cases)} cases are done, the rest follows", flush=True)
    journals.mkdir(exist_ok=True)
    with journal.open("w", encoding="utf-8") as file:  # without the half line that a kill may have left
        for entry in ({"code": _code()}, *map(asdict, known.values())):
            file.write(json.dumps(entry) + "\n")
        for outcome in outcomes(campaign, [case for case in cases if case not in known]):
            file.write(json.dumps(asdict(outcome)) + "\n")
            file.flush()
            os.fsync(file.fileno())
            known[outcome.case] = outcome
            told = "held" if outcome.held else "FAILED"
            print(f"{name} {len(known)}/{len(cases)}: {outcome.case}: {told}, {outcome.seen}", flush=True)
    return [known[case] for case in cases]


def _read(journal: Path) -> dict[str, Outcome]:
    """The outcomes in a journal by case; none if it is of other code."""
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True) if journal.is_file() else []
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    if not whole or whole[0] != {"code": _code()}:
        return {}
    return {each["case"]: Outcome(**each) for each in whole[1:]}


def _code() -> str:
    """A hash of the code that is tested, and of what tests it."""
    paths = [path for folder in TESTED for path in (REPOSITORY / folder).rglob("*.py")]
    return files.fingerprint({path.relative_to(REPOSITORY).as_posix(): files.sha256(path) for path in sorted(paths)})


def row(name: str, campaign: Campaign, seed: int, found: list[Outcome]) -> str:
    """A line of the summary table."""
    held, minutes = sum(each.held for each in found), sum(each.seconds for each in found) / 60
    cells = [name, campaign.question, f"{len(found):,}", f"{held:,}", f"{minutes:.0f} min", f"{seed}"]
    return "| " + " | ".join(cells) + " |"


def with_row(text: str, line: str) -> str:
    """The page with a line of its table exchanged, or added at its end."""
    head, table, rest = re.split(rf"(^{re.escape(HEAD)}\n(?:\|.*\n)*)", text, maxsplit=1, flags=re.MULTILINE)
    name = line.split("|")[1]
    lines = table.splitlines()
    kept = [each for each in lines[2:] if each.split("|")[1] != name]
    return head + "\n".join([*lines[:2], *sorted([*kept, line])]) + "\n" + rest
