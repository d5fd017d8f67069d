"""How runs are put together, kept beside them: so that `make predict` says what was submitted, without the labels."""

from pathlib import Path
from typing import NamedTuple

from medfold import files
from medfold.competition import Project
from medfold.ensemble.run_ensemble import Ensemble
from medfold.errors import UserError
from medfold.runs import combined_name
from medfold.scoring import FittedTransform


class SavedChoice(NamedTuple):
    """How runs are put together.

    Args:
        fitted: predictions of runs -> what is submitted.
        probable: predictions of runs -> the probabilities behind that; None if they are the same.
        title: in words.
    """

    fitted: FittedTransform
    probable: FittedTransform | None
    title: str


def choice_of_ensemble(found: Ensemble) -> SavedChoice:
    """The choice that an ensemble came to."""
    decision, (behind, _) = found.decision, found.decision.probable
    adjusted = f", {decision.adjusted.title}" if decision.adjusted and decision.adjusted.helps else ""
    return SavedChoice(
        fitted=decision.fitted,
        probable=None if behind is decision.fitted else behind,
        title=f"{decision.chosen.method.title}{adjusted}",
    )


def save_choice(project: Project, found: Ensemble) -> None:
    """Keeps the choice of an ensemble, with the hashes of what it was made from."""
    path, choice = _path(project, found.names), choice_of_ensemble(found)
    behind = path.with_suffix(".probable.npz")
    choice.fitted.save(path)
    if choice.probable:
        choice.probable.save(behind)
    else:
        files.remove(behind)
    hashes = {each.name: files.sha256(each) for each in (path, behind) if each.is_file()}
    files.write_json({"inputs": found.inputs, "title": choice.title, "files": hashes}, path.with_suffix(".json"))


def read_choice(project: Project, names: list[str]) -> SavedChoice | None:
    """The choice that was kept for runs; None if there is none that their present folds were put together by."""
    path = _path(project, sorted(set(names)))
    try:
        about = files.read_json(path.with_suffix(".json"))
    except UserError:
        return None
    if not about:
        return None
    expected = {project.workspace.root / name: digest for name, digest in about["inputs"].items()}
    expected |= {path.with_name(name): digest for name, digest in about["files"].items()}
    if any(not file.is_file() or files.sha256(file) != digest for file, digest in expected.items()):
        return None
    behind = path.with_suffix(".probable.npz")
    return SavedChoice(
        FittedTransform.load(path),
        FittedTransform.load(behind) if behind.name in about["files"] else None,
        about["title"],
    )


def _path(project: Project, names: list[str]) -> Path:
    if len(names) == 1:
        return project.paths.run(names[0]).folder / "ensemble.npz"
    return project.paths.runs / f"{combined_name(names)}.ensemble.npz"
