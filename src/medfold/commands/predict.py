"""`make predict`: new images, predicted as a submission of these runs would; and where the nets look."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from medfold import config, files, hardware
from medfold.competition import RESEARCH_NOTICE, ImageSettings, Project
from medfold.console import print_table, say, warn
from medfold.data import new_images
from medfold.ensemble import (
    BATCH,
    EnsemblePredictor,
    Member,
    SavedChoice,
    choice_of_ensemble,
    ensemble_runs,
    mean_of,
    read_choice,
    save_choice,
)
from medfold.errors import UserError, shorten_list
from medfold.images import overlay, prepare_image, read_batches, read_image, resize
from medfold.processes import silence_native_output
from medfold.progress import progress_bar
from medfold.runs import (
    IDENTITY_FACTS,
    facts_of_run,
    find_run,
    load_dataset_for,
    predictions_table,
    recipe_of_run,
    trained_folds,
)
from medfold.scoring import FittedTransform, metric_of, post_processing_of

SHOWN = 10  # rows on the terminal
CHUNK = 256  # images in memory at a time
MEAN = SavedChoice(FittedTransform.by(mean_of), None, "arithmetic mean")
LONGEST_NAME = 150  # letters of the name of a file with predictions
LONGEST = 512  # px, of a picture that shows where the nets look


def predict(
    project: Project,
    images: Path,
    names: list[str] | None = None,
    out: Path | None = None,
    explain: bool = False,
) -> pd.DataFrame:
    """Predicts images that are no part of the competition, as a submission of these runs would.

    Args:
        images: an image, or a folder that is searched with all that is below it.
        names: the runs. Defaults to `baseline`.
        out: the file to write. Defaults to `predictions/<path of images>.csv` beside the folds of the first run, with
            `__` for the slashes of the path.
        explain: also writes a picture of each image that shows where the nets look, into `<out>-explained/`.

    Returns:
        What was written: id (path below `images`) and a column per class or label; for ordinal tasks also `expected`.
        Where a submission holds decisions or ranks, the probabilities behind them too: `probability of <column>`.

    Raises:
        UserError: no such file, no image in it, none that can be read, or a run without a trained fold; runs to explain
            together that see different parts of an image.
    """
    names = list(dict.fromkeys(names or ["baseline"]))
    today, project = project, _as_trained(project, names)
    if explain:
        _refuse_different_places({name: recipe_of_run(project, name).images for name in names})
    root, found = new_images(images, project.competition.images)
    choice = _choice(today, project, names)
    result, unreadable = _predicted(project, names, choice, root, found)
    out = out or project.paths.run(names[0]).predictions / f"{_name_of(images)}.csv"
    files.write_csv(result, out)
    rows = [[id, *(f"{value:.4f}" for value in values)] for id, *values in result.head(SHOWN).itertuples(index=False)]
    print_table(result.columns, rows)
    if len(result) > SHOWN:
        say("", f"and {len(result) - SHOWN:,} more")
    for image, reason in list(unreadable.items())[:3]:
        warn("predict", f"left out: {image}: {reason}")
    if len(unreadable) > 3:
        warn("predict", f"left out: {len(unreadable) - 3} more that cannot be read")
    say("predict", f"{len(result):,} images -> {project.display(out)}")
    if explain:
        folder = out.with_name(f"{out.stem}-explained")
        told = _explain(project, names, root, result, folder)
        say("explain", f"{told} -> {project.display(folder)}")
    say("", RESEARCH_NOTICE)
    return result


def _as_trained(project: Project, names: list[str]) -> Project:
    """The competition as its facts were when the runs were trained: they say what an output means.

    Raises:
        UserError: runs that were trained under facts that do not fit together.
    """
    (first, facts), *others = ((name, facts_of_run(project, name)) for name in names)
    for name, other in others:
        for key in IDENTITY_FACTS:
            before, now = (config.flat(each.model_dump()).get(key) for each in (facts, other))
            if before != now:
                raise UserError(
                    f"{first} and {name} were trained under different facts: {key}", "RUNS", "Ask one alone"
                )
    today = project.competition
    if facts.prediction_columns != today.prediction_columns:
        before, now = shorten_list(facts.prediction_columns, 6), shorten_list(today.prediction_columns, 6)
        warn("predict", f"named as when {first} was trained: {before}; competition.yaml says {now} now")
    elif facts.class_names != today.class_names:
        before, now = facts.class_names[1], today.class_names[1]
        what = f"'{facts.prediction_columns[0]}' is the probability of '{before}', as when {first} was trained"
        warn("predict", f"{what}; competition.yaml has '{now}' as the positive class now")
    return replace(project, competition=facts)


def _name_of(images: Path) -> str:
    """A name for the predictions of a file or folder, by its whole path: several are called images."""
    path = images.expanduser().absolute()
    below = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) and path != Path.cwd() else path
    name = "__".join(part for part in below.parts if part not in (below.anchor, ".."))
    return name if len(name) <= LONGEST_NAME else f"{files.fingerprint(str(path), 8)}__{name[-LONGEST_NAME + 10 :]}"


def _weights(project: Project, name: str) -> list[Path]:
    """The files with the weights of a run, one for each fold that is done."""
    run_paths = find_run(project.paths, name)
    return [run_paths.fold(fold).weights for fold in trained_folds(run_paths, project.competition.folds.k)]


def _nets(project: Project, name: str) -> list[Any]:
    """The trained nets of a run, one of each fold that is done."""
    recipe = recipe_of_run(project, name)
    with silence_native_output(show_on_error=True):
        from medfold.prediction import load_model  # imports Keras
    return [load_model(project.competition, recipe, weights) for weights in _weights(project, name)]


def _choice(today: Project, project: Project, names: list[str]) -> SavedChoice:
    """How a submission of these runs is put together: as it was kept, else as it is chosen now, else the mean."""
    metric = metric_of(project.competition)
    if len(names) == 1 and post_processing_of(project.competition, metric) is None:
        return MEAN
    if kept := read_choice(project, names):
        return kept
    try:
        found = ensemble_runs(today, names, load_dataset_for(today, names))
    except UserError as reason:
        warn("predict", f"the plain mean, for how a submission is put together cannot be told: {reason.what}")
        return MEAN
    save_choice(today, found)
    return choice_of_ensemble(found)


def _predicted(
    project: Project, names: list[str], choice: SavedChoice, root: Path, found: list[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The predictions of the images that can be read, and why the others cannot."""
    competition, columns = project.competition, project.competition.prediction_columns
    members = [Member(name, recipe_of_run(project, name), _weights(project, name)) for name in sorted(names)]
    predictor = EnsemblePredictor(competition, members, choice.fitted, min(BATCH, len(found)))
    for member in members:
        of = f"{len(member.weights)} of {competition.folds.k} folds"
        say("predict", f"{len(found):,} images, {member.name}: the mean of {of}")
    if len(members) > 1 or choice is not MEAN:
        say("predict", f"put together as a submission is: {choice.title}")
    ids, outputs, unreadable = [], [], {}
    facts = competition.images.model_copy(update={"shape": None})  # new images may be of any size
    with progress_bar("predict", len(found)) as bar:
        for rows, pixels, bad in read_batches(root, found, facts, predictor.options):
            unreadable |= {found[row]: why for row, why in bad.items()}
            if len(rows):
                outputs.append(predictor.predict(pixels))
                ids += [found[row] for row in rows]
            bar.advance(len(rows) + len(bad))
    if not ids:
        image, reason = next(iter(unreadable.items()))
        raise UserError(f"none of {len(found)} images can be read; {image}: {reason}", f"IMAGES={root}")
    of_runs = [np.concatenate(each) for each in zip(*outputs, strict=True)]
    put_together = predictor.combine(ids, of_runs)
    result = predictions_table(competition, put_together["id"], put_together[columns].to_numpy())
    if choice.probable is not None:
        behind = predictor.combine(ids, of_runs, fitted=choice.probable)
        result[[f"probability of {column}" for column in columns]] = behind[columns].to_numpy()
    return result, unreadable


def _explain(project: Project, names: list[str], root: Path, result: pd.DataFrame, folder: Path) -> str:
    """Writes a picture of each image, with the mean of the maps of all nets over it, and tells what they show.

    Explained is the positive class of a binary task, else the most probable class or label of each image. A picture
    has the proportions of the original; where the recipe moves what is in the image it is the prepared image, since
    a place in a map is a place there.
    """
    with silence_native_output(show_on_error=True):
        from medfold.prediction import GradCam  # imports Keras
    competition = project.competition
    seen = [recipe_of_run(project, name).images for name in names]
    explainers = [[GradCam(net) for net in _nets(project, name)] for name in names]
    ids, chosen = result["id"].tolist(), result[competition.prediction_columns].to_numpy().argmax(axis=1)

    def looks(id: str) -> tuple[np.ndarray, list[np.ndarray]]:
        pixels = read_image(root, id, competition.images)
        prepared = [prepare_image(pixels, options) for options in seen]
        if _moves(seen[0]):
            return prepared[0], prepared
        height, width = pixels.shape[:2]
        scale = min(1, LONGEST / max(height, width))
        return resize(pixels, max(1, round(scale * height)), max(1, round(scale * width))), prepared

    with (
        files.atomic_write(folder) as unfinished,
        ThreadPoolExecutor(hardware.num_cores()) as pool,
        progress_bar("explain", len(result)) as bar,
    ):
        unfinished.mkdir()
        for start in range(0, len(ids), CHUNK):
            here = slice(start, start + CHUNK)
            pictures, prepared = zip(*pool.map(looks, ids[here]), strict=True)
            maps = [
                [explainer(np.stack(pixels), chosen[here]) for explainer in of_run]
                for pixels, of_run in zip(zip(*prepared, strict=True), explainers, strict=True)
            ]
            for number, (id, picture) in enumerate(zip(ids[here], pictures, strict=True)):
                size = picture.shape[1::-1]
                heats = [cv2.resize(each[number], size) for of_run in maps for each in of_run]
                _, png = cv2.imencode(".png", overlay(picture, np.mean(heats, axis=0))[..., ::-1])
                # Of an image of several files the first names it; `|` is no letter of a file name on Windows.
                (unfinished / f"{id.partition('|')[0].replace('/', '__')}.png").write_bytes(png.tobytes())
                bar.advance()
    methods = " and ".join(dict.fromkeys(each.method for of_run in explainers for each in of_run))
    what = (
        f"for '{competition.prediction_columns[0]}'" if competition.task == "binary" else "for the most probable answer"
    )
    if all(each.of_grade for of_run in explainers for each in of_run):
        what = "for a higher grade"
    return f"{len(ids):,} pictures of what speaks {what}, by {methods}"


def _moves(options: ImageSettings) -> bool:
    return bool(options.steps) or options.fit != "stretch"


def _refuse_different_places(seen: dict[str, ImageSettings]) -> None:
    """Maps are averaged by place: each run must make the same part of an image into its square."""
    (first, options), *others = seen.items()
    for name, other in others:
        if (other.steps, other.fit) != (options.steps, options.fit):
            what = f"{first} and {name} see different parts of an image (images.steps, images.fit)"
            raise UserError(what, "EXPLAIN=1", "Explain them one by one")
