"""Campaigns: questions that take thousands of cases or hours of kills to answer.

    make campaigns                      all of them, at full size; started again, it goes on where it was
    make campaigns WHAT=kills SEED=1    one of them, with other random moments

`make test-all` asks each of a small share of its cases. A campaign is a module of this package with a `CAMPAIGN`.
"""

from importlib import import_module

from tests.campaigns.campaign import Campaign

NAMES = ("disk", "fuzz", "kills", "properties", "renames", "signals")


def named(name: str) -> Campaign:
    """The campaign of a name in NAMES."""
    return import_module(f"tests.campaigns.{name}").CAMPAIGN
