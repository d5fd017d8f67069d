"""Saved choice of an ensemble, so that `make predict` repeats what was submitted, without needing the labels."""

from typing import NamedTuple

from pydantic import BaseModel

from medfold.competition import Competition
from medfold.ensemble.ensemble import Ensemble
from medfold.errors import UserError
from medfold.paths import EnsemblePaths
from medfold.scoring import FittedTransform
from medfold.system import files, json_files
from medfold.system.hashes import sha256


class SavedChoice(NamedTuple):
    """The way an ensemble combines its runs.

    Args:
        fitted: predictions of runs -> what is submitted.
        probabilities: predictions of runs -> probabilities, where `fitted` gives decisions or ranks; None if `fitted`
            gives probabilities itself.
        title: display name.
    """

    fitted: FittedTransform
    probabilities: FittedTransform | None
    title: str


def choice_of_ensemble(ensemble: Ensemble) -> SavedChoice:
    """Returns the choice that an ensemble was made with."""
    choice = ensemble.choice
    probabilities, _ = choice.probabilities
    post_processed = f", {choice.used_post_processing.title}" if choice.used_post_processing else ""
    return SavedChoice(
        fitted=choice.fitted,
        probabilities=None if probabilities is choice.fitted else probabilities,
        title=f"{choice.chosen.method.title}{post_processed}",
    )


def save_choice(competition: Competition, ensemble: Ensemble) -> None:
    """Saves the choice of an ensemble, with the hashes of the files it was made from."""
    paths = EnsemblePaths(competition.paths, ensemble.run_names)
    choice = choice_of_ensemble(ensemble)
    choice.fitted.save(paths.choice)
    if choice.probabilities:
        choice.probabilities.save(paths.choice_probabilities)
    else:
        files.remove(paths.choice_probabilities)
    files.remove(paths.former_choice_probabilities)
    hashes = {file.name: sha256(file) for file in (paths.choice, paths.choice_probabilities) if file.is_file()}
    contents = {"inputs": ensemble.input_hashes, "title": choice.title, "files": hashes}
    json_files.write(contents, paths.choice_metadata, sealed=True)


class _ChoiceJson(BaseModel):
    """The values of the JSON file beside a saved choice, by their types."""

    inputs: dict[str, str]
    files: dict[str, str]
    title: str


def read_choice(competition: Competition, run_names: list[str]) -> SavedChoice | None:
    """Reads the saved choice for some runs; None if there is none, or if their folds have changed since."""
    paths = EnsemblePaths(competition.paths, sorted(set(run_names)))
    try:
        metadata = json_files.read(paths.choice_metadata, form=_ChoiceJson)
    except UserError:
        return None
    if not metadata:
        return None
    expected = {competition.project_paths.root / name: digest for name, digest in metadata["inputs"].items()}
    expected |= {paths.choice.with_name(name): digest for name, digest in metadata["files"].items()}
    if any(not file.is_file() or sha256(file) != digest for file, digest in expected.items()):
        return None
    candidates = (paths.choice_probabilities, paths.former_choice_probabilities)
    file = next((file for file in candidates if file.name in metadata["files"]), None)
    probabilities = FittedTransform.load(file) if file else None
    return SavedChoice(FittedTransform.load(paths.choice), probabilities, metadata["title"])
