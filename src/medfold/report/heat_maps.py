"""Heat maps of images by the net that did not see them in training, and checks of their reliability."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from medfold.competition import Competition, CompetitionFacts, Recipe
from medfold.data import open_source
from medfold.images import Store
from medfold.paths import FoldPaths
from medfold.runs import read_predictions
from medfold.system.native_output import silence_native_output

NUM_COMPARED = 16  # maps that are compared with maps of random weights


@dataclass
class HeatMaps:
    """Heat maps of a run, with measures of their reliability.

    Args:
        maps: float (height, width), by row of the sample and prediction column.
        method: how they were computed, such as Grad-CAM.
        explains_grade: True if they are evidence for a higher grade, False if for a class or label.
        agreement: rank correlations with the maps of the same net with its weights in random order.
        hits: for each true positive whose finding has a known position: True if the maximum of the map is inside it.
        chance: the probability that a random point is inside it, in the order of `hits`.
    """

    maps: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    method: str = ""
    explains_grade: bool = False
    agreement: list[float] = field(default_factory=list)
    hits: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    chance: np.ndarray = field(default_factory=lambda: np.empty(0))


def compute_heat_maps(
    competition: Competition,
    recipe: Recipe,
    store: Store,
    samples: pd.DataFrame,
    folds: dict[int, FoldPaths],
    rows: np.ndarray,
    columns: np.ndarray,
) -> HeatMaps:
    """Computes heat maps of images.

    Args:
        competition: the competition that the run belongs to (facts and positions of findings).
        recipe: the recipe of the run.
        store: the prepared images.
        samples: the first sample of each unit: id, fold, labels, height and width of the raw image.
        folds: paths of each fold, by its number.
        rows: int (n,), the samples to explain.
        columns: int (n,), the prediction column that each map explains.
    """
    with silence_native_output(show_on_error=True):
        from medfold.prediction import GradCam, load_net, randomise_weights
    positions = _finding_positions(competition, recipe, samples)
    result = HeatMaps()
    pointed = []
    for fold, fold_paths in folds.items():
        net = load_net(competition.facts, recipe, fold_paths.weights)
        explainer = GradCam(net)
        result.method = explainer.method
        result.explains_grade = explainer.explains_grade
        in_fold = np.flatnonzero(samples["fold"].to_numpy()[rows] == fold)
        images = _prepared(store, samples["id"].iloc[rows[in_fold]])
        keys = zip(rows[in_fold].tolist(), columns[in_fold].tolist(), strict=True)
        result.maps |= dict(zip(keys, explainer(images, columns[in_fold]), strict=True))
        if not result.agreement and len(in_fold):
            first = slice(0, NUM_COMPARED)
            randomised = GradCam(randomise_weights(net))
            result.agreement = _agreement(explainer, randomised, images[first], columns[in_fold][first])
        if positions is not None:
            detected = _detected(competition.facts, fold_paths, positions)
            pointed.append(_point(explainer, _prepared(store, detected["id"]), detected, recipe.preparation.size))
    if pointed:
        result.hits, result.chance = (np.concatenate(arrays) for arrays in zip(*pointed, strict=True))
    return result


def _prepared(store: Store, ids: pd.Series) -> np.ndarray:
    return store.pixels[store.rows_of(ids)]


def _agreement(explainer: Any, randomised: Any, images: np.ndarray, columns: np.ndarray) -> list[float]:
    """Returns the rank correlation of the maps of two nets for each image; constant maps are left out."""
    # With random weights there is often no positive evidence; signed maps still have ranks.
    maps = (cam(images, columns, signed=True) for cam in (explainer, randomised))
    return [spearmanr(a, b, axis=None).statistic for a, b in zip(*maps, strict=True) if np.ptp(a) and np.ptp(b)]


def _finding_positions(competition: Competition, recipe: Recipe, samples: pd.DataFrame) -> pd.DataFrame | None:
    """Returns the positions of the findings in pixels of the prepared images; None if they are not known."""
    preparation = recipe.preparation
    positions = open_source(competition).finding_positions()
    if positions is None or competition.facts.task != "binary" or not preparation.keeps_positions:
        return None
    positions = positions.merge(samples[["id", "height", "width"]], on="id")
    scale_x, scale_y = preparation.size / positions["width"], preparation.size / positions["height"]
    return positions.assign(
        x=positions["x"] * scale_x,
        y=positions["y"] * scale_y,
        radius=positions["radius"] * np.maximum(scale_x, scale_y),
    )


def _detected(facts: CompetitionFacts, fold_paths: FoldPaths, positions: pd.DataFrame) -> pd.DataFrame:
    """Returns the findings in images of the fold that were predicted as positive."""
    oof = read_predictions(facts, fold_paths.oof)
    return positions[positions["id"].isin(oof["id"][oof[facts.prediction_columns[0]] > 0.5])]


def _point(explainer: Any, images: np.ndarray, positions: pd.DataFrame, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each finding: if the map points at it (bool), and the chance of a random point."""
    from medfold.prediction import hits_finding, random_hits

    heat = explainer(images, np.zeros(len(images), int))
    disc = positions["x"].to_numpy(), positions["y"].to_numpy(), positions["radius"].to_numpy()
    return hits_finding(heat, *disc, explainer.cell), random_hits((size, size), *disc, explainer.cell)
