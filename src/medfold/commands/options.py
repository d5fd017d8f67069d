"""What commands share: options by name, and opening the competition that they name."""

from typing import Annotated

import typer

from medfold.errors import UserError

CompetitionName = Annotated[
    str, typer.Option("--competition", "-c", help="Name of a folder under competition/, or its address at Kaggle.")
]
RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="Name of a recipe beside competition.yaml.")]
Overrides = Annotated[str, typer.Option("--set", help='Keys of the recipe to change: "training.epochs=3 tta=false".')]
Seeds = Annotated[str, typer.Option(help='Seeds, each a run of its own: "0 1 2".')]
Runs = Annotated[
    str, typer.Option(help='Runs to put together, by name: "a b". Defaults to those of recipe, overrides and seeds.')
]
Method = Annotated[str, typer.Option(help="Ensemble method. Defaults to the one that the cross-fitted scores choose.")]
PerClass = Annotated[bool, typer.Option("--per-class", help="Fit weights for each class or label on its own.")]
Sure = Annotated[bool, typer.Option("--yes", help="Remove without asking.")]
Force = Annotated[bool, typer.Option("--force", help="Do it again, even if it is done.")]
AsJson = Annotated[bool, typer.Option("--json", help="Tell it as JSON on standard output, for scripts.")]


def open_project(name: str):
    """Opens a competition, with its metrics and its source checked.

    Raises:
        UserError: no such competition, or a fault in its competition.yaml.
    """
    from medfold.competition import Project
    from medfold.data import open_source
    from medfold.scoring import metric_of

    project = Project.open(name)
    score = project.competition.score
    for metric in (score.metric, *score.also):
        metric_of(project.competition, metric)
    open_source(project)
    return project


def overrides_of(text: str) -> dict:
    """Overrides of a recipe, from what SET= holds."""
    from medfold.competition import parse_overrides

    return parse_overrides(text)


def seeds_of(text: str) -> list[int]:
    """Seeds, from what SEEDS= holds.

    Raises:
        UserError: no different numbers.
    """
    words = text.split()
    if not words or not all(word.isdigit() for word in words) or len(set(words)) != len(words):
        raise UserError("expected different numbers >= 0", f"SEEDS={text}", 'Example: SEEDS="0 1 2"')
    return [int(word) for word in words]


def run_names(runs: str, recipe: str, overrides: str, seeds: str) -> list[str]:
    """The runs that RUNS= names; without it those of RECIPE=, SET= and SEEDS=."""
    from medfold.competition import run_name

    return runs.split() or [run_name(recipe, seed, overrides_of(overrides)) for seed in seeds_of(seeds)]
