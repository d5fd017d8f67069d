"""Hashes of files, texts and values."""

import hashlib
import json
from pathlib import Path
from typing import Any


def sha256(*paths: Path) -> str:
    """Returns the SHA-256 of the concatenated contents of files, as 64 hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def sha256_of_text(text: str) -> str:
    """Returns the SHA-256 of a text in UTF-8, as 64 hex digits; equals that of a file written by `files.write_text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(value: Any, digits: int = 16) -> str:
    """Returns the first hex digits of the SHA-256 of a JSON-serialisable value; equal for equal values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return sha256_of_text(text)[:digits]
