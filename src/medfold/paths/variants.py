"""Variants: competitions that share a folder, by the section `variants` of its competition.yaml."""

from pathlib import Path
from typing import Any

from medfold.errors import UserError
from medfold.system.path_checks import is_plain_name
from medfold.yaml_files import parse_yaml, read_text

SECTION = "variants"


def variant_names(facts_file: Path) -> list[str]:
    """Returns the names of the variants; none for a file with a fault, which is reported when it is opened."""
    try:
        text = read_text(facts_file)
        if f"\n{SECTION}:" not in text:  # most files have none, and parsing YAML is slow
            return []
        variants = parse_yaml(text, facts_file)[SECTION]
    except (UserError, TypeError, KeyError):
        return []
    return [name for name in variants if is_plain_name(name)] if isinstance(variants, dict) else []


def split_variants(content: dict[str, Any], facts_file: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Divides the content of competition.yaml into the shared facts, and the facts of each variant by its name.

    Args:
        content: the content of the file.
        facts_file: path of the file, for the message.

    Raises:
        UserError: `variants` is not a section for each variant, or a variant cannot be the name of a competition.
    """
    variants = content.get(SECTION, {})
    if not isinstance(variants, dict) or not all(isinstance(variant, dict) for variant in variants.values()):
        fix = "Write the name of each variant, and its facts below it"
        raise UserError(f"'{SECTION}': expected a section for each variant", facts_file, fix)
    if unusable := [name for name in variants if not is_plain_name(name)]:
        what = f"'{SECTION}': '{unusable[0]}' cannot be the name of a competition"
        raise UserError(what, facts_file, "Choose a name of letters, digits and hyphens")
    return {key: value for key, value in content.items() if key != SECTION}, variants
