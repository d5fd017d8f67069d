"""Opens the folder of a bundle, of a submission or of a training, in a notebook: it must be complete."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medfold.errors import UserError
from medfold.system import files
from medfold.system.hashes import sha256
from medfold.text import shorten_list


def open_bundle(folder: Path, manifest_name: str) -> dict[str, Any]:
    """Reads the manifest of a bundle, and checks that the bundle is complete.

    Args:
        folder: folder of the bundle.
        manifest_name: file name of the manifest.

    Raises:
        UserError: no manifest, a missing or damaged file, or a package that is not installed.
    """
    manifest = files.read_json(folder / manifest_name)
    if manifest is None:
        raise UserError(f"no {manifest_name}", folder, "Attach the data set that was uploaded with the notebook")
    damaged = [name for name, digest in manifest["files"].items() if not _has_hash(folder / name, digest)]
    if damaged:
        raise UserError(f"files are missing or damaged: {shorten_list(damaged)}", folder, "Upload the data set again")
    missing = [name for name in manifest["packages"] if not _installed(name)]
    if missing:
        raise UserError(f"packages are not installed: {shorten_list(missing)}", None, "Run the notebook's first cell")
    return manifest


def _has_hash(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
