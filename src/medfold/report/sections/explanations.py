"""Report section with galleries of images, each explained by the net that did not see it in training."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd

from medfold.competition import Competition, CompetitionFacts, Recipe
from medfold.data import Dataset
from medfold.ensemble import Ensemble
from medfold.errors import UserError
from medfold.images import Store, fit_within, load_store, overlay, read_image, store_key, to_displayable
from medfold.report import galleries
from medfold.report.heat_maps import HeatMaps, compute_heat_maps
from medfold.report.names import isolate
from medfold.report.page import Section, Tile, jpeg

IMAGE_SIZE = 320  # px: the longest side of an image


def explanations_section(
    competition: Competition, dataset: Dataset, ensemble: Ensemble, measurements: pd.DataFrame
) -> Section:
    """Shows galleries of images, with heat maps if the weights of the first run exist.

    Args:
        competition: the competition of the runs.
        dataset: the dataset that the runs were trained on.
        ensemble: the runs, combined.
        measurements: id, height and width of each raw image, from the scan that filled the store of the first run.
    """
    run = ensemble.runs[0]
    store = load_store(competition.paths, store_key(competition, run.recipe.preparation))
    samples = dataset.train.drop_duplicates("unit").set_index("unit").loc[ensemble.oof.unit_ids].reset_index()
    chosen_units = galleries.choose_units(ensemble.oof_probabilities.targets, ensemble.oof_probabilities.predictions)

    section = Section("images", "Example images and heat maps")
    folds = {fold: run.paths.fold(fold) for fold in ensemble.score.trained_folds}
    if all(fold.weights.is_file() for fold in folds.values()):
        rows = np.concatenate([units.rows for units in chosen_units])
        columns = np.concatenate([units.columns for units in chosen_units])
        with_sizes = samples.merge(measurements[["id", "height", "width"]], on="id")
        found = compute_heat_maps(competition, run.recipe, store, with_sizes, folds, rows, columns)
        evidence_for = _evidence(competition.facts, found)
        _describe(section, found, evidence_for)
    else:
        found, evidence_for = HeatMaps(), ""
        section.text("The weights of this run are missing, so there are no heat maps.")
    if len(ensemble.run_names) > 1:
        section.text(f"Heat maps are from {isolate(run.name)}; predictions are from all runs combined.")
    if competition.facts.score.unit:
        section.text("Only the first image of each unit is shown; truth and prediction are of the whole unit.")

    caption_of = _captions(competition, samples, ensemble)
    for units in chosen_units:
        tiles = []
        for row, column in zip(units.rows.tolist(), units.columns.tolist(), strict=True):
            picture = _picture(competition, run.recipe, store, samples.iloc[row])
            tiles.append(_tile(picture, found.maps.get((row, column)), caption_of(row, column), evidence_for))
        section.gallery(units.title, units.text, tiles)
    return section


def _evidence(facts: CompetitionFacts, found: HeatMaps) -> str:
    """Returns what the heat maps are evidence for."""
    if found.explains_grade:
        return "a higher grade"
    return "a positive" if facts.task == "binary" else "the named class or label"


def _describe(section: Section, found: HeatMaps, evidence_for: str) -> None:
    """Adds the meaning of the heat maps and checks of their reliability to the section."""
    section.text(
        f"Heat maps ({found.method}) of the net that was not trained on the image: the evidence for {evidence_for}. "
        "They show what influenced the prediction, not why it is right."
    )
    if found.agreement:
        section.text(
            "Dependence on the learnt weights: rank correlation with the maps of the same net with its weights in "
            f"random order: {np.mean(found.agreement):.2f} (1: the same maps, which show the image, not the net)."
        )
    if len(found.hits):
        text = (
            f"the hottest point is in or beside the finding in {found.hits.mean():.0%} of {len(found.hits)} "
            f"true positives (a random point: {found.chance.mean():.0%})"
        )
        section.text(
            f"Pointing game: {text}. The positions of the findings in these generated images are known; beside means: "
            "at most one cell of the map away."
        )
        section.summary = f"heat maps: {text}"


def _captions(competition: Competition, samples: pd.DataFrame, ensemble: Ensemble) -> Callable[[int, int], str]:
    """Returns a function (row, column) -> caption of an image: id, truth, prediction, fold."""
    facts = competition.facts
    oof = ensemble.oof_probabilities
    predictions, targets = oof.predictions, oof.targets

    def text(row: int, column: int) -> str:
        name = isolate(facts.prediction_columns[column])
        p = predictions[row, column]
        if facts.has_exclusive_classes:
            truth = f"true {isolate(facts.class_names[targets[row]])}, predicted {name} ({p:.3f})"
        else:
            label = targets[row, column] if targets.ndim == 2 else facts.class_names[targets[row]]
            truth = f"{name}: true {isolate(label)}, predicted {p:.3f}"
        # The image's id, since the name of a unit may contain that of a patient.
        return f"{isolate(samples['id'].iloc[row])}, {truth}, fold {ensemble.oof.folds[row]}"

    return text


def _tile(picture: np.ndarray, heat: np.ndarray | None, text: str, evidence_for: str) -> Tile:
    """Returns a picture of a gallery, with its heat map if there is one."""
    height, width = fit_within(*picture.shape[:2], IMAGE_SIZE)
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if heat is None:
        return Tile(jpeg(large), jpeg(large), text)
    with_heat = overlay(large, cv2.resize(heat, large.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    return Tile(jpeg(with_heat), jpeg(large), text, f"Heat map of the evidence for {evidence_for}")


def _picture(competition: Competition, recipe: Recipe, store: Store, sample: pd.Series) -> np.ndarray:
    """Returns the raw image if the net saw all of it, only resized; else the prepared image, where positions agree."""
    if recipe.preparation.keeps_positions:
        settings = competition.facts.images
        try:
            return to_displayable(read_image(competition.paths.raw_root(settings.root), sample["image"], settings))
        except UserError:
            pass  # the raw image is unreadable now; the prepared one is used
    return to_displayable(store.pixels[store.rows[sample["id"]]])
