"""`make export`: a trained fold as a .keras file, for plain Keras."""

from pathlib import Path

from medfold import files
from medfold.competition import RESEARCH_NOTICE, Project
from medfold.console import say
from medfold.errors import UserError
from medfold.processes import silence_native_output
from medfold.runs import done_folds, facts_of_run, find_run, recipe_of_run


def export(project: Project, run: str, fold: int, out: Path | None = None) -> Path:
    """Writes the net of a fold as a .keras file that is loaded without medfold, and a note of what its input is.

    Args:
        run: its name.
        fold: its number.
        out: the file to write. Defaults to `<run>-fold<fold>.keras` in the folder of the run.

    Returns:
        The file; the note is beside it, with the ending `.txt`.

    Raises:
        UserError: a run or fold that is not trained.
    """
    run_paths = find_run(project.paths, run)
    facts, recipe = facts_of_run(project, run), recipe_of_run(project, run)
    if fold not in (done := done_folds(run_paths, facts.folds.k)):
        trained = f"Trained are: {', '.join(map(str, done))}" if done else f"Run: {project.command('train')}"
        raise UserError(f"fold {fold} of run '{run}' is not trained", f"FOLD={fold}", trained)
    with silence_native_output(show_on_error=True):  # TensorFlow tells at length which GPUs it does not find
        from medfold.models import to_plain_keras
        from medfold.prediction import load_model
    plain = to_plain_keras(load_model(facts, recipe, run_paths.fold(fold).weights))
    out = out or run_paths.folder / f"{run}-fold{fold}.keras"
    with files.atomic_write(out) as temporary:
        named = temporary.with_name(f"{temporary.name}.keras")  # Keras tells its formats apart by the ending
        plain.save(named)
        named.replace(temporary)
    size, views = recipe.images.size, facts.images.symmetry
    steps = ", ".join(map(str, recipe.images.steps)) or "none"
    files.write_text(
        f"""{facts.title}: fold {fold} of run {run}, trained by medfold.

    import keras
    model = keras.models.load_model("{out.name}")
    probabilities = model.predict_on_batch(images)

Input: float32 (batch, {size}, {size}, {facts.images.num_channels}), pixels from 0 to 255; the net scales them itself.
Before it, medfold brought an image to that size by: preparation steps {steps}; images.fit {recipe.images.fit}.
Output: float32 (batch, {len(facts.prediction_columns)}), probabilities of: {", ".join(facts.prediction_columns)}.
A submission also averages over all folds{"" if views == "none" or not recipe.tta else f" and over flips ({views})"}.
{RESEARCH_NOTICE}
""",
        out.with_suffix(".txt"),
    )
    say("export", f"{project.display(out)}, and what its input is: {out.with_suffix('.txt').name}")
    say("", RESEARCH_NOTICE)
    return out
