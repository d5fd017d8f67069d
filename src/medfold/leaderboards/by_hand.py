"""Notebook competitions, until this version can push notebooks: the checked file is there, the page is named."""

from medfold.competition import Competition
from medfold.leaderboards import Entry, Placed
from medfold.paths import CompetitionPaths


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Nothing stands in the way of a file that nobody uploads."""


def place(competition: Competition, paths: CompetitionPaths, entry: Entry) -> Placed:
    """Says where a notebook that writes such a file is submitted."""
    page = f"{competition.url.rstrip('/')}/submit" if competition.url else "the competition's page"
    return Placed(status="written", lines=[("upload", f"by a notebook of yours that writes it, at {page}")])
