"""SET=: settings that replace a recipe's settings, as text, as keys, and in the name of a run."""

import json
import re
import shlex
from typing import Any

import yaml

from medfold import config, earlier_versions
from medfold.competition.recipe import weights_without_folders
from medfold.errors import UserError
from medfold.system.hashes import fingerprint
from medfold.terminal.command_text import make_command, variable
from medfold.text import shorten_text
from medfold.yaml_files import MAX_DEPTH, parse_yaml


def parse_overrides(text: str) -> dict[str, Any]:
    """Parses overrides: `"training.epochs=3 tta=false"` -> `{"training": {"epochs": 3}, "tta": False}`.

    Values are YAML; in quotes they may have spaces: `"backbone.weights='my weights.h5'"`. A JSON object is accepted as
    well, which one process uses to pass overrides to another.

    Raises:
        UserError: a word without `=`, a key that occurs twice, a value that is not YAML, or an invalid JSON object.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"not JSON ({error})", variable("SET"), _example()) from None
    result: dict[str, Any] = {}
    seen = set()
    for word in re.findall(r"""[^\s=]+=(?:'[^']*'|"[^"]*")(?!\S)|\S+""", text):
        key, equals, value = word.partition("=")
        if not equals or not all(key.split(".")) or key.count(".") > MAX_DEPTH:
            raise UserError(
                "expected key=value without spaces", f"{variable('SET')}: '{shorten_text(word)}'", _example()
            )
        if key in seen:
            raise UserError(f"the key '{key}' occurs twice", variable("SET"), "Keep one of the two")
        seen.add(key)
        try:
            leaf = parse_yaml(value, variable("SET"))
        except UserError:
            where = f"{variable('SET')}: '{shorten_text(word)}'"
            raise UserError("the value is not YAML", where, "Close its brackets and quotes") from None
        for part in reversed(key.split(".")):
            leaf = {part: leaf}
        result = config.merge(result, leaf)
    return result


def _example() -> str:
    return f"Example: {variable('SET', 'training.epochs=3 preparation.size=96')}"


def format_overrides(overrides: dict[str, Any]) -> str:
    """Formats overrides as text, the inverse of `parse_overrides`; lists may hold only words and numbers."""

    def format_value(value: Any) -> str:
        if isinstance(value, str) and (" " in value or not _is_plain_text(value)):
            return f"'{value}'"
        return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip().replace(", ", ",")

    return " ".join(f"{key}={format_value(value)}" for key, value in config.flat(overrides).items())


def command_without_folders(text: str, run: str) -> str:
    """Returns a recorded train command without the folders of an absolute `backbone.weights`.

    Args:
        text: a command such as `make train SET=backbone.weights=/data/net.weights.h5`.
        run: name of the run, which becomes RUN in a changed command: without it, another SET is another run.
    """
    try:
        _, target, *words = shlex.split(text)
        variables = dict(word.split("=", 1) for word in words)
        overrides = parse_overrides(variables.get("SET", ""))
    except (ValueError, UserError):  # not a command that medfold writes
        return text
    portable = _without_folders(overrides)
    if portable == overrides:
        return text
    return make_command(target, **{**variables, "SET": format_overrides(portable), "RUN": run})


def _without_folders(overrides: dict[str, Any]) -> dict[str, Any]:
    """Returns overrides as run.json may hold them: `backbone.weights` without the folders of an absolute path."""
    weights = config.flat(overrides).get("backbone.weights")
    if not isinstance(weights, str):
        return overrides
    return config.merge(overrides, {"backbone": {"weights": weights_without_folders(weights)}})


def _is_plain_text(value: str) -> bool:
    """Returns True for text that YAML reads as it is, without quotes."""
    try:
        return parse_yaml(value, None) == value
    except UserError:
        return False


def run_name(recipe: str, seed: int, overrides: dict[str, Any]) -> str:
    """Returns the run name `<recipe>[-s<seed>][-<hash>]`: the seed unless 0, 6 hex digits of the overrides if any.

    Former names of settings give the same hash.
    """
    hashed = fingerprint(earlier_versions.with_former_names(overrides, earlier_versions.RECIPE), 6)
    return recipe + (f"-s{seed}" if seed else "") + (f"-{hashed}" if overrides else "")
