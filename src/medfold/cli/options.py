"""Options shared by several commands, and functions that read their values."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medfold.errors import UserError
from medfold.terminal.command_text import variable

if TYPE_CHECKING:
    from medfold.cluster import ClusterAddress

# Shown as the default of an option that must be given; its absence is a UserError, see `check_given`.
REQUIRED = "required"

CompetitionName = Annotated[
    str,
    typer.Option(
        "--competition",
        "-c",
        help="Name of a competition (competition/README.md lists them), or its address on Kaggle.",
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe",
        "-r",
        help="Name of a recipe: a file beside competition.yaml, or one that every competition has: debug, gpu, "
        "mobilenet or simple_cnn.",
    ),
]
Assignments = Annotated[str, typer.Option("--set", help='Keys of the recipe to change: "training.epochs=3 tta=false".')]
Seeds = Annotated[str, typer.Option(help='Seeds, a separate run for each: "0 1 2".')]
Runs = Annotated[
    str, typer.Option(help='Names of the runs to combine: "a b". Defaults to the runs of RECIPE, SET and SEEDS.')
]
Method = Annotated[str, typer.Option(help="Ensemble method. Defaults to the choice by cross-fitted scores.")]
PerClass = Annotated[bool, typer.Option("--per-class", help="Fit separate weights for each class or label.")]
Address = Annotated[
    str, typer.Option(help="Address of a Ray cluster, host:port. Defaults to a cluster on this machine.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Remove without asking.")]
Force = Annotated[bool, typer.Option("--force", help="Do it again, even if it is done.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON to standard output, for scripts.")]


def check_given(value: str, name: str, example: str) -> None:
    """Refuses an empty value of an option that has no default.

    Args:
        value: value of the option.
        name: make variable of the option.
        example: the variable with a value, as the user types it.

    Raises:
        UserError: the value is empty.
    """
    if not value.strip():
        raise UserError("not given", variable(name), f"Example: {example}")


def read_overrides(text: str) -> dict[str, Any]:
    """Reads the value of SET: the overrides of a recipe."""
    from medfold.competition import parse_overrides

    return parse_overrides(text)


def is_number(text: str) -> bool:
    """Returns True for 1 to 18 decimal digits: a whole number from 0."""
    return bool(re.fullmatch("[0-9]{1,18}", text))


def read_seeds(text: str) -> list[int]:
    """Reads the value of SEEDS.

    Raises:
        UserError: not a list of different numbers, or one is too large.
    """
    from medfold.competition import MAX_SEED

    numbers = text.split()
    are_seeds = all(is_number(number) and int(number) <= MAX_SEED for number in numbers)
    if not numbers or not are_seeds or len(set(numbers)) != len(numbers):
        what = f"expected whole numbers from 0 to {MAX_SEED:,}, each once"
        raise UserError(what, variable("SEEDS", text), f"Example: {variable('SEEDS', '0 1 2')}")
    return [int(number) for number in numbers]


def read_folds(text: str) -> list[int] | None:
    """Reads the value of FOLD, if it may be several: numbers of folds, sorted; None for `all`.

    Raises:
        UserError: neither. Whether there are folds of these numbers is not checked.
    """
    if text == "all":
        return None
    numbers = text.split()
    if not numbers or not all(is_number(number.removeprefix("-")) for number in numbers):
        example = f"Example: {variable('FOLD', '0 1')}"
        raise UserError("expected numbers of folds, or 'all'", variable("FOLD", text), example)
    return sorted({int(number) for number in numbers})


def read_place(text: str, places: tuple[str, ...] = ("here", "ray", "kaggle")) -> str:
    """Reads the value of ON: where to work.

    Args:
        text: the value.
        places: the possible values. Defaults to those of `make train`.

    Raises:
        UserError: the value is none of these.
    """
    if text not in places:
        *others, last = map(repr, places)
        example = f"Example: {variable('ON', places[-1])}"
        raise UserError(f"expected {', '.join(others)} or {last}", variable("ON", text), example)
    return text


def read_address(text: str, place: str) -> "ClusterAddress | None":
    """Reads the value of ADDRESS: the address of a Ray cluster; None without one.

    Args:
        text: the value.
        place: the value of ON.

    Raises:
        UserError: the address is not of the form host:port, or ON is not ray.
    """
    from medfold.cluster import ClusterAddress

    if text and place != "ray":
        fix = f"Add {variable('ON', 'ray')}, or leave it out"
        raise UserError(f"is used only with {variable('ON', 'ray')}", variable("ADDRESS", text), fix)
    return ClusterAddress.parse(text) if text else None


def read_jobs(text: str) -> int | None:
    """Reads the value of JOBS: a number of folds; None for `auto`.

    Raises:
        UserError: the value is neither `auto` nor a number from 1.
    """
    if text == "auto":
        return None
    if not is_number(text) or int(text) < 1:
        raise UserError(
            "expected a number from 1, or 'auto'", variable("JOBS", text), f"Example: {variable('JOBS', 2)}"
        )
    return int(text)


def read_workers(text: str) -> int | None:
    """Reads the value of WORKERS: a number of processes; None for `auto`.

    Raises:
        UserError: the value is neither `auto` nor a number from 0.
    """
    if text == "auto":
        return None
    if not is_number(text):
        example = f"Example: {variable('WORKERS', 4)}"
        raise UserError("expected a number from 0, or 'auto'", variable("WORKERS", text), example)
    return int(text)


def split_run_names(text: str) -> list[str]:
    """Splits the value of RUNS; a name of `make compare` may join several runs with `+`.

    Raises:
        UserError: a run is named twice.
    """
    names = text.split()
    for listed in (names, *(name.split("+") for name in names)):
        if repeated := next((name for name in listed if listed.count(name) > 1), None):
            raise UserError(f"'{repeated}' is named twice", variable("RUNS"), "Name each run once")
    return names


def read_run_names(runs: str, recipe: str, assignments: str, seeds: str) -> list[str]:
    """Returns the run names in RUNS; if it is empty, the names of the runs of RECIPE, SET and SEEDS.

    Raises:
        UserError: a run is named twice, or errors of `read_overrides` and `read_seeds`.
    """
    from medfold.competition import run_name

    return split_run_names(runs) or [run_name(recipe, seed, read_overrides(assignments)) for seed in read_seeds(seeds)]
