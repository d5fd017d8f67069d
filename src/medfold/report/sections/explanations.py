"""Report section with galleries of images, each explained by the net of the fold that it was held out from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from medfold.competition import Project, Recipe
from medfold.console import say
from medfold.data import Dataset, open_source, scan_dataset
from medfold.ensemble import Ensemble
from medfold.errors import UserError
from medfold.images import Store, load_store, overlay, read_image, store_key, to_displayable
from medfold.processes import silence_native_output
from medfold.report import galleries
from medfold.report.names import isolate
from medfold.report.page import Section, Tile, jpeg
from medfold.run_paths import FoldPaths
from medfold.runs import read_predictions, read_run

IMAGE_SIZE = 320  # px: the longest side of an image
NUM_COMPARED = 16  # maps that are compared with those of random weights


def explanations_section(project: Project, data: Dataset, ensemble: Ensemble) -> Section:
    """Shows galleries of images, with heat maps if the weights of the first run exist."""
    competition = project.competition
    name = ensemble.run_names[0]
    section = Section("images", "Example images and heat maps")
    chosen_units = galleries.choose_units(ensemble.probabilities.targets, ensemble.probabilities.predictions)
    run_paths = project.paths.run(name)
    recipe = Recipe.model_validate(read_run(run_paths)["recipe"])
    _, measurements = scan_dataset(project, recipe.images)
    store = load_store(project.paths, store_key(competition, project.paths, recipe.images))
    samples = data.train.drop_duplicates("unit").set_index("unit").loc[ensemble.oof.unit_ids].reset_index()
    rows = np.concatenate([units.rows for units in chosen_units])
    columns = np.concatenate([units.columns for units in chosen_units])
    maps: dict[tuple[int, int], np.ndarray] = {}
    evidence_for = ""
    folds = {fold: run_paths.fold(fold) for fold in ensemble.score["folds_done"]}
    if all(fold.weights.is_file() for fold in folds.values()):
        nets = _Nets(project, recipe, store, samples.merge(measurements[["id", "height", "width"]], on="id"), folds)
        maps, evidence_for = nets.explain(rows, columns, section)
    else:
        section.text("The weights of this run are missing, so there are no heat maps.")
    if len(ensemble.run_names) > 1:
        section.text(f"Heat maps are those of {isolate(name)}; predictions are those of all runs combined.")
    if competition.score.unit:
        section.text("Only the first image of each unit is shown; truth and prediction are of the whole unit.")
    caption_of = _captions(project, samples, ensemble)
    for units in chosen_units:
        tiles = [
            _tile(
                project,
                recipe,
                store,
                samples.iloc[row],
                maps.get((row, column)),
                caption_of(row, column),
                evidence_for,
            )
            for row, column in zip(units.rows.tolist(), units.columns.tolist(), strict=True)
        ]
        section.gallery(units.title, units.text, tiles)
    return section


@dataclass(frozen=True)
class _Nets:
    """The nets of a run, one per fold.

    Args:
        project: the competition, opened.
        recipe: the recipe of the run.
        store: the prepared images.
        samples: the first sample of each unit: id, fold, labels, height and width of the raw image.
        folds: paths of each fold, by its number.
    """

    project: Project
    recipe: Recipe
    store: Store
    samples: pd.DataFrame
    folds: dict[int, FoldPaths]

    def explain(
        self, rows: np.ndarray, columns: np.ndarray, section: Section
    ) -> tuple[dict[tuple[int, int], np.ndarray], str]:
        """Computes heat maps, and adds their meaning and checks of their reliability to the section.

        Args:
            rows: int (n,), the samples.
            columns: int (n,), the prediction column that each map explains.
            section: section of the page to add text to.

        Returns:
            The maps by row and column, float (height, width); the class or label that they are evidence for, as text.
        """
        with silence_native_output(show_on_error=True):
            from medfold.prediction import GradCam, load_model, randomise_weights
        competition = self.project.competition
        positions = self._finding_positions()
        heat_maps = {}
        agreement = []
        pointing = []
        method = ""
        by_grade = False
        for fold, fold_paths in self.folds.items():
            net = load_model(competition, self.recipe, fold_paths.weights)
            explainer = GradCam(net)
            method = explainer.method
            by_grade = explainer.explains_grade
            in_fold = np.flatnonzero(self.samples["fold"].to_numpy()[rows] == fold)
            images = self._images(rows[in_fold])
            heat = explainer(images, columns[in_fold])
            heat_maps |= dict(
                zip(zip(rows[in_fold].tolist(), columns[in_fold].tolist(), strict=True), heat, strict=True)
            )
            if not agreement and len(in_fold):
                # With random weights there is often no positive evidence; signed maps still have ranks.
                first = slice(0, NUM_COMPARED)
                randomised = GradCam(randomise_weights(net))
                maps = (cam(images[first], columns[in_fold][first], signed=True) for cam in (explainer, randomised))
                pairs = [(a, b) for a, b in zip(*maps, strict=True) if a.std() and b.std()]
                agreement = [spearmanr(a, b, axis=None).statistic for a, b in pairs]
            if positions is not None:
                pointing.append(self._pointed(explainer, fold_paths, positions))
        target = "a positive" if competition.task == "binary" else "the named class or label"
        target = "a higher grade" if by_grade else target
        section.text(
            f"Heat maps ({method}) of the net that was not trained on the image: the evidence for {target}. They show "
            "what influenced the prediction, not why it is right."
        )
        if agreement:
            section.text(
                "Dependence on the learnt weights: rank correlation with the maps of the same net with its weights in "
                f"random order: {np.mean(agreement):.2f} (1: the same maps, which show the image, not the net)."
            )
        if pointing and any(len(hits) for hits, _ in pointing):
            hits, chance = (np.concatenate(arrays) for arrays in zip(*pointing, strict=True))
            text = (
                f"{hits.mean():.0%} of {len(hits)} true positives have the map's maximum inside the finding, enlarged "
                f"by one cell of the map; of random points {chance.mean():.0%}"
            )
            section.text(
                f"Pointing game, as the positions of the findings in these generated images are known: {text}."
            )
            say("pointing", text)
        return heat_maps, target

    def _images(self, rows: np.ndarray) -> np.ndarray:
        return self.store.pixels[self.store.rows_of(self.samples["id"].iloc[rows])]

    def _finding_positions(self) -> pd.DataFrame | None:
        """Returns the positions of the findings in pixels of the prepared images; None if they are not known."""
        images = self.recipe.images
        positions = open_source(self.project).finding_positions()
        if positions is None or self.project.competition.task != "binary" or images.steps or images.fit != "stretch":
            return None
        positions = positions.merge(self.samples[["id", "height", "width"]], on="id")
        scale_x, scale_y = images.size / positions["width"], images.size / positions["height"]
        return positions.assign(
            x=positions["x"] * scale_x,
            y=positions["y"] * scale_y,
            radius=positions["radius"] * np.maximum(scale_x, scale_y),
        )

    def _pointed(self, explainer: Any, fold_paths: FoldPaths, positions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Returns for each true positive: if the map points at the finding (bool), and the chance of a random point."""
        from medfold.prediction import hits_finding, random_hits

        oof = read_predictions(self.project.competition, fold_paths.oof).set_index("id")
        detected = positions[positions["id"].isin(oof.index[oof[self.project.competition.prediction_columns[0]] > 0.5])]
        rows = self.samples.reset_index().set_index("id")["index"].loc[detected["id"]].to_numpy()
        heat = explainer(self._images(rows), np.zeros(len(rows), int))
        disc = detected["x"].to_numpy(), detected["y"].to_numpy(), detected["radius"].to_numpy()
        shape = (self.recipe.images.size, self.recipe.images.size)
        return hits_finding(heat, *disc, explainer.cell), random_hits(shape, *disc, explainer.cell)


def _captions(project: Project, samples: pd.DataFrame, ensemble: Ensemble) -> Callable[[int, int], str]:
    """Returns a function (row, column) -> caption of an image: id, truth, prediction, fold."""
    competition = project.competition
    oof = ensemble.probabilities
    predictions, targets = oof.predictions, oof.targets

    def text(row: int, column: int) -> str:
        name = isolate(competition.prediction_columns[column])
        p = predictions[row, column]
        if competition.exclusive_classes:
            truth = f"true {isolate(competition.class_names[targets[row]])}, predicted {name} ({p:.3f})"
        else:
            label = targets[row, column] if targets.ndim == 2 else competition.class_names[targets[row]]
            truth = f"{name}: true {isolate(label)}, predicted {p:.3f}"
        # The image's id, since the name of a unit may contain that of a patient.
        return f"{isolate(samples['id'].iloc[row])}, {truth}, fold {ensemble.oof.fold[row]}"

    return text


def _tile(
    project: Project,
    recipe: Recipe,
    store: Store,
    sample: pd.Series,
    heat: np.ndarray | None,
    text: str,
    evidence_for: str,
) -> Tile:
    raw_picture = _picture(project, recipe, store, sample)
    large = cv2.resize(raw_picture, _fitting(raw_picture, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
    if heat is None:
        return Tile(jpeg(large), jpeg(large), text)
    with_heat = overlay(large, cv2.resize(heat, large.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    return Tile(jpeg(with_heat), jpeg(large), text, f"Heat map of the evidence for {evidence_for}")


def _picture(project: Project, recipe: Recipe, store: Store, sample: pd.Series) -> np.ndarray:
    """Returns the raw image if the net saw all of it, only resized; else the prepared image, where positions agree."""
    if recipe.images.fit == "stretch" and not recipe.images.steps:
        settings = project.competition.images
        try:
            return to_displayable(read_image(project.paths.raw_root(settings.root), sample["image"], settings))
        except UserError:
            pass  # the raw image is unreadable now; the prepared one is used
    return to_displayable(store.pixels[store.rows[sample["id"]]])


def _fitting(pixels: np.ndarray, max_side: int) -> tuple[int, int]:
    """Returns width and height scaled to a longest side."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))
