"""Former names of keys of competition.yaml and of recipes, which files of earlier versions have."""

from typing import Any

FORMER_NAMES = {
    ("labels", "layout"): "shape",
    ("submission", "layout"): "shape",
    ("training", "num_images"): "images",
}


def with_current_names(content: Any) -> Any:
    """Renames keys that have their former name; returns anything but a mapping unchanged.

    Args:
        content: facts or a recipe, from a YAML file or recorded with a run.

    Raises:
        ValueError: a key is there under both names.
    """
    if not isinstance(content, dict):
        return content
    for (section, name), former in FORMER_NAMES.items():
        values = content.get(section)
        if isinstance(values, dict) and former in values:
            if name in values:
                raise ValueError(f"'{section}.{former}' is the former name of '{section}.{name}': remove one of them")
            content = {**content, section: {name if key == former else key: value for key, value in values.items()}}
    return content


def with_former_names(content: dict[str, Any]) -> dict[str, Any]:
    """Renames keys to their former names, for fingerprints, which must equal those of earlier versions.

    Args:
        content: facts or a recipe.
    """
    for (section, name), former in FORMER_NAMES.items():
        if section in content:
            values = content[section]
            content = {**content, section: {former if key == name else key: value for key, value in values.items()}}
    return content
