"""`make predict`: predicts new images as a submission of these runs would; optionally with heat maps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
    BATCH_SIZE,
    EnsemblePredictor,
    MemberRun,
    SavedChoice,
    choice_of_ensemble,
    ensemble_runs,
    mean_of,
    read_choice,
    save_choice,
)
from medfold.errors import UserError, count_of, shorten_list
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

MAX_SHOWN_ROWS, MAX_SHOWN_UNREADABLE = 10, 3  # on the terminal
CHUNK_SIZE = 256  # images in memory at a time
MEAN = SavedChoice(FittedTransform.from_function(mean_of), None, "arithmetic mean")
MAX_NAME_LENGTH = 150  # letters of the name of a file with predictions
MAX_PICTURE = 512  # longer side of a picture with a heat map, in pixels


@dataclass(frozen=True)
class Predictions:
    """Predictions of new images.

    Args:
        table: the written table: `id` (path below the folder of images) and a column per class or label; for ordinal
            tasks also `expected`. If a submission holds decisions or ranks, also their probabilities:
            `probability of <column>`.
        file: the file with the table.
        unreadable: images that were left out, with the reason.
        heat_maps: folder of the pictures with heat maps; None without them.
    """

    table: pd.DataFrame
    file: Path
    unreadable: dict[str, str]
    heat_maps: Path | None


def predict(
    project: Project,
    images: Path,
    names: list[str] | None = None,
    out: Path | None = None,
    explain: bool = False,
) -> Predictions:
    """Predicts images from outside the competition, as a submission of these runs would.

    Args:
        images: an image, or a folder that is searched recursively.
        names: run names. Defaults to `baseline`.
        out: the file to write. Defaults to `predictions/<path of images>.csv` in the folder of the first run, with
            `__` for the slashes of the path.
        explain: also write a picture of each image with its Grad-CAM heat map to `<out>-explained/`. Defaults to False.

    Raises:
        UserError: no such file, no readable image, a run without a trained fold, or runs to explain together that use
            different parts of an image.
    """
    names = list(dict.fromkeys(names or ["baseline"]))
    trained_project = _with_trained_facts(project, names)
    if explain:
        _check_same_views({name: recipe_of_run(trained_project, name).images for name in names})
    root, paths = new_images(images, trained_project.competition.images)
    choice = _ensemble_choice(project, trained_project, names)
    table, unreadable = _predict_images(trained_project, names, choice, root, paths)
    file = out or trained_project.paths.run(names[0]).predictions / f"{_name_for(images)}.csv"
    files.write_csv(table, file)
    _show(trained_project, table, unreadable, file)
    heat_maps = None
    if explain:
        heat_maps = file.with_name(f"{file.stem}-explained")
        summary = _explain(trained_project, names, root, table, heat_maps)
        say("explain", f"{summary} -> {trained_project.display(heat_maps)}")
    say("", RESEARCH_NOTICE)
    return Predictions(table, file, unreadable, heat_maps)


def _show(project: Project, table: pd.DataFrame, unreadable: dict[str, str], file: Path) -> None:
    shown = table.head(MAX_SHOWN_ROWS).itertuples(index=False)
    print_table(table.columns, [[id, *(f"{value:.4f}" for value in values)] for id, *values in shown])
    if len(table) > MAX_SHOWN_ROWS:
        say("", f"and {len(table) - MAX_SHOWN_ROWS:,} more")
    for image, reason in list(unreadable.items())[:MAX_SHOWN_UNREADABLE]:
        warn("predict", f"left out: {image}: {reason}")
    if len(unreadable) > MAX_SHOWN_UNREADABLE:
        warn("predict", f"left out: {len(unreadable) - MAX_SHOWN_UNREADABLE} more that cannot be read")
    say("predict", f"{len(table):,} images -> {project.display(file)}")


def _with_trained_facts(project: Project, names: list[str]) -> Project:
    """Returns the project with the facts that the runs were trained with, which define the meaning of the outputs.

    Raises:
        UserError: the runs were trained with facts that do not fit together.
    """
    (first, facts), *others = ((name, facts_of_run(project, name)) for name in names)
    for name, other in others:
        for key in IDENTITY_FACTS:
            first_value, other_value = (config.flat(run_facts.model_dump()).get(key) for run_facts in (facts, other))
            if first_value != other_value:
                raise UserError(
                    f"{first} and {name} were trained with different facts: {key}", "RUNS", "Predict with one of them"
                )
    current = project.competition
    if facts.prediction_columns != current.prediction_columns:
        trained_columns, columns = (shorten_list(known.prediction_columns, 6) for known in (facts, current))
        warn("predict", f"named as when {first} was trained: {trained_columns}; competition.yaml now has {columns}")
    elif facts.class_names != current.class_names:
        trained_class, positive_class = facts.class_names[1], current.class_names[1]
        text = f"'{facts.prediction_columns[0]}' is the probability of '{trained_class}', as when {first} was trained"
        warn("predict", f"{text}; competition.yaml now has '{positive_class}' as the positive class")
    return replace(project, competition=facts)


def _name_for(images: Path) -> str:
    """A file name for the predictions, made from the whole path, since many folders are called images."""
    path = images.expanduser().absolute()
    below = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) and path != Path.cwd() else path
    name = "__".join(part for part in below.parts if part not in (below.anchor, ".."))
    return (
        name if len(name) <= MAX_NAME_LENGTH else f"{files.fingerprint(str(path), 8)}__{name[-MAX_NAME_LENGTH + 10 :]}"
    )


def _weights_files(project: Project, name: str) -> list[Path]:
    """The weights files of a run, one per finished fold."""
    run_paths = find_run(project.paths, name)
    return [run_paths.fold(fold).weights for fold in trained_folds(run_paths, project.competition.folds.k)]


def _load_models(project: Project, name: str) -> list[Any]:
    """Loads the trained models of a run, one per finished fold."""
    recipe = recipe_of_run(project, name)
    with silence_native_output(show_on_error=True):
        from medfold.prediction import load_model  # imports Keras
    return [load_model(project.competition, recipe, weights) for weights in _weights_files(project, name)]


def _ensemble_choice(project: Project, trained_project: Project, names: list[str]) -> SavedChoice:
    """Returns how a submission of these runs is combined: the saved choice, else a new choice, else the mean."""
    metric = metric_of(trained_project.competition)
    if len(names) == 1 and post_processing_of(trained_project.competition, metric) is None:
        return MEAN
    if saved := read_choice(trained_project, names):
        return saved
    try:
        ensemble = ensemble_runs(project, names, load_dataset_for(project, names))
    except UserError as reason:
        warn("predict", f"using the plain mean: the combination of a submission cannot be determined: {reason.what}")
        return MEAN
    save_choice(project, ensemble)
    return choice_of_ensemble(ensemble)


def _predict_images(
    project: Project, names: list[str], choice: SavedChoice, root: Path, paths: list[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The predictions of the readable images, and the reason for each unreadable one."""
    competition, columns = project.competition, project.competition.prediction_columns
    members = [MemberRun(name, recipe_of_run(project, name), _weights_files(project, name)) for name in sorted(names)]
    predictor = EnsemblePredictor(competition, members, choice.fitted, min(BATCH_SIZE, len(paths)))
    for member in members:
        folds = f"{len(member.weights)} of {competition.folds.k} folds"
        say("predict", f"{len(paths):,} images, {member.name}: the mean of {folds}")
    if len(members) > 1 or choice is not MEAN:
        say("predict", f"combined as in a submission: {choice.title}")
    ids, outputs, unreadable = [], [], {}
    facts = competition.images.model_copy(update={"shape": None})  # new images may have any size
    with progress_bar("predict", len(paths)) as bar:
        for rows, pixels, errors in read_batches(root, paths, facts, predictor.image_settings):
            unreadable |= {paths[row]: reason_text for row, reason_text in errors.items()}
            if len(rows):
                outputs.append(predictor.predict(pixels))
                ids += [paths[row] for row in rows]
            bar.advance(len(rows) + len(errors))
    if not ids:
        image, reason = next(iter(unreadable.items()))
        what = f"none of {count_of(len(paths), 'image')} can be read; {image}: {reason}"
        raise UserError(what, f"IMAGES={root}", "Check that the files are complete")
    run_outputs = [np.concatenate(batches) for batches in zip(*outputs, strict=True)]
    combined = predictor.combine(ids, run_outputs)
    result = predictions_table(competition, combined["id"], combined[columns].to_numpy())
    if choice.probabilities is not None:
        probabilities = predictor.combine(ids, run_outputs, fitted=choice.probabilities)
        result[[f"probability of {column}" for column in columns]] = probabilities[columns].to_numpy()
    return result, unreadable


def _explain(project: Project, names: list[str], root: Path, result: pd.DataFrame, folder: Path) -> str:
    """Writes a picture of each image, overlaid with the mean heat map of all models.

    A heat map explains the positive class of a binary task, else the most probable class or label of the image. The
    picture has the proportions of the original; if the recipe moves the image content, it is the prepared image, on
    which the positions of the heat map are correct.

    Returns:
        A text that describes the pictures.
    """
    with silence_native_output(show_on_error=True):
        from medfold.prediction import GradCam  # imports Keras
    competition = project.competition
    image_settings = [recipe_of_run(project, name).images for name in names]
    explainers = [[GradCam(model) for model in _load_models(project, name)] for name in names]
    ids, answers = result["id"].tolist(), result[competition.prediction_columns].to_numpy().argmax(axis=1)

    def prepare_picture(id: str) -> tuple[np.ndarray, list[np.ndarray]]:
        pixels = read_image(root, id, competition.images)
        prepared = [prepare_image(pixels, settings) for settings in image_settings]
        if _moves_content(image_settings[0]):
            return prepared[0], prepared
        height, width = pixels.shape[:2]
        scale = min(1, MAX_PICTURE / max(height, width))
        return resize(pixels, max(1, round(scale * height)), max(1, round(scale * width))), prepared

    with (
        files.atomic_write(folder) as unfinished,
        ThreadPoolExecutor(hardware.num_cores()) as pool,
        progress_bar("explain", len(result)) as bar,
    ):
        unfinished.mkdir()
        for start in range(0, len(ids), CHUNK_SIZE):
            batch = slice(start, start + CHUNK_SIZE)
            pictures, prepared = zip(*pool.map(prepare_picture, ids[batch]), strict=True)
            maps = [
                [explainer(np.stack(pixels), answers[batch]) for explainer in run_explainers]
                for pixels, run_explainers in zip(zip(*prepared, strict=True), explainers, strict=True)
            ]
            for index, (id, picture) in enumerate(zip(ids[batch], pictures, strict=True)):
                size = picture.shape[1::-1]
                heats = [cv2.resize(heat_map[index], size) for run_maps in maps for heat_map in run_maps]
                _, png = cv2.imencode(".png", overlay(picture, np.mean(heats, axis=0))[..., ::-1])
                # An image of several files is named by the first; Windows allows no `|` in file names.
                (unfinished / f"{id.partition('|')[0].replace('/', '__')}.png").write_bytes(png.tobytes())
                bar.advance()
    methods = " and ".join(
        dict.fromkeys(explainer.method for run_explainers in explainers for explainer in run_explainers)
    )
    target = (
        f"for '{competition.prediction_columns[0]}'" if competition.task == "binary" else "for the most probable answer"
    )
    if all(explainer.explains_grade for run_explainers in explainers for explainer in run_explainers):
        target = "for a higher grade"
    return f"{len(ids):,} heat maps {target}, by {methods}"


def _moves_content(image_settings: ImageSettings) -> bool:
    return bool(image_settings.steps) or image_settings.fit != "stretch"


def _check_same_views(image_settings: dict[str, ImageSettings]) -> None:
    """Checks that runs do not use different parts of an image: heat maps are averaged by position."""
    (first, first_settings), *others = image_settings.items()
    for name, other in others:
        if (other.steps, other.fit) != (first_settings.steps, first_settings.fit):
            what = f"{first} and {name} use different parts of an image (images.steps, images.fit)"
            raise UserError(what, "EXPLAIN=1", "Explain them one by one")
