"""Training on Kaggle's GPUs, as it runs in the notebook there: trains what the bundle requests, packs the results."""

import os
import tempfile
import time
from pathlib import Path

from medfold.competition import Competition, setting_errors_located
from medfold.data import fetch_raw_data, load_samples, make_dataset, open_source
from medfold.errors import UserError
from medfold.notebooks import attached_data, training_bundle
from medfold.notebooks.training_bundle import TrainingBundle
from medfold.paths import ProjectPaths
from medfold.scoring import describe_score
from medfold.system.deadline import STOP_AT, deadline_passed
from medfold.terminal.command_text import BY_MAKE
from medfold.terminal.console import format_size, say, warn
from medfold.training import train_run


def train_in_notebook(folder: Path | str, inputs: Path | str, out: Path | str, hours: float) -> None:
    """Trains the folds that a bundle requests, and packs the results; runs in the notebook.

    Args:
        folder: folder of the bundle.
        inputs: folder below which Kaggle mounts the attached data.
        out: folder to write `trained.zip` to.
        hours: time limit; after it, training runs save a checkpoint and stop.

    Raises:
        UserError: errors of `train_run`; trained folds and checkpoints are packed anyway.
    """
    os.environ[BY_MAKE] = "1"  # its log is a file, which names make commands
    os.environ[STOP_AT] = str(time.time() + 3600 * hours)
    bundle = TrainingBundle.open(folder)
    out = Path(out)
    root = Path(tempfile.mkdtemp(prefix="medfold-"))  # Kaggle would keep all files in `out` as output
    paths = bundle.write_competition(root)
    os.chdir(root)
    competition = Competition.open(paths.name, ProjectPaths(root))
    request = bundle.request
    try:
        with setting_errors_located(paths, request.recipe_name, request.overrides):
            _prepare_data(competition, Path(inputs))
            recipe = request.load_recipe(competition)
            dataset = make_dataset(competition, recipe.preparation)
            result = train_run(competition, request, recipe, dataset)
        say("OOF score", describe_score(competition.facts, result, dataset.num_units))
    except UserError as error:
        if not deadline_passed():
            raise
        warn("train", str(error))
    finally:
        archive = out / training_bundle.RESULTS_ARCHIVE
        training_bundle.pack_results(
            paths.run(request.run_name), request.fold_numbers, bundle.manifest.content_id, archive
        )
        say("packed", f"{format_size(archive.stat().st_size)} -> {archive}")


def _prepare_data(competition: Competition, inputs: Path) -> None:
    """Links the raw data from where Kaggle mounts it, or draws that of a phantom competition; builds the samples."""
    source = open_source(competition)
    if source.is_embedded:
        fetch_raw_data(competition)
        return
    attached = attached_data.find_data_on_kaggle(competition)
    if attached.competition:
        folder = attached_data.competition_folder(inputs, attached.competition)
    else:
        folder = attached_data.dataset_folder(inputs, attached.datasets[0])
    source.link(folder)
    say("data", f"linked, not copied: {folder}")
    load_samples(competition)
