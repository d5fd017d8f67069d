"""Fitted ensemble: how it combines its runs, saved so that `make predict` repeats a submission without the labels."""

from typing import NamedTuple

from pydantic import BaseModel

from medfold.competition import Competition
from medfold.ensemble.ensemble import Ensemble
from medfold.errors import UserError
from medfold.paths import EnsemblePaths
from medfold.scoring import FittedTransform
from medfold.system import files, json_files
from medfold.system.hashes import sha256


class FittedEnsemble(NamedTuple):
    """The way an ensemble combines its runs.

    Args:
        transform: predictions of runs -> what is submitted.
        probability_transform: predictions of runs -> probabilities, where `transform` gives decisions or ranks; None if
            `transform` gives probabilities itself.
        title: display name.
        run_names: names of the runs, in the order in which `transform` takes their predictions.
    """

    transform: FittedTransform
    probability_transform: FittedTransform | None
    title: str
    run_names: tuple[str, ...]


def fitted_ensemble_of(ensemble: Ensemble) -> FittedEnsemble:
    """Returns how an ensemble combines its runs."""
    method_choice = ensemble.method_choice
    for_probabilities = method_choice.used_for_probabilities
    post_processed = f", {used.title}" if (used := method_choice.used_post_processing) else ""
    return FittedEnsemble(
        transform=method_choice.used.fitted,
        probability_transform=None if for_probabilities is method_choice.used else for_probabilities.fitted,
        title=f"{method_choice.chosen.method.title}{post_processed}",
        run_names=tuple(ensemble.run_names),
    )


def save_fitted_ensemble(competition: Competition, ensemble: Ensemble) -> None:
    """Saves how an ensemble combines its runs, with the hashes of the files it was made from."""
    paths = EnsemblePaths(competition.paths, ensemble.run_names)
    fitted = fitted_ensemble_of(ensemble)
    fitted.transform.save(paths.fitted)
    if fitted.probability_transform:
        fitted.probability_transform.save(paths.fitted_probabilities)
    else:
        files.remove(paths.fitted_probabilities)
    files.remove(paths.former_fitted_probabilities)
    hashes = {file.name: sha256(file) for file in (paths.fitted, paths.fitted_probabilities) if file.is_file()}
    contents = {
        "runs": list(fitted.run_names),
        "inputs": ensemble.input_hashes,
        "title": fitted.title,
        "files": hashes,
    }
    json_files.write(contents, paths.fitted_metadata, sealed=True)


class _FittedEnsembleJson(BaseModel):
    """The values of the JSON file beside a saved ensemble, by their types."""

    inputs: dict[str, str]
    files: dict[str, str]
    title: str
    runs: list[str] | None = None  # earlier versions did not write it; their order is that of the names


def read_fitted_ensemble(competition: Competition, run_names: list[str]) -> FittedEnsemble | None:
    """Reads the saved ensemble of some runs; None if there is none, or if their folds have changed since."""
    sorted_names = sorted(set(run_names))
    paths = EnsemblePaths(competition.paths, sorted_names)
    try:
        metadata = json_files.read(paths.fitted_metadata, schema=_FittedEnsembleJson)
    except UserError:
        return None
    if not metadata:
        return None
    names_in_order = tuple(metadata.runs or sorted_names)
    if sorted(names_in_order) != sorted_names:
        return None
    expected = {competition.project_paths.root / name: digest for name, digest in metadata.inputs.items()}
    expected |= {paths.fitted.with_name(name): digest for name, digest in metadata.files.items()}
    if any(not file.is_file() or sha256(file) != digest for file, digest in expected.items()):
        return None
    candidates = (paths.fitted_probabilities, paths.former_fitted_probabilities)
    file = next((file for file in candidates if file.name in metadata.files), None)
    probability_transform = FittedTransform.load(file) if file else None
    return FittedEnsemble(FittedTransform.load(paths.fitted), probability_transform, metadata.title, names_in_order)
