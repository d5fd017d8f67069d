"""The command line.

Each command imports its modules when it runs, so that help and misspelt options are answered at once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from medfold import __version__
from medfold.cli.opening import open_competition
from medfold.cli.options import (
    REQUIRED,
    Address,
    AsJson,
    Assignments,
    CompetitionName,
    Force,
    Method,
    PerClass,
    RecipeName,
    Runs,
    Seeds,
    Yes,
    check_given,
    is_number,
    read_address,
    read_folds,
    read_jobs,
    read_overrides,
    read_place,
    read_run_names,
    read_seeds,
    read_workers,
    split_run_names,
)
from medfold.cli.outcome import run_and_exit
from medfold.errors import UserError
from medfold.terminal.command_text import variable

DEFAULT_COMPETITION = "phantom-chest"

Result = TypeVar("Result")

app = typer.Typer(
    help="A Kaggle starter kit for medical imaging competitions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def doctor(competition: CompetitionName = DEFAULT_COMPETITION, as_json: AsJson = False) -> None:
    """Check Python, packages, GPU, disk and Kaggle."""
    from medfold.commands.doctor import CheckResult, doctor

    def command() -> list[CheckResult]:
        with open_competition(competition) as opened:
            return doctor(opened)

    results = _run(command, as_json)
    if any(result.level == "error" for result in results):
        raise typer.Exit(2)


@app.command()
def demo() -> None:
    """Run the whole pipeline on synthetic radiographs."""
    with open_competition(
        DEFAULT_COMPETITION, writes=["data", "folds", "runs", "submissions"], recipe="baseline"
    ) as opened:
        from medfold.commands.demo import demo

        demo(opened)


@app.command()
def download(
    competition: CompetitionName = DEFAULT_COMPETITION,
    path: Annotated[str, typer.Option("--from", help="A file, folder or archive to use instead of the source.")] = "",
    files: Annotated[str, typer.Option(help='Get these files only: "train.csv train_images/*".')] = "",
    force: Force = False,
) -> None:
    """Get and check the data."""
    if path and files:
        names = [variable(name) for name in ("FROM", "FILES")]
        fix = f"{names[0]} takes all files of a folder or archive; {names[1]} gets single files from the source"
        raise UserError("cannot be combined", " and ".join(names), fix)
    with open_competition(competition, writes=["data"]) as opened:
        from medfold.commands.download import download

        download(opened, Path(path) if path else None, force, files.split() or None)


@app.command()
def new(
    competition: Annotated[
        str,
        typer.Option(
            "--competition", "-c", help="Slug or address on Kaggle, or any other name.", show_default=REQUIRED
        ),
    ] = "",
    path: Annotated[
        str,
        typer.Option(
            "--from",
            help="A folder or archive with the files of the competition. Defaults to its raw data in data/, "
            "else to Kaggle.",
        ),
    ] = "",
) -> None:
    """Draft the folder of a competition from its files."""
    example = f"{variable('COMPETITION', 'skin-lesions')} {variable('FROM', 'skin-lesions.zip')}"
    check_given(competition, "COMPETITION", example)
    from medfold.commands.new import new
    from medfold.paths import ProjectPaths

    new(ProjectPaths.find(), competition, Path(path) if path else None)


@app.command()
def prepare(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    force: Force = False,
    on: Annotated[
        str, typer.Option(help="Where to prepare the images: here, or ray (on a cluster, ADDRESS).")
    ] = "here",
    address: Address = "",
) -> None:
    """Scan and prepare the images only; folds and train do it, too."""
    overrides, place = read_overrides(assignments), read_place(on, ("here", "ray"))
    with open_competition(competition, writes=["data"], recipe=recipe, overrides=overrides) as opened:
        from medfold.commands.prepare import prepare

        prepare(opened, recipe, overrides, force, place, read_address(address, place))


@app.command()
def folds(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Make new folds. The old table is kept; its scores cannot be compared with new ones.",
        ),
    ] = False,
) -> None:
    """Prepare the images of RECIPE, make the folds, and search for leaks."""
    with open_competition(competition, writes=["data", "folds"], recipe=recipe) as opened:
        from medfold.commands.folds import make_folds
        from medfold.competition import preparation_settings

        make_folds(opened, force, preparation=preparation_settings(opened, recipe))


@app.command()
def recipe(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    as_json: AsJson = False,
) -> None:
    """Show all keys of a recipe, and which file sets each."""
    from medfold.commands.recipe import RecipeKey, show_recipe

    def command() -> list[RecipeKey]:
        overrides = read_overrides(assignments)
        with open_competition(competition, recipe=recipe, overrides=overrides) as opened:
            return show_recipe(opened, recipe, overrides)

    _run(command, as_json)


@app.command()
def train(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    fold: Annotated[str, typer.Option(help='Numbers of the folds: "0 1", or all. Trained folds are kept.')] = "all",
    assignments: Assignments = "",
    seeds: Seeds = "0",
    run: Annotated[
        str, typer.Option(help="Name of the run. Defaults to recipe, seed and a hash of the overrides.")
    ] = "",
    jobs: Annotated[
        str, typer.Option(help="Folds to train at the same time: a number, or auto: one per GPU, else one per core.")
    ] = "1",
    workers: Annotated[
        str, typer.Option(help="Processes that make batches: a number or auto. The results do not depend on it.")
    ] = "auto",
    on: Annotated[
        str, typer.Option(help="Where to train: here, ray (on a cluster, ADDRESS) or kaggle (on its GPUs).")
    ] = "here",
    address: Address = "",
    track: Annotated[
        str, typer.Option(help='Trackers that get the results of trained folds: "tensorboard mlflow wandb".')
    ] = "",
) -> None:
    """Train the missing folds, or those that FOLD names."""
    folds, place, overrides = read_folds(fold), read_place(on), read_overrides(assignments)
    with open_competition(competition, writes=["data", "folds", "runs"], recipe=recipe, overrides=overrides) as opened:
        from medfold.commands.train import train

        train(
            opened,
            recipe,
            overrides=overrides,
            seeds=read_seeds(seeds),
            folds=folds,
            run=run or None,
            jobs=read_jobs(jobs),
            workers=read_workers(workers),
            on=place,
            address=read_address(address, place),
            trackers=track.split(),
        )


@app.command()
def ensemble(
    runs: Annotated[str, typer.Option(help='Names of the runs to combine: "a b c".', show_default=REQUIRED)] = "",
    competition: CompetitionName = DEFAULT_COMPETITION,
    method: Method = "",
    per_class: PerClass = False,
    as_json: AsJson = False,
) -> None:
    """Score the ensemble of several runs, by every method."""
    from medfold.commands.ensemble import EnsembleSummary, ensemble

    def command() -> EnsembleSummary:
        check_given(runs, "RUNS", variable("RUNS", "baseline baseline-s1"))
        with open_competition(competition) as opened:
            return ensemble(opened, split_run_names(runs), method or None, per_class)

    _run(command, as_json)


@app.command()
def compare(
    runs: Annotated[
        str, typer.Option(help='Two runs: "a b"; or means of runs: "a+a-s1 b+b-s1".', show_default=REQUIRED)
    ] = "",
    competition: CompetitionName = DEFAULT_COMPETITION,
    as_json: AsJson = False,
) -> None:
    """Test whether the second run is better than the first."""
    from medfold.commands.compare import Comparison, compare

    def command() -> Comparison:
        check_given(runs, "RUNS", variable("RUNS", "simple_cnn baseline"))
        with open_competition(competition) as opened:
            return compare(opened, split_run_names(runs))

    _run(command, as_json)


@app.command("runs")
def list_runs(
    competition: CompetitionName = DEFAULT_COMPETITION,
    delete: Annotated[str, typer.Option(help='Names of the runs to remove: "a b".')] = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """List the runs, the best first; or remove some."""
    from medfold.commands.runs import RunList, list_runs, remove_runs

    def command() -> RunList | None:
        with open_competition(competition) as opened:
            return remove_runs(opened, delete.split(), yes) if delete else list_runs(opened)

    _run(command, as_json)


@app.command()
def data(
    competition: Annotated[
        str, typer.Option("--competition", "-c", help="Name of a competition. Defaults to all that have data.")
    ] = "",
    delete: Annotated[str, typer.Option(help='What to remove, by the names in the list: "store/x raw".')] = "",
    yes: Yes = False,
) -> None:
    """List what is in data/ and what uses it, or remove parts of it."""
    from medfold.commands.data import data
    from medfold.paths import ProjectPaths

    if not competition:
        data(ProjectPaths.find(), None, delete.split(), yes)
        return
    with open_competition(competition) as opened:
        data(opened.project_paths, opened.paths.name, delete.split(), yes)


@app.command()
def submit(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    seeds: Seeds = "0",
    runs: Runs = "",
    method: Method = "",
    per_class: PerClass = False,
    force: Annotated[
        bool, typer.Option("--force", help="Submit even if it was submitted before, or is no better than chance.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but the upload.")] = False,
) -> None:
    """Combine the predictions of the folds; check, upload and record the submission."""
    with open_competition(competition, writes=["runs", "submissions"]) as opened:
        from medfold.commands.submit import submit

        run_names = read_run_names(runs, recipe, assignments, seeds)
        submit(opened, run_names, method or None, per_class, force, dry_run)


@app.command()
def report(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    seeds: Seeds = "0",
    runs: Runs = "",
    method: Method = "",
    per_class: PerClass = False,
) -> None:
    """Write a web page about a run or an ensemble."""
    with open_competition(competition, writes=["runs"]) as opened:
        from medfold.commands.report import report

        report(opened, read_run_names(runs, recipe, assignments, seeds), method or None, per_class)


@app.command()
def notebook(
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    seeds: Seeds = "0",
    runs: Runs = "",
    method: Method = "",
    per_class: PerClass = False,
) -> None:
    """Write the notebook of a notebook competition, and pack the nets for it; uploads nothing."""
    with open_competition(competition, writes=["runs"]) as opened:
        from medfold.commands.notebook import notebook

        notebook(opened, read_run_names(runs, recipe, assignments, seeds), method or None, per_class)


@app.command()
def predict(
    images: Annotated[str, typer.Option(help="An image, or a folder with images.", show_default=REQUIRED)] = "",
    competition: CompetitionName = DEFAULT_COMPETITION,
    recipe: RecipeName = "baseline",
    assignments: Assignments = "",
    seeds: Seeds = "0",
    runs: Runs = "",
    out: Annotated[
        str, typer.Option(help="File to write. Defaults to a file in predictions/ of the run's folder.")
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Also write heat maps of what the predictions depend on (Grad-CAM).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Predict new images with the trained nets."""
    from medfold.commands.predict import Predictions, predict

    def command() -> Predictions:
        check_given(images, "IMAGES", variable("IMAGES", "my-images"))
        run_names = read_run_names(runs, recipe, assignments, seeds)
        with open_competition(competition) as opened:
            return predict(opened, Path(images), run_names, Path(out) if out else None, explain)

    _run(command, as_json)


@app.command()
def export(
    competition: CompetitionName = DEFAULT_COMPETITION,
    run: Annotated[str, typer.Option(help="The name of the run.")] = "baseline",
    fold: Annotated[str, typer.Option(help="Number of the fold: one.")] = "0",
    out: Annotated[
        str, typer.Option(help="File to write. Defaults to a file named by run and fold, in the run's folder.")
    ] = "",
) -> None:
    """Write a trained net as a .keras file, which Keras loads without medfold."""
    if not is_number(fold):
        raise UserError("expected the number of one fold", variable("FOLD", fold), f"Example: {variable('FOLD', 0)}")
    with open_competition(competition) as opened:
        from medfold.commands.export import export

        export(opened, run, int(fold), Path(out) if out else None)


@app.command()
def recheck(
    competition: CompetitionName = DEFAULT_COMPETITION,
    runs: Annotated[str, typer.Option(help='Names of runs: "a b". Defaults to all runs and submissions.')] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute scores and submissions with independent code."""
    from medfold.commands.recheck import Recheck, recheck

    def command() -> list[Recheck]:
        with open_competition(competition) as opened:
            return recheck(opened, split_run_names(runs) or None)

    _run(command, as_json)


@app.command()
def scores(
    competition: Annotated[
        str, typer.Option("--competition", "-c", help="Name of a competition. Defaults to all in the ledger.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Fetch the leaderboard scores, and compare them with the OOF scores."""
    from medfold.commands.scores import CompetitionScores, scores
    from medfold.paths import ProjectPaths

    def command() -> list[CompetitionScores]:
        if not competition:
            return scores(ProjectPaths.find())
        with open_competition(competition) as opened:
            return scores(opened.project_paths, opened.paths.name)

    _run(command, as_json)


@app.command("clean-kaggle")
def clean_kaggle(yes: Yes = False) -> None:
    """List what medfold put on Kaggle, and remove it after confirmation."""
    from medfold.commands.clean_kaggle import clean_kaggle

    clean_kaggle(yes)


def _run(command: Callable[[], Result], as_json: bool) -> Result:
    """Runs a command, which prints text; with --json prints its result as JSON instead."""
    from medfold.terminal.console import run_and_print_json

    return run_and_print_json(command) if as_json else command()


def _show_version(is_requested: bool) -> None:
    if is_requested:
        print(f"medfold {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command that was typed, and exits."""
    run_and_exit(app)
