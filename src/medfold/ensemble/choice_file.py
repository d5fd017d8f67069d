"""Saved choice of an ensemble, so that `make predict` repeats what was submitted, without needing the labels."""

from typing import NamedTuple

from medfold.competition import Competition
from medfold.earlier_versions import FORMER_PROBABILITIES_ENDING, PROBABILITIES_ENDING
from medfold.ensemble.ensemble import Ensemble
from medfold.errors import UserError
from medfold.paths import EnsemblePaths
from medfold.scoring import FittedTransform
from medfold.system import files
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
    path = EnsemblePaths(competition.paths, ensemble.run_names).choice
    choice = choice_of_ensemble(ensemble)
    probabilities_path = path.with_suffix(PROBABILITIES_ENDING)
    choice.fitted.save(path)
    if choice.probabilities:
        choice.probabilities.save(probabilities_path)
    else:
        files.remove(probabilities_path)
    files.remove(path.with_suffix(FORMER_PROBABILITIES_ENDING))
    hashes = {file.name: sha256(file) for file in (path, probabilities_path) if file.is_file()}
    contents = {"inputs": ensemble.input_hashes, "title": choice.title, "files": hashes}
    files.write_json(contents, path.with_suffix(".json"), sealed=True)


def read_choice(competition: Competition, run_names: list[str]) -> SavedChoice | None:
    """Reads the saved choice for some runs; None if there is none, or if their folds have changed since."""
    path = EnsemblePaths(competition.paths, sorted(set(run_names))).choice
    try:
        metadata = files.read_json(path.with_suffix(".json"))
    except UserError:
        return None
    if not metadata:
        return None
    expected = {competition.project_paths.root / name: digest for name, digest in metadata["inputs"].items()}
    expected |= {path.with_name(name): digest for name, digest in metadata["files"].items()}
    if any(not file.is_file() or sha256(file) != digest for file, digest in expected.items()):
        return None
    endings = (PROBABILITIES_ENDING, FORMER_PROBABILITIES_ENDING)
    paths = [path.with_suffix(ending) for ending in endings if path.with_suffix(ending).name in metadata["files"]]
    probabilities = FittedTransform.load(paths[0]) if paths else None
    return SavedChoice(FittedTransform.load(path), probabilities, metadata["title"])
