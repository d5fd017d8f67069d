"""The folder of a bundle, of a submission or of a training: completed by its manifest, and opened in a notebook."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from medfold.errors import UserError
from medfold.notebooks import wheels
from medfold.notebooks.access_keys import check_no_access_key
from medfold.paths import ProjectPaths
from medfold.project_root import display_path
from medfold.system import json_files
from medfold.system.hashes import fingerprint, sha256
from medfold.system.path_checks import leads_into
from medfold.terminal.console import format_size, say
from medfold.text import count_of, shorten_list


def add_wheels(folder: Path, packages: tuple[str, ...], project_paths: ProjectPaths) -> None:
    """Adds the wheels of medfold and of packages to a bundle.

    Args:
        folder: folder of the bundle.
        packages: names of the packages that Kaggle's image lacks.
        project_paths: paths of the project, which keeps downloaded wheels.

    Raises:
        UserError: a wheel cannot be built or downloaded.
    """
    wheels.build_wheel(folder)
    wheels.download_wheels(packages, project_paths.wheels, folder)


def complete_bundle(folder: Path, manifest: dict[str, Any], manifest_name: str, identity: list[Any]) -> dict[str, int]:
    """Completes a bundle by its manifest, which is written last.

    The manifest gets `files`, the hash of each other file, and `content_id`, a hash of `identity` and of all files
    except wheels: it does not change with the version of medfold.

    Args:
        folder: folder of the bundle, with all other files.
        manifest: other contents of the manifest.
        manifest_name: file name of the manifest.
        identity: values that identify the content of the bundle, beside its files.

    Returns:
        The size of each file, in bytes.

    Raises:
        UserError: the manifest, which has the recipe and what `SET=` changes, contains an access key.
    """
    hashes = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    content_hashes = {name: digest for name, digest in hashes.items() if not name.endswith(".whl")}
    content_id = fingerprint([content_hashes, *identity], 12)
    json_files.write({**manifest, "files": hashes, "content_id": content_id}, folder / manifest_name)
    check_no_access_key((folder / manifest_name).read_text(encoding="utf-8"), folder / manifest_name)
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def say_written(folder: Path, sizes: dict[str, int]) -> None:
    """Prints the files of a bundle with their sizes, before any of them is sent."""
    say("bundle", f"{count_of(len(sizes), 'file')}, {format_size(sum(sizes.values()))} -> {display_path(folder)}")
    for name, size in sizes.items():
        say("", f"{format_size(size):>7}  {name}")


def aligned_lines(values: dict[str, str]) -> str:
    """Returns a line per heading, with the values in one column."""
    return "\n".join(f"{heading:<13}{value}" for heading, value in values.items())


class BundleManifest(BaseModel):
    """The values that the manifest of every bundle has.

    Args:
        files: hash of each other file of the bundle, by its name.
        packages: packages that the bundle has as wheels, since Kaggle's image lacks them.
    """

    model_config = ConfigDict(frozen=True)
    files: dict[str, str]
    packages: list[str]


Manifest = TypeVar("Manifest", bound=BundleManifest)


def open_bundle(folder: Path, manifest_name: str, manifest_type: type[Manifest]) -> Manifest:
    """Reads the manifest of a bundle, and checks that the bundle is complete.

    Args:
        folder: folder of the bundle.
        manifest_name: file name of the manifest.
        manifest_type: the values that the manifest must have.

    Raises:
        UserError: no manifest, one with values of other types, a missing or damaged file, a file outside the folder,
            or a package that is not installed.
    """
    manifest = json_files.read(folder / manifest_name, fix="Pack the bundle again", schema=manifest_type)
    if manifest is None:
        raise UserError(f"no {manifest_name}", folder, "Attach the data set that was uploaded with the notebook")
    damaged = [
        name
        for name, digest in manifest.files.items()
        if not _has_hash(path_in_bundle(folder, name, manifest_name), digest)
    ]
    if damaged:
        raise UserError(f"files are missing or damaged: {shorten_list(damaged)}", folder, "Upload the data set again")
    missing = [name for name in manifest.packages if not _installed(name)]
    if missing:
        raise UserError(f"packages are not installed: {shorten_list(missing)}", None, "Run the notebook's first cell")
    return manifest


def path_in_bundle(folder: Path, name: str, manifest_name: str) -> Path:
    """Returns the path of a file that a manifest names.

    Args:
        folder: folder that the file must lie in, or in a folder below it.
        name: relative path in the manifest.
        manifest_name: file name of the manifest, for the message.

    Raises:
        UserError: the path leads out of the folder.
    """
    path = folder / name
    if "\0" in name or path.resolve() == folder.resolve() or not leads_into(path, folder):
        raise UserError(f"names a file outside its folder: {name!r}", manifest_name, "Pack the bundle again")
    return path


def packed_file(folder: Path, manifest: BundleManifest, name: str) -> Path:
    """Returns the path of a file of an opened bundle, whose hash was checked.

    Args:
        folder: folder of the bundle.
        manifest: the manifest, as `open_bundle` returns it.
        name: name of the file.

    Raises:
        UserError: the manifest has no hash of it.
    """
    if name not in manifest.files:
        raise UserError(f"{name!r} is not among the files that were packed", folder, "Pack the bundle again")
    return folder / name


def _has_hash(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
