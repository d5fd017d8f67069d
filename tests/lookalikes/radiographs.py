"""Chest X-rays: RANZCR CLiP, RSNA Pneumonia and Kermany's data set."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import JPEGBaseline8Bit

from tests.lookalikes import dicoms, names, pictures
from tests.lookalikes.truth import several, single, truth

LINES = [
    "ETT - Abnormal",
    "ETT - Borderline",
    "ETT - Normal",
    "NGT - Abnormal",
    "NGT - Borderline",
    "NGT - Incompletely Imaged",
    "NGT - Normal",
    "CVC - Abnormal",
    "CVC - Borderline",
    "CVC - Normal",
    "Swan Ganz Catheter Present",
]


def ranzcr(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Eleven labels; a patient has several images."""
    ids = names.uids(rng, 60)
    train, test = ids[:48], ids[48:]
    patients = names.hexes(rng, 24, 9)
    owner = {id: patients[number // 2] for number, id in enumerate(train)}
    present = {id: [line for line in LINES if rng.random() < 0.3] or ["CVC - Normal"] for id in ids}
    images = {id: f"{'train' if id in owner else 'test'}/{id}.jpg" for id in ids}
    for number, id in enumerate(ids):
        film = pictures.scene(rng, pictures.grid(LINES, present[id]), (96, 112) if number % 2 else (112, 96))
        pictures.write(folder / images[id], pictures.encoded(pictures.grey(film), ".jpg"))
    labels = several(LINES, present)
    rows = [{"StudyInstanceUID": id, **labels[id], "PatientID": owner[id]} for id in train]
    pictures.write_table(folder / "train.csv", rows)
    lines = (
        {"StudyInstanceUID": id, "label": present[id][0], "data": "[[1487, 1279], [1477, 1168]]"} for id in train[:3]
    )
    pictures.write_table(folder / "train_annotations.csv", lines)
    blank = dict.fromkeys(LINES, 0)
    pictures.write_table(folder / "sample_submission.csv", ({"StudyInstanceUID": id, **blank} for id in test))
    return truth(
        {id: labels[id] for id in train},
        images,
        test,
        groups=owner,
        answers={id: labels[id] for id in test},
        id_column="StudyInstanceUID",
    )


def rsna_pneumonia(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """DICOM with JPEG inside; a row for each box, so several of one image; a test set without labels."""
    ids = names.uuids(rng, 58)
    train, test = ids[:50], ids[50:]
    ill = {id: int(number % 3 == 0) for number, id in enumerate(train)}
    boxes: list[dict[str, Any]] = []
    classes: list[dict[str, Any]] = []
    for number, id in enumerate(train):
        count = number // 3 % 3 + 1 if ill[id] else 1
        found = "Lung Opacity" if ill[id] else "Normal" if number % 2 else "No Lung Opacity / Not Normal"
        for _ in range(count):
            box = [round(float(value), 1) if ill[id] else None for value in rng.integers(20, 70, 4)]
            boxes.append(
                {"patientId": id, **dict(zip(["x", "y", "width", "height"], box, strict=True)), "Target": ill[id]}
            )
            classes.append({"patientId": id, "class": found})
    for part, group in (("train", train), ("test", test)):
        for number, id in enumerate(group):
            film = pictures.grey(pictures.scene(rng, [(0.4, 0.35, 0.2 + 0.8 * ill.get(id, 0))]))
            dicoms.write(
                folder / f"stage_2_{part}_images/{id}.dcm",
                film,
                JPEGBaseline8Bit,
                Modality="CR",
                PatientID=id,
                PatientSex="M" if number % 2 else "F",
                PatientAge=str(20 + number),
                BodyPartExamined="CHEST",
                ViewPosition="AP" if number % 2 else "PA",
                ConversionType="WSD",
                PixelSpacing=["0.143", "0.143"],
                StudyInstanceUID=f"1.2.276.0.7230010.3.1.2.8323329.{number}",
            )
    pictures.write_table(folder / "stage_2_train_labels.csv", boxes)
    pictures.write_table(folder / "stage_2_detailed_class_info.csv", classes)
    sample = ({"patientId": id, "PredictionString": "0.5 0 0 100 100"} for id in test)
    pictures.write_table(folder / "stage_2_sample_submission.csv", sample)
    return truth(single("Target", ill), {id: f"stage_2_train_images/{id}.dcm" for id in train})


def chest_xray(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Labels as folders, patients in the names; a second copy inside the first, and files of macOS."""
    labels: dict[str, dict[str, str]] = {}
    images: dict[str, str] = {}
    groups: dict[str, str] = {}
    parts: dict[str, list[str]] = {}
    # Patient numbers restart in the test set; image numbers do not.
    for part, patients, first in (("train", 12, 115), ("test", 4, 1), ("val", 2, 1427)):
        for number in range(1, patients + 1):
            kind = "bacteria" if number % 2 else "virus"
            ill, healthy = f"person{number}", f"IM-{first + number:04}"
            if number % 3 == 0:
                healthy = f"NORMAL2-{healthy}"
            for person, id in [
                *((ill, f"{ill}_{kind}_{first * 10 + number * 2 + image}") for image in range(2)),
                *((healthy, f"{healthy}-{image + 1:04}") for image in range(2)),
            ]:
                label = "PNEUMONIA" if person == ill else "NORMAL"
                film = pictures.scene(rng, [(0.5, 0.35, 0.2 + 0.8 * (label == "PNEUMONIA"))], (96, 96 + number))
                labels[id] = {"pneumonia": label}
                images[id], groups[id] = f"{part}/{label}/{id}.jpeg", person
                parts.setdefault(part, []).append(id)
                for copy in ("chest_xray", "chest_xray/chest_xray"):
                    pictures.write(folder / copy / images[id], pictures.encoded(pictures.grey(film), ".jpeg"))
                pictures.write(folder / f"chest_xray/__MACOSX/{part}/{label}/._{id}.jpeg", b"\x00\x05\x16\x07")
    pictures.write(folder / "chest_xray/chest_xray/.DS_Store", b"\x00\x00\x00\x01Bud1")
    train, test = sorted(parts["train"]), sorted(parts["test"] + parts["val"])
    return truth(
        {id: labels[id] for id in train},
        images,
        test,
        groups={id: groups[id] for id in train},
        answers={id: labels[id] for id in test},
    )
