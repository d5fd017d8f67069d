"""Packs trained folds for a competition that takes notebooks: the bundle, and the notebook beside it."""

from medfold.competition import Competition, kaggle_slug
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.kaggle import AttachedData, NotebookJob, kaggle_name
from medfold.notebooks import notebook_file, wheels
from medfold.notebooks.bundle import say_written
from medfold.notebooks.submission_bundle import MANIFEST, write_submission_bundle
from medfold.paths import EnsemblePaths
from medfold.scoring import describe_score
from medfold.system import files
from medfold.text import count_of

BUNDLE_FOLDER = "kit"  # also ends the name of the data set
NOTEBOOK = "submission.ipynb"


def pack_submission(competition: Competition, dataset: Dataset, ensemble: Ensemble) -> NotebookJob:
    """Writes the bundle, whose files it names, and the notebook.

    The caller must hold the `packing_lock` of the runs.

    Args:
        competition: the competition of the runs; bundle and notebook are put beside the first run.
        dataset: the dataset that the runs were trained on.
        ensemble: fitted ensemble of the runs; their folds are packed.

    Returns:
        The run for Kaggle; nothing is sent yet.
    """
    facts = competition.facts
    paths = competition.paths
    score = describe_score(facts, ensemble.score, dataset.num_units)
    ensemble_paths = EnsemblePaths(paths, ensemble.run_names)
    folder = ensemble_paths.notebook
    slug = paths.name if facts.upload == "none" else kaggle_slug(facts)
    sizes = write_submission_bundle(competition, slug, ensemble, score, folder / BUNDLE_FOLDER)
    packages = wheels.installed_versions(wheels.missing_packages(facts))
    run_texts = [f"{run.name} ({count_of(len(run.trained_folds), 'fold')})" for run in ensemble.runs]
    manifest = folder / BUNDLE_FOLDER / MANIFEST
    files.write_text(notebook_file.submission_notebook(facts, run_texts, score, manifest, packages), folder / NOTEBOOK)
    say_written(folder / BUNDLE_FOLDER, sizes)
    name_parts = ("medfold", paths.name, ensemble_paths.name)
    return NotebookJob(
        name=kaggle_name(*name_parts),
        dataset_name=kaggle_name(*name_parts, BUNDLE_FOLDER),
        manifest=manifest,
        notebook=folder / NOTEBOOK,
        attached=AttachedData(competition=slug),
    )
