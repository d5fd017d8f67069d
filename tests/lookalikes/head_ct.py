"""RSNA Intracranial Hemorrhage Detection."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import dicoms, names, pictures
from tests.lookalikes.truth import several, truth

KINDS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural"]
TARGETS = [*KINDS, "any"]
ROOT = "rsna-intracranial-hemorrhage-detection"  # the archive holds one folder of that name
SIDE = 96


def rsna_hemorrhage(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """A row per slice and label, some of them twice; patients are in the headers only."""
    patients = [f"ID_{name}" for name in names.hexes(rng, 20, 8)]
    ids = [f"ID_{name}" for name in names.hexes(rng, 65, 9)]
    train, test = ids[:50], ids[50:]
    owner = {id: patients[number // 3 if number < 48 else 15] for number, id in enumerate(train)}
    owner |= {id: patients[16 + number // 4] for number, id in enumerate(test)}
    present = {id: _kinds(number) for number, id in enumerate(ids)}
    raw = folder / ROOT
    for part, group in (("train", train), ("test", test)):
        for number, id in enumerate(group):
            _write_slice(raw / f"stage_2_{part}/{id}.dcm", rng, id, owner[id], present[id], signed=number % 3 != 0)
    labels = several(TARGETS, present)
    rows = [{"ID": f"{id}_{target}", "Label": labels[id][target]} for id in train for target in TARGETS]
    again = [row for row in rows if row["ID"].startswith((train[7], train[21]))]
    pictures.write_table(raw / "stage_2_train.csv", [*rows, *again])
    sample = ({"ID": f"{id}_{target}", "Label": 0.5} for id in test for target in TARGETS)
    pictures.write_table(raw / "stage_2_sample_submission.csv", sample)
    return truth(
        {id: labels[id] for id in sorted(train)},
        {id: f"stage_2_{part}/{id}.dcm" for part, group in (("train", train), ("test", test)) for id in group},
        test,
        groups={id: owner[id] for id in train},
        answers={id: labels[id] for id in test},
        id_column="ID",
        repeated=[train[7], train[21]],
    )


def _kinds(number: int) -> list[str]:
    """Every other slice shows blood, every fourth of two kinds."""
    if number % 2:
        return []
    kind = number // 2 % len(KINDS)
    return [KINDS[kind], *([KINDS[(kind + 2) % len(KINDS)]] if number % 4 == 0 else []), "any"]


def _write_slice(
    path: Path, rng: np.random.Generator, id: str, patient: str, present: Iterable[str], signed: bool
) -> None:
    """A head in Hounsfield units: air, a skull, brain, and blood at the place of its kind."""
    blood = pictures.grid(KINDS, [kind for kind in present if kind != "any"])
    spots = [(0.3 + 0.4 * down, 0.3 + 0.4 * across, bright) for down, across, bright in blood]
    tissue = 20 + 60 * pictures.scene(rng, spots, (SIDE, SIDE))
    rows, columns = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    distance = rows**2 + columns**2
    hounsfield = np.where(distance < 0.6, tissue, np.where(distance < 0.75, 900.0, -1000.0))
    # Some scanners store signed values of 16 bits, others unsigned ones of 12.
    stored = np.rint(hounsfield + 1024).astype(np.int16 if signed else np.uint16)
    dicoms.write(
        path,
        stored,
        Modality="CT",
        SOPInstanceUID=id,
        PatientID=patient,
        StudyInstanceUID=f"ID_{patient[3:]}00",
        SeriesInstanceUID=f"ID_{patient[3:]}01",
        StudyID="",
        ImagePositionPatient=["-125.000", "-118.000", "134.600"],
        ImageOrientationPatient=["1.000", "0.000", "0.000", "0.000", "0.934", "-0.358"],
        PixelSpacing=["0.488281", "0.488281"],
        BitsStored=16 if signed else 12,
        WindowCenter="30" if signed else ["00036", "00036"],
        WindowWidth="80" if signed else ["00080", "00080"],
        RescaleIntercept="-1024",
        RescaleSlope="1",
    )
