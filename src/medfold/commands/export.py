"""`make export`: writes the net of a fold as a .keras file, which Keras loads without medfold."""

from pathlib import Path

from medfold.commands.shared.output_file import check_output
from medfold.competition import RESEARCH_NOTICE, Competition, CompetitionFacts, Recipe
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.runs import Run, check_folds_exist, facts_of_run, require_trained_folds
from medfold.system import files
from medfold.system.native_output import silence_native_output
from medfold.terminal.command_text import variable
from medfold.terminal.console import say


def export(competition: Competition, run_name: str, fold: int, out: Path | None = None) -> Path:
    """Writes the net of a fold as a .keras file, and a text file that describes its input and output.

    Args:
        competition: the competition of the run; the files are put into the folder of the run.
        run_name: name of the run.
        fold: number of the fold.
        out: the file to write. Defaults to `<run>-fold<fold>.keras` in the folder of the run.

    Returns:
        The path of the .keras file; the text file has the same path with the ending `.txt`.

    Raises:
        UserError: the run or the fold is not trained, `out` or its text file exists, or Keras cannot open a file of
            that name.
    """
    run = Run.open(competition, run_name, "RUN")
    facts = facts_of_run(competition, run)
    check_folds_exist([fold], facts.folds.k, f"0 to {facts.folds.k - 1}")
    if fold not in (done := require_trained_folds(run)):
        fix = f"Choose one of {', '.join(map(str, done))}, or run: {run.train_command(FOLD=fold)}"
        raise UserError(f"fold {fold} of run '{run_name}' is not trained", variable("FOLD", fold), fix)
    default = run.paths.folder / f"{run_name}-fold{fold}.keras"
    out = out or default
    if out.suffix != ".keras":
        fix = f"Example: {variable('OUT', 'model.keras')}"
        raise UserError("the name of the file must end in .keras, for Keras to open it", variable("OUT", out), fix)
    note = out.with_suffix(".txt")
    check_output(out, note, is_given=out != default)
    with silence_native_output(show_on_error=True):  # TensorFlow prints long messages about GPUs
        from medfold.models import to_plain_keras
        from medfold.prediction import load_net
    net = to_plain_keras(load_net(facts, run.recipe, run.paths.fold(fold).weights))
    with files.atomic_write(out) as temporary:
        keras_file = temporary.with_name(f"{temporary.name}.keras")  # Keras chooses the format by the ending
        net.save(keras_file)
        keras_file.replace(temporary)
    files.write_text(_note(facts, run.recipe, f"fold {fold} of run {run_name}", out.name), note)
    say("export", f"{display_path(out)}; its input is described in {note.name}")
    say("", RESEARCH_NOTICE)
    return out


def _note(facts: CompetitionFacts, recipe: Recipe, net: str, file: str) -> str:
    """Returns the text that describes input and output of an exported net."""
    size = recipe.preparation.size
    has_one_view = facts.images.symmetry == "none" or not recipe.tta
    flips = "" if has_one_view else f" and over flips ({facts.images.symmetry})"
    steps = ", ".join(map(str, recipe.preparation.steps)) or "none"
    return f"""{facts.title}: {net}, trained by medfold.

    import keras
    model = keras.models.load_model("{file}")
    probabilities = model.predict_on_batch(images)

Input: float32 (batch, {size}, {size}, {facts.images.num_channels}), pixels from 0 to 255; the net scales them itself.
medfold resizes an image to that size by: preparation steps {steps}; preparation.fit {recipe.preparation.fit}.
Output: float32 (batch, {len(facts.prediction_columns)}), probabilities of: {", ".join(facts.prediction_columns)}.
A submission also averages over all folds{flips}.
{RESEARCH_NOTICE}
"""
