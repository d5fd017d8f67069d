"""Former names of keys of competition.yaml, which files of earlier versions have."""

from typing import Any

FORMER_NAMES = {("labels", "layout"): "shape", ("submission", "layout"): "shape"}


def with_current_names(facts: Any) -> Any:
    """Renames keys that have their former name; returns anything but a mapping unchanged.

    Args:
        facts: content of competition.yaml, or facts that were recorded with a run.

    Raises:
        ValueError: a key is there under both names.
    """
    if not isinstance(facts, dict):
        return facts
    for (section, name), former in FORMER_NAMES.items():
        values = facts.get(section)
        if isinstance(values, dict) and former in values:
            if name in values:
                raise ValueError(f"'{section}.{former}' is the former name of '{section}.{name}': remove one of them")
            facts = {**facts, section: {name if key == former else key: value for key, value in values.items()}}
    return facts


def with_former_names(facts: dict[str, Any]) -> dict[str, Any]:
    """Renames keys to their former names, for fingerprints, which must equal those of earlier versions."""
    for (section, name), former in FORMER_NAMES.items():
        if section in facts:
            values = facts[section]
            facts = {**facts, section: {former if key == name else key: value for key, value in values.items()}}
    return facts
