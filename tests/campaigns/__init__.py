"""Campaigns: tests of thousands of random cases, which take hours.

    make campaigns                      all of them, at full size; resumes if it was stopped
    make campaigns WHAT=kills SEED=1    one of them, with other random cases

`make test-all` runs a small share of the cases of each. A campaign is a module of this package with a `CAMPAIGN`.
"""

from importlib import import_module

from tests.campaigns.campaign import Campaign

NAMES = ("disk", "fuzz", "kills", "properties", "renames", "signals")


def named(name: str) -> Campaign:
    """The campaign of this name, one of NAMES."""
    return import_module(f"tests.campaigns.{name}").CAMPAIGN
