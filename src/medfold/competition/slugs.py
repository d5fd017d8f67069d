"""Slugs, the names of competitions and data sets on Kaggle, from what a user types or from competition.yaml."""

import re

from medfold.competition.facts import CompetitionFacts
from medfold.errors import SettingError

ADDRESS_PREFIXES = {"competitions": ("competitions", "c"), "datasets": ("datasets", "d")}
ADDRESS_EXAMPLE = "Example of an address: https://www.kaggle.com/competitions/aptos2019-blindness-detection"


def parse_slug(text: str, folder: str) -> str:
    """Parses a slug: 'x' from 'https://www.kaggle.com/competitions/x/data', 'kaggle.com/c/x', or plain 'x'.

    Args:
        text: address on Kaggle, or a slug.
        folder: 'competitions' (slug) or 'datasets' (owner/name).

    Raises:
        ValueError: neither a slug nor an address on Kaggle.
    """
    parts = 2 if folder == "datasets" else 1
    path = re.sub(r"^(https?://)?(www\.)?kaggle\.com/", "", text.strip()).split("?")[0].split("#")[0].strip("/")
    words = path.split("/")
    if any(words[0] in prefixes for prefixes in ADDRESS_PREFIXES.values()):
        words = words[1 : 1 + parts] if words[0] in ADDRESS_PREFIXES[folder] else []
    if len(words) != parts or not all(re.fullmatch(r"[A-Za-z0-9_-]+", word) for word in words):
        expected = "owner/name" if parts == 2 else "the last part of the competition's address"
        raise ValueError(f"expected a slug ({expected}) or a Kaggle address")
    return "/".join(words)


def kaggle_slug(facts: CompetitionFacts) -> str:
    """Returns the competition's slug on Kaggle, from its source or else its url.

    Raises:
        SettingError: neither names a competition, as `upload` needs.
    """
    source = facts.source
    address = source["slug"] if source["kind"] == "kaggle" else facts.url or ""
    try:
        return parse_slug(address, "competitions")
    except ValueError:
        what = f"{facts.upload} needs a Kaggle competition, and neither 'source' nor 'url' names one"
        fix = "Set url: https://www.kaggle.com/competitions/<name>, or upload: none"
        raise SettingError(what, "upload", fix) from None
