"""Source `phantom`: synthetic chest radiographs, drawn from a seed, with no network and no real patient."""

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
from medfold.data.sources.phantom_images import SPLITS, draw_image, random_generator
from medfold.errors import UserError
from medfold.tables import read_unchanged_csv, write_sealed_csv
from medfold.terminal.command_text import command, variable

NODULES = "nodules.csv"
ORIGIN = "phantom"  # what the table of nodules was made from


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


def _images(options: Options, split: str) -> Iterator[PhantomImage]:
    patients = options.train_patients if split == "train" else options.test_patients
    for patient in range(patients):
        count = random_generator(options, split, patient, 0).choice([1, 2, 3], p=[0.5, 0.4, 0.1])
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
