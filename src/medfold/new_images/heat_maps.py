"""Heat maps of new images: where the evidence of an ensemble's prediction lies, by Grad-CAM."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from medfold.competition import CompetitionFacts, Recipe
from medfold.errors import UserError
from medfold.images import fit_within, overlay, prepare_image, read_image, resize
from medfold.new_images.ensemble_predictor import MemberRun
from medfold.system import files, hardware
from medfold.system.native_output import silence_native_output
from medfold.terminal.command_text import variable
from medfold.terminal.progress import progress_bar

if TYPE_CHECKING:
    from medfold.prediction import GradCam

CHUNK_SIZE = 256  # images in memory at a time
MAX_PICTURE = 512  # longer side of a picture with a heat map, in pixels


class HeatMapSummary(NamedTuple):
    """What the heat maps show.

    Args:
        methods: names of the methods that computed them, each once.
        explains_grade: True if they are evidence for a higher grade, False if for the explained class or label.
    """

    methods: list[str]
    explains_grade: bool


def check_same_image_area(recipes: dict[str, Recipe]) -> None:
    """Checks that runs use the same part of an image, since their heat maps are averaged by position.

    Args:
        recipes: recipe of each run, by its name.

    Raises:
        UserError: the runs use different parts of an image.
    """
    (first, first_area), *others = (
        (name, (recipe.preparation.steps, recipe.preparation.fit)) for name, recipe in recipes.items()
    )
    for name, area in others:
        if area != first_area:
            what = f"{first} and {name} use different parts of an image (preparation.steps, preparation.fit)"
            raise UserError(what, variable("EXPLAIN"), "Explain them one by one")


def write_heat_maps(
    facts: CompetitionFacts,
    members: Sequence[MemberRun],
    root: Path,
    image_ids: list[str],
    columns: np.ndarray,
    folder: Path,
) -> HeatMapSummary:
    """Writes a picture of each image, overlaid with the mean heat map of all nets.

    The picture has the proportions of the original; if the recipe of the first run moves the image content, it is the
    prepared image, on which the positions of the heat map are correct.

    Args:
        facts: facts of the competition that the runs were trained with.
        members: the runs, all of which use the same part of an image.
        root: folder of the images.
        image_ids: paths of the images below the folder.
        columns: int (n,), the prediction column that each heat map explains.
        folder: folder to write, `<path of the image>.png` with `__` for slashes; it replaces a former one.
    """
    preparations = [member.recipe.preparation for member in members]
    explainers = [_explainers(facts, member) for member in members]

    def prepare_picture(image_id: str) -> tuple[np.ndarray, list[np.ndarray]]:
        pixels = read_image(root, image_id, facts.images)
        prepared = [prepare_image(pixels, settings) for settings in preparations]
        return _shrunk(pixels) if preparations[0].keeps_positions else prepared[0], prepared

    with (
        files.atomic_write(folder) as unfinished,
        ThreadPoolExecutor(hardware.num_cores()) as pool,
        progress_bar("explain", len(image_ids)) as bar,
    ):
        unfinished.mkdir()
        for start in range(0, len(image_ids), CHUNK_SIZE):
            chunk = slice(start, start + CHUNK_SIZE)
            pictures, prepared = zip(*pool.map(prepare_picture, image_ids[chunk]), strict=True)
            heat_maps = [
                explainer(np.stack(pixels), columns[chunk])
                for pixels, run_explainers in zip(zip(*prepared, strict=True), explainers, strict=True)
                for explainer in run_explainers
            ]
            for index, (image_id, picture) in enumerate(zip(image_ids[chunk], pictures, strict=True)):
                png = _png_with_heat(picture, [heat_map[index] for heat_map in heat_maps])
                (unfinished / picture_name(image_id)).write_bytes(png)
                bar.advance()
    all_explainers = [explainer for run_explainers in explainers for explainer in run_explainers]
    methods = list(dict.fromkeys(explainer.method for explainer in all_explainers))
    return HeatMapSummary(methods, all(explainer.explains_grade for explainer in all_explainers))


def _explainers(facts: CompetitionFacts, member: MemberRun) -> list["GradCam"]:
    """Returns an explainer for the net of each fold of a run."""
    with silence_native_output(show_on_error=True):
        from medfold.prediction import GradCam, load_net  # imports Keras
    return [GradCam(load_net(facts, member.recipe, weights_file)) for weights_file in member.weights_files]


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    """Returns an image whose longer side has at most `MAX_PICTURE` pixels."""
    height, width = pixels.shape[:2]
    return resize(pixels, *fit_within(height, width, min(MAX_PICTURE, max(height, width))))


def _png_with_heat(picture: np.ndarray, heat_maps: list[np.ndarray]) -> bytes:
    """Returns a picture as PNG, overlaid with the mean of heat maps of any size."""
    heat = np.mean([cv2.resize(heat_map, picture.shape[1::-1]) for heat_map in heat_maps], axis=0)
    _, png = cv2.imencode(".png", overlay(picture, heat)[..., ::-1])
    return png.tobytes()


def picture_name(image_id: str) -> str:
    """Returns the file name of a picture. An image of several files is named by the first: Windows allows no `|`."""
    return f"{image_id.partition('|')[0].replace('/', '__')}.png"
