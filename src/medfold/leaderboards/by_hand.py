"""Notebook competitions: the checked file stays here, and how its notebook gets to Kaggle is named."""

from medfold.competition import Competition
from medfold.leaderboards import Entry, Placed
from medfold.paths import CompetitionPaths


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Nothing stands in the way of a file that nobody uploads."""


def place(competition: Competition, paths: CompetitionPaths, entry: Entry) -> Placed:
    """Says where a notebook that writes such a file is submitted."""
    page = f"{competition.url.rstrip('/')}/submit" if competition.url else "the competition's page"
    command = f"make notebook COMPETITION={paths.name} packs folds and notebook, to be submitted at {page}"
    return Placed(status="written", lines=[("by hand", command)])
