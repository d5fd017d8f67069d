"""What the benchmarks find, as their terminal lines and the tables of docs/development/benchmarks.md show it."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One thing that was measured, or two that were compared.

    Args:
        what: was measured.
        value: what came out, as text with its units.
        ratio: of the two that were compared. Defaults to none.
        limit: that the ratio must reach. Defaults to none.
        at_most: the ratio must not be over the limit instead.
    """

    what: str
    value: str
    ratio: float | None = None
    limit: float | None = None
    at_most: bool = False

    @property
    def held(self) -> bool:
        """True if no limit is missed."""
        if self.ratio is None or self.limit is None:
            return True
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit

    @property
    def bound(self) -> str:
        """The limit in words; nothing if there is none."""
        if self.limit is None:
            return ""
        return f"at {'most' if self.at_most else 'least'} {self.limit:.2f}"


def judge(results: Iterable[Result]) -> None:
    """Prints results, and ends the program if one of them misses its limit."""
    missed = []
    for result in results:
        ratio = "" if result.ratio is None else f"; ratio {result.ratio:.3f}"
        print(f"{result.what}: {result.value}{ratio}{f', {result.bound}' if result.bound else ''}")
        if not result.held:
            missed.append(f"{result.what}: {result.ratio:.3f}, not {result.bound}")
    if missed:
        raise SystemExit("; ".join(missed))


def run(measure: Callable[[int], list[Result]], doc: str, rounds: int) -> None:
    """The program of a benchmark: reads --rounds, measures, judges.

    Args:
        measure: (rounds) -> results.
        doc: of the script; its first line is the help.
        rounds: how many unless said otherwise.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    judge(measure(parser.parse_args().rounds))
