"""The project folder, and paths as messages show them."""

from pathlib import Path


def find_root(start: Path) -> Path | None:
    """Returns the nearest folder with `competition/<name>/competition.yaml`, from `start` upwards; None without one."""
    folders = (start, *start.parents)
    return next((folder for folder in folders if any(folder.glob("competition/*/competition.yaml"))), None)


def display_path(path: Path) -> str:
    """Returns a path as text: relative to the project folder if it lies in it, else as it is."""
    try:
        root = find_root(Path.cwd())
    except OSError:  # the working directory was removed
        root = None
    return str(path.relative_to(root)) if root and path.is_relative_to(root) and path != root else str(path)
