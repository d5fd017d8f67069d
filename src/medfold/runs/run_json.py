"""run.json: what a run was started with."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from medfold import config
from medfold.competition import command_without_folders, weights_without_folders
from medfold.earlier_versions import RUN
from medfold.errors import UserError
from medfold.paths import RunPaths
from medfold.runs.train_command import is_named_by_recipe, train_command
from medfold.system import json_files
from medfold.text import did_you_mean, shorten_list

# Without run.json nobody knows by which recipe its folds were trained.
RUN_JSON_FIX = "Restore it from a backup, or remove the whole folder of the run"


class _SymmetryFact(BaseModel):
    symmetry: str


class _FoldsFact(BaseModel):
    k: Annotated[int, Field(ge=2)]


class _NeededFacts(BaseModel):
    """The facts without which a run cannot be read."""

    folds: _FoldsFact
    images: _SymmetryFact


def _check_needed_facts(facts: dict[str, Any]) -> dict[str, Any]:
    _NeededFacts.model_validate(facts, strict=True)
    return facts


class ImagesFingerprints(BaseModel):
    """Fingerprints of the pixels by id, of training and test set."""

    model_config = ConfigDict(frozen=True)
    train: str
    test: str


class RunMetadata(BaseModel):
    """The contents of run.json: what a run was started with. Keys of other versions are kept.

    Args:
        competition: name of the competition.
        seed: seed of the run.
        recipe: the recipe, with its overrides and without folders of a machine.
        facts: facts of the competition.
        folds_fingerprint: `folds.folds_fingerprint`.
        images_fingerprints: `same_data.images_fingerprints`.
        labels_fingerprint: `same_data.labels_fingerprint`.
        store_key: name of the store with the prepared images.
        pretrained_hash: SHA-256 of the file of pretrained weights; None without one.
        versions: versions of packages, by name.
        commit: commit of the project folder; None outside git.
        plugins_hash: hash of plugins.py; None without one.
        backend: backend of Keras.
        command: the make command that started the run.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    competition: str | None = None
    seed: int
    recipe: dict[str, Any]
    facts: Annotated[dict[str, Any], AfterValidator(_check_needed_facts)]
    folds_fingerprint: str
    images_fingerprints: ImagesFingerprints | None = None
    labels_fingerprint: str | None = None
    store_key: str | None = None
    pretrained_hash: str | None = None
    versions: dict[str, Any] | None = None
    commit: str | None = None
    plugins_hash: str | None = None
    backend: str = "tensorflow"
    command: str | None = None

    @property
    def num_folds(self) -> int:
        """Number of folds of the folds table."""
        return self.facts["folds"]["k"]

    @property
    def symmetry(self) -> str:
        """Symmetry of the images, as in competition.yaml."""
        return self.facts["images"]["symmetry"]


def write_run_json(run_paths: RunPaths, metadata: RunMetadata) -> None:
    """Writes run.json; keys that are not set are left out."""
    json_files.write(metadata.model_dump(mode="json", exclude_unset=True), run_paths.metadata, sealed=True)


def read_run_json(run_paths: RunPaths) -> RunMetadata:
    """Reads run.json.

    Raises:
        UserError: no such run (the existing ones are listed), or a damaged file.
    """
    check_run_json_not_lost(run_paths)
    metadata = read_saved_run_json(run_paths)
    if metadata is None:
        known = sorted(path.parent.name for path in run_paths.folder.parent.glob("*/run.json"))
        trained = f"Trained so far: {shorten_list(known, 8)}. " if known else ""
        if is_named_by_recipe(run_paths):
            fix = f"{trained}Run: {train_command(run_paths)}"
        elif known:
            fix = f"{trained}Choose one of them"
        else:
            fix = f"No run is trained yet. To train one of that name: {train_command(run_paths)}"
        what = f"run '{run_paths.name}' is not trained{did_you_mean(run_paths.name, known)}"
        raise UserError(what, run_paths.competition, fix)
    return metadata


def check_run_json_not_lost(run_paths: RunPaths) -> None:
    """Refuses a folder with trained folds but without run.json: nobody knows how they were trained.

    Raises:
        UserError: run.json is missing, although folds are trained.
    """
    if not run_paths.metadata.is_file() and any(run_paths.folder.glob("fold*/done.json")):
        raise UserError("missing, although folds are trained", run_paths.metadata, RUN_JSON_FIX)


def read_saved_run_json(run_paths: RunPaths) -> RunMetadata | None:
    """Reads run.json; returns None if there is none.

    Raises:
        UserError: the file is damaged, or lacks a key.
    """
    metadata = json_files.read(run_paths.metadata, RUN, RUN_JSON_FIX, RunMetadata)
    return metadata and _without_folders(metadata, run_paths.name)


def _without_folders(metadata: RunMetadata, name: str) -> RunMetadata:
    """Returns run.json without folders of the machine that wrote it, which earlier versions recorded."""
    try:
        weights = metadata.recipe["backbone"]["weights"]
    except (KeyError, TypeError):
        return metadata
    changes: dict[str, Any] = {
        "recipe": config.merge(metadata.recipe, {"backbone": {"weights": weights_without_folders(str(weights))}})
    }
    if metadata.command:
        changes["command"] = command_without_folders(metadata.command, name)
    return metadata.model_copy(update=changes)
