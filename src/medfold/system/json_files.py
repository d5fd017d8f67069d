"""JSON files that medfold writes: written atomically, checked when they are read."""

import json
from pathlib import Path
from typing import Any

from medfold.earlier_versions import Names, with_current_names
from medfold.errors import UserError
from medfold.system import files
from medfold.system.hashes import fingerprint

CHECKSUM = "checksum"  # the last key of a sealed file
RESTORE_OR_REMOVE = "Restore it from a backup, or remove it"  # the fix for a damaged file


def write(value: Any, path: Path, sealed: bool = False) -> None:
    """Writes a JSON file atomically, indented by two spaces, keys in their order; NaN is an error.

    Args:
        value: dictionaries, lists, texts and numbers; a dictionary if `sealed`.
        path: path of the file; an existing one is replaced.
        sealed: adds a checksum, by which `read` notices that the file was changed; for objects that nobody edits.
            Defaults to False.
    """
    if sealed:
        value = {**value, CHECKSUM: _checksum(value)}
    files.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read(path: Path, former_names: Names | None = None, fix: str = RESTORE_OR_REMOVE, schema: Any = None) -> Any:
    """Reads a JSON file that medfold wrote; returns None if there is none. A checksum is compared and left out.

    Args:
        path: path of the file.
        former_names: table of `earlier_versions`: keys that had other names. Defaults to none.
        fix: what to do if the file is damaged, for the message. Defaults to restoring or removing it.
        schema: the type that the contents must have, such as `dict[str, float]`, or a pydantic model of the keys that
            are needed. Defaults to any.

    Returns:
        The contents, as an instance of the schema if there is one; else as JSON has them.

    Raises:
        UserError: the file is damaged, was changed although it has a checksum, or does not fit the schema.
    """
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise UserError("not JSON, or cut off", path, fix) from None
    if isinstance(value, dict) and CHECKSUM in value and value.pop(CHECKSUM) != _checksum(value):
        raise UserError("changed since medfold wrote it", path, fix)
    try:
        value = with_current_names(value, former_names or {})
    except ValueError as error:
        raise UserError(str(error), path, fix) from None
    return value if schema is None else _validated(value, schema, path, fix)


def _validated(value: Any, schema: Any, path: Path, fix: str) -> Any:
    """Returns the contents of a file as its schema makes them.

    Raises:
        UserError: the contents are not of this type.
    """
    from pydantic import TypeAdapter, ValidationError  # slow import, and few files need it

    try:
        return TypeAdapter(schema).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"]))
        what = f"the value of '{key}' is missing or is not what medfold writes" if key else "not what medfold writes"
        raise UserError(what, path, fix) from None


def _checksum(value: dict[str, Any]) -> str:
    return fingerprint(json.loads(json.dumps(value)), 32)
