"""`make predict`: predicts new images as a submission of these runs would; optionally with heat maps."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from medfold.commands.shared.output_file import check_output
from medfold.competition import RESEARCH_NOTICE, Competition, CompetitionFacts
from medfold.data import find_new_images
from medfold.ensemble import FittedEnsemble
from medfold.new_images import (
    BATCH_SIZE,
    MEAN_TRANSFORM,
    EnsemblePredictor,
    MemberRun,
    check_same_image_area,
    load_or_fit_ensemble,
    member_runs,
    predict_new_images,
    write_heat_maps,
)
from medfold.project_root import display_path
from medfold.runs import Run, shared_facts
from medfold.system import hardware
from medfold.tables import write_csv
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of, shorten_list

MAX_SHOWN_ROWS, MAX_SHOWN_UNREADABLE = 10, 3  # on the terminal


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
    competition: Competition,
    images: Path,
    run_names: list[str] | None = None,
    out: Path | None = None,
    explain: bool = False,
) -> Predictions:
    """Predicts images from outside the competition, as a submission of these runs would.

    Args:
        competition: the competition of the runs.
        images: an image, or a folder that is searched recursively.
        run_names: names of the runs. Defaults to `baseline`.
        out: the file to write. Defaults to `predictions/<path of images>.csv` in the folder of the first run, with `__`
            for the slashes of the path.
        explain: also write a picture of each image with its Grad-CAM heat map to `<out>-explained/`. Defaults to False.

    Raises:
        UserError: no such file, no readable image, `out` or the folder of its heat maps exists, a run without a trained
            fold, or runs to explain together that use different parts of an image.
    """
    run_names = list(dict.fromkeys(run_names or ["baseline"]))
    runs = [Run.open(competition, name) for name in run_names]
    facts = shared_facts(competition, runs)  # those of the training define the meaning of the outputs
    _warn_renamed(facts, competition.facts, runs[0].name)
    trained_competition = replace(competition, facts=facts)
    file = out or competition.paths.run(run_names[0]).predictions_of(images)
    pictures = file.parent / f"{file.stem}-explained"
    check_output(file, *([pictures] if explain else []), is_given=out is not None)
    if explain:
        check_same_image_area({run.name: run.recipe for run in runs})
    root, image_paths = find_new_images(images, facts.images)
    ensemble = load_or_fit_ensemble(competition, trained_competition, run_names)
    members = member_runs(trained_competition, ensemble.run_names)
    gpus = hardware.cuda_devices()[: -(-len(image_paths) // BATCH_SIZE)]  # at most one per batch
    with EnsemblePredictor(
        facts, members, ensemble.transform, min(BATCH_SIZE, len(image_paths)), gpus
    ) as predictor:  # the GPUs are free again for the heat maps
        _show_members(trained_competition, members, ensemble, len(image_paths))
        table, unreadable = predict_new_images(facts, predictor, ensemble, root, image_paths)
    write_csv(table, file)
    _show(table, unreadable, file)
    heat_maps = None
    if explain:
        heat_maps = pictures
        as_given = sorted(members, key=lambda member: run_names.index(member.name))
        _explain(trained_competition, as_given, root, table, heat_maps)
    say("", RESEARCH_NOTICE)
    return Predictions(table, file, unreadable, heat_maps)


def _show_members(
    competition: Competition, members: list[MemberRun], ensemble: FittedEnsemble, num_images: int
) -> None:
    for member in members:
        folds = f"{len(member.weights_files)} of {competition.facts.folds.k} folds"
        say("predict", f"{count_of(num_images, 'image')}, {member.name}: the mean of {folds}")
    if len(members) > 1 or ensemble.transform is not MEAN_TRANSFORM:
        say("predict", f"combined as in a submission: {ensemble.title}")


def _show(table: pd.DataFrame, unreadable: dict[str, str], file: Path) -> None:
    shown = table.head(MAX_SHOWN_ROWS).itertuples(index=False)
    print_table(table.columns, [[image_id, *(f"{value:.4f}" for value in values)] for image_id, *values in shown])
    if len(table) > MAX_SHOWN_ROWS:
        say("", f"and {len(table) - MAX_SHOWN_ROWS:,} more")
    for image_path, reason in list(unreadable.items())[:MAX_SHOWN_UNREADABLE]:
        warn("predict", f"left out: {image_path}: {reason}")
    if len(unreadable) > MAX_SHOWN_UNREADABLE:
        warn("predict", f"left out: {len(unreadable) - MAX_SHOWN_UNREADABLE} more that cannot be read")
    say("predict", f"{count_of(len(table), 'image')} -> {display_path(file)}")


def _warn_renamed(facts: CompetitionFacts, current: CompetitionFacts, run_name: str) -> None:
    """Warns if competition.yaml has other names for the predictions than a run was trained with."""
    if facts.prediction_columns != current.prediction_columns:
        trained_columns, columns = (shorten_list(known.prediction_columns, 6) for known in (facts, current))
        text = f"the columns have the names from the training of {run_name} ({trained_columns})"
        warn("predict", f"{text}; competition.yaml now has {columns}")
    elif facts.class_names != current.class_names:
        trained_class, positive_class = facts.class_names[1], current.class_names[1]
        column = facts.prediction_columns[0]
        text = f"'{column}' is the probability of '{trained_class}', as when {run_name} was trained"
        warn("predict", f"{text}; competition.yaml now has '{positive_class}' as the positive class")


def _explain(competition: Competition, members: list[MemberRun], root: Path, table: pd.DataFrame, folder: Path) -> None:
    """Writes heat maps, and prints what they show.

    A heat map explains the positive class of a binary task, else the most probable class or label of the image.
    """
    facts = competition.facts
    columns = table[facts.prediction_columns].to_numpy().argmax(axis=1)
    heat_maps = write_heat_maps(facts, members, root, table["id"].tolist(), columns, folder)
    is_binary = facts.task == "binary"
    target = f"for '{facts.prediction_columns[0]}'" if is_binary else "for the most probable answer"
    target = "for a higher grade" if heat_maps.explains_grade else target
    methods = " and ".join(heat_maps.methods)
    say("explain", f"{count_of(len(table), 'heat map')} {target}, by {methods} -> {display_path(folder)}")
