"""Source `phantom`: synthetic chest radiographs, drawn from a seed, with no network and no real patient.

Every image shows a body with two lungs, ribs, spine, heart and vessels, with a random exposure and quantum noise.
Some patients have a nodule, in all of their images. Its visibility is set by one physical number, the matched-filter
signal-to-noise ratio

    SNR = |s| / sigma    (s: the nodule's pixels at 128 px, sigma: standard deviation of the white noise per pixel)

This is the detectability index d' of an ideal observer who knows the position and sees only noise (Burgess 1999,
"The Rose model, revisited"). It is drawn uniformly from the range `snr`, separately for every image. The position is
not known and ribs and vessels hide nodules, so any real observer does worse.
"""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from medfold.data.sources.kinds import SourceFolders, SourceKind
from medfold.errors import UserError
from medfold.tables import read_unchanged_csv, write_sealed_csv
from medfold.terminal.command_text import command, variable

SIZE = 128
NOISE = 0.025  # standard deviation of the quantum noise; the anatomy spans about 0..1
CLUTTER = 0.015  # standard deviation of the vessel pattern within the lungs
NODULES = "nodules.csv"
ORIGIN = "phantom"  # of the table of nodules
SPLITS = {"train": 0, "test": 1}  # in the seed, so that the two sets never share a patient


class Options(BaseModel):
    """The settings of a source of kind `phantom`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    seed: int = Field(default=0, description="Seed of all that is drawn.")
    train_patients: int = Field(default=500, ge=10, description="Patients of the training set, of 1 to 3 images each.")
    test_patients: int = Field(default=750, ge=5, description="Patients of the test set.")
    prevalence: float = Field(default=0.4, gt=0, lt=1, description="Share of the patients with a nodule.")
    snr: tuple[float, float] = Field(
        default=(20.0, 100.0),
        description="Lowest and highest signal-to-noise ratio of a nodule: how visible it is.",
    )
    duplicates: int = Field(
        default=4, ge=0, description="Exact copies of training images under other ids; half as many in the test set."
    )


@dataclass(frozen=True)
class PhantomImage:
    """One image to draw: the patient it shows and its number among the patient's images."""

    id: str
    split: str
    patient: int
    number: int


def fetch(options: Options, into: SourceFolders) -> None:
    """Draws the competition: `train/`, `test/`, `train.csv`, `sample_submission.csv`.

    Writes what a competitor may not see to the folder of the solution: `solution.csv` (id, target, usage Public or
    Private) and `nodules.csv` (id, x, y, radius in pixels, snr).
    """
    target, solution = into.raw, into.solution
    train, test = (list(_images(options, split)) for split in SPLITS)
    rows = dict(_draw_all(options, train + test, target))
    table = pd.DataFrame([_record(rows[image], image) for image in train])
    truth = pd.DataFrame([_record(rows[image], image) for image in test])

    rng = np.random.default_rng([options.seed, 99])
    copies = _add_duplicates(options.duplicates, table, truth, target, rng)
    table = table.sort_values("id", kind="stable")
    table.to_csv(target / "train.csv", index=False)
    pd.DataFrame({"id": truth["id"], "target": 0.5}).to_csv(target / "sample_submission.csv", index=False)

    usage = np.where(rng.permutation(len(truth)) < 0.3 * len(truth), "Public", "Private")
    solution.mkdir(parents=True)
    truth[["id", "target"]].assign(usage=usage).to_csv(solution / "solution.csv", index=False)
    places = {image.id: rows[image]["nodule"] for image in train + test if rows[image]["nodule"]}
    places |= {copy: places[original] for copy, original in copies.items() if original in places}
    nodules = pd.DataFrame(
        [{"id": image_id, **place} for image_id, place in sorted(places.items())],
        columns=["id", "x", "y", "radius", "snr"],
    )
    write_sealed_csv(nodules.round(3), solution / NODULES, ORIGIN)


def finding_positions(solution: Path) -> pd.DataFrame | None:
    """Returns the nodules of all images: id, x, y, radius in pixels of the raw image; None before the download."""
    path = solution / NODULES
    if not path.is_file():
        return None
    fix = f"Draw the data again: {command('download', COMPETITION=solution.parent.name, FORCE=1)}"
    return read_unchanged_csv(path, ORIGIN, fix)[["id", "x", "y", "radius"]]


def accept(options: Options, path: Path) -> str:
    """Refuses `FROM=`: this competition is drawn, not downloaded.

    Raises:
        UserError: always.
    """
    raise UserError(
        "a phantom competition is drawn from its seed", variable("FROM", path), f"Leave {variable('FROM')} out"
    )


KIND = SourceKind(Options, fetch, accept, finding_positions=finding_positions, is_embedded=True)


def _rng(options: Options, split: str, patient: int, number: int) -> np.random.Generator:
    return np.random.default_rng([options.seed, SPLITS[split], patient, number])


def _images(options: Options, split: str) -> Iterator[PhantomImage]:
    patients = options.train_patients if split == "train" else options.test_patients
    for patient in range(patients):
        count = _rng(options, split, patient, 0).choice([1, 2, 3], p=[0.5, 0.4, 0.1])
        for number in range(1, count + 1):
            yield PhantomImage(_id(split, patient, number), split, patient, number)


def _id(split: str, patient: int, number: int) -> str:
    """Returns an id whose order reveals nothing: a scrambled counter (the factor is odd, so all ids are different)."""
    scrambled = ((patient * 4 + number) * 2654435761 + SPLITS[split] * 0x5BD1E995) % 2**32
    return f"{split}_{scrambled:08x}"


def _draw_all(options: Options, images: list[PhantomImage], target: Path) -> Iterator[tuple[PhantomImage, dict]]:
    for split in SPLITS:
        (target / split).mkdir(parents=True)

    def draw(image: PhantomImage) -> tuple[PhantomImage, dict]:
        pixels, attributes = draw_image(options, image.split, image.patient, image.number)
        cv2.imwrite(str(target / image.split / f"{image.id}.png"), pixels)
        return image, attributes

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(draw, images)


def _record(attributes: dict, image: PhantomImage) -> dict:
    patient = f"P{image.patient:04d}"
    return {
        "id": image.id,
        "patient_id": patient,
        "age": attributes["age"],
        "sex": attributes["sex"],
        "target": attributes["target"],
    }


def _add_duplicates(
    count: int, table: pd.DataFrame, truth: pd.DataFrame, target: Path, rng: np.random.Generator
) -> dict:
    """Adds exact duplicates under other ids: `count` in train (one with the other label), half as many in test.

    Returns:
        The id of the original by the id of its copy.
    """
    originals = rng.choice(len(table), size=count + count // 2, replace=False)
    copies = {}
    for number, original in enumerate(originals):
        row = table.iloc[original]
        split, rows = ("train", table) if number < count else ("test", truth)
        patient = 9000 + number  # above the numbers of drawn patients, of which there are fewer than 9000
        copy = {**row, "id": _id(split, patient, 1), "patient_id": f"P{patient}"}
        if number == 0 and split == "train":
            copy["target"] = 1 - row["target"]
        pixels = (target / "train" / f"{row['id']}.png").read_bytes()
        (target / split / f"{copy['id']}.png").write_bytes(pixels)
        rows.loc[len(rows)] = copy
        copies[copy["id"]] = row["id"]
    return copies


def draw_image(options: Options, split: str, patient: int, number: int) -> tuple[np.ndarray, dict]:
    """Draws one radiograph, as displayed.

    Args:
        options: seed, prevalence and SNR range.
        split: 'train' or 'test'.
        patient: number of the patient within the set; decides anatomy, age, sex and disease.
        number: number of the image, from 1; decides posture, exposure, noise and the nodule's SNR.

    Returns:
        Pixels, uint8 (128, 128), and a dictionary with age, sex, target (0 or 1) and nodule (x, y, radius in
        pixels, snr; `None` without one).
    """
    film, attributes, image_rng = draw_film(options, split, patient, number)
    # Exposure and display: gain, offset and a film-like curve.
    gain, offset, gamma = image_rng.uniform(0.7, 1.05), image_rng.uniform(0, 0.15), math.exp(image_rng.normal(0, 0.18))
    shown = np.clip(film, 0, 1) ** gamma * gain + offset
    return np.clip(np.rint(shown * 255), 0, 255).astype(np.uint8), attributes


def draw_film(options: Options, split: str, patient: int, number: int) -> tuple[np.ndarray, dict, np.random.Generator]:
    """Draws the radiograph before exposure.

    Args:
        options: seed, prevalence and SNR range.
        split: 'train' or 'test'.
        patient: number of the patient within the set; decides anatomy, age, sex and disease.
        number: number of the image, from 1; decides posture, noise and the nodule's SNR.

    Returns:
        Pixels, float32 (128, 128) of about 0..1; the dictionary of `draw_image`; and the random generator of the image
        in its state after drawing.
    """
    patient_rng, image_rng = _rng(options, split, patient, 10), _rng(options, split, patient, 10 + number)
    target = int(patient_rng.random() < options.prevalence)
    age = int(np.clip(patient_rng.normal(58 + 5 * target, 13), 18, 90))
    sex = "F" if patient_rng.random() < 0.48 else "M"

    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    # Posture: the same anatomy, slightly shifted, rotated and scaled in every image.
    angle, zoom = image_rng.normal(0, 0.04), image_rng.normal(1, 0.03)
    dx, dy = image_rng.normal(0, 0.02, 2)
    u, v = _rotated(x - 0.5 - float(dx), y - 0.5 - float(dy), angle)
    u, v = u / zoom, v / zoom
    image, lungs = _anatomy(u, v, patient_rng)

    nodule = None
    if target:
        side, height, reach = (
            1 - 2 * int(patient_rng.integers(2)),
            patient_rng.uniform(-0.24, 0.17),
            patient_rng.uniform(0.16, 0.29),
        )
        radius = patient_rng.uniform(3.0, 6.0)  # standard deviation of the blob, pixels
        cu, cv = side * reach + image_rng.normal(0, 0.01), height + image_rng.normal(0, 0.01)
        snr = image_rng.uniform(*options.snr)
        spread = zoom * radius / SIZE
        stretch = patient_rng.uniform(0.8, 1.25)  # not quite round
        p, q = _rotated(u - cu, v - cv, patient_rng.uniform(0, math.pi))
        blob = np.exp(-((p * stretch) ** 2 + (q / stretch) ** 2) / (2 * spread * spread))
        image += blob * (snr * NOISE / float(np.linalg.norm(blob)))
        peak = np.unravel_index(np.argmax(blob), blob.shape)
        nodule = {"x": int(peak[1]), "y": int(peak[0]), "radius": float(1.5 * radius * zoom), "snr": float(snr)}

    # Vessels: smooth clutter of about a nodule's size within the lungs, so that a bright spot alone proves nothing.
    clutter = cv2.GaussianBlur(image_rng.standard_normal((SIZE, SIZE), np.float32), (0, 0), 1.8)
    image += lungs * clutter * (CLUTTER / float(clutter.std()))
    image += NOISE * image_rng.standard_normal((SIZE, SIZE), np.float32)

    return image, {"age": age, "sex": sex, "target": target, "nodule": nodule}, image_rng


def _rotated(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _soft_mask(distance: np.ndarray, width: float) -> np.ndarray:
    """Returns a mask with a smooth edge of the given width: 1 inside (distance < 0), 0 outside."""
    return 0.5 - 0.5 * np.tanh(distance * (0.5 / width))


def _anatomy(u: np.ndarray, v: np.ndarray, patient_rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws body, lungs, ribs, clavicles, spine, heart and diaphragm over coordinates from -0.5 to 0.5.

    Returns:
        The image, and the mask of the lungs without the heart; both float32.
    """
    width, height = patient_rng.normal(0.155, 0.01), patient_rng.normal(0.36, 0.02)
    lungs = np.zeros_like(u)
    for side in (-1, 1):
        a, b = (u - side * 0.215) / width, (v + 0.0) / height
        tilt = a - side * 0.25 * b  # wider at the base
        lungs = np.maximum(lungs, _soft_mask(np.sqrt(tilt**2 + b**2) - 1, 0.07))
    dome = patient_rng.normal(0.24, 0.015)
    for side in (-1, 1):
        edge = dome - 0.02 * (side < 0) - 1.6 * (u - side * 0.2) ** 2
        lungs *= 1 - _soft_mask(edge - v, 0.012) * (np.sign(u) == side)

    body = _soft_mask(np.abs(u) - 0.47 + 0.25 * np.clip(-v - 0.33, 0, 1), 0.015)
    image = body * (0.62 + 0.08 * v)
    image -= lungs * patient_rng.normal(0.40, 0.025)

    count, slope, thickness = (
        patient_rng.normal(10.5, 0.6),
        patient_rng.normal(1.1, 0.1),
        patient_rng.normal(0.055, 0.006),
    )
    phase = (v + slope * (np.abs(u) - 0.2) ** 2 * 2.2) * count + patient_rng.uniform(0, 1)
    ribs = np.exp(-(((phase - np.floor(phase)) - 0.5) ** 2) / (2 * (thickness * count / 4) ** 2))
    cage = (
        _soft_mask(np.abs(u) - 0.38, 0.015)
        * _soft_mask(0.05 - np.abs(u), 0.02)
        * _soft_mask(np.abs(v + 0.03) - 0.36, 0.02)
    )
    image += 0.06 * ribs * cage

    collar = np.abs(v + 0.31 - 0.25 * (np.abs(u) - 0.2)) - 0.014
    image += 0.11 * _soft_mask(collar, 0.006) * _soft_mask(np.abs(np.abs(u) - 0.21) - 0.16, 0.01)
    image += 0.13 * _soft_mask(np.abs(u) - 0.045, 0.012) * (1 + 0.12 * np.sin(v * 95))

    size = patient_rng.normal(0.165, 0.014)
    heart = np.sqrt(((u - 0.05) / (size * 1.05)) ** 2 + ((v - 0.13) / (size * 1.15)) ** 2) - 1
    heart = _soft_mask(heart, 0.08)
    image += heart * lungs * 0.30
    return image.astype(np.float32), (lungs * (1 - heart)).astype(np.float32)
