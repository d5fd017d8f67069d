"""Graded fundus photographs: APTOS 2019 and Diabetic Retinopathy Detection."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import names, pictures
from tests.lookalikes.truth import single, truth
from tests.support.helpers import zipped

ORANGE = (0.95, 0.55, 0.25)
SIZES = [(96, 128), (120, 120), (100, 150)]
LESIONS = [(0.5, 0.5), (0.3, 0.45), (0.7, 0.55), (0.5, 0.35)]
GRADES = 5


def aptos(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """PNG; some photographs are twice in train, with equal or different grades, and one is in train and test."""
    ids = names.hexes(rng, 60, 12)
    grades = {id: number % GRADES for number, id in enumerate(ids)}
    train, test = ids[:48], ids[48:]
    copies = {train[10]: train[0], train[13]: train[1], test[2]: train[5]}
    images = {id: f"{'train' if id in train else 'test'}_images/{id}.png" for id in ids}
    for number, id in enumerate(ids):
        pictures.write(folder / images[id], pictures.encoded(_eye(rng, SIZES[number % 3], grades[id]), ".png"))
    for copy, original in copies.items():
        (folder / images[copy]).write_bytes((folder / images[original]).read_bytes())
    pictures.write_table(folder / "train.csv", ({"id_code": id, "diagnosis": grades[id]} for id in train))
    pictures.write_table(folder / "test.csv", ({"id_code": id} for id in test))
    pictures.write_table(folder / "sample_submission.csv", ({"id_code": id, "diagnosis": 0} for id in test))
    labels = single("diagnosis", grades)
    return truth(
        {id: labels[id] for id in train},
        images,
        test,
        answers={id: labels[id] for id in test},
        id_column="id_code",
        duplicates=[{train[0], train[10]}, {train[1], train[13]}],
        in_both=[{train[5], test[2]}],
    )


def diabetic_retinopathy(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Both eyes of each patient; split archives, tables in archives of their own, and a folder of samples."""
    numbers = sorted(map(int, names.numbers(rng, 33, 1, 45000)))
    content: dict[str, dict[str, bytes]] = {"train": {}, "test": {}}
    grades: dict[str, int] = {}
    for position, number in enumerate(numbers):
        part = "test" if position % 4 == 3 else "train"
        for side in ("left", "right"):
            id = f"{number}_{side}"
            grades[id] = min(position // 2 % GRADES + int(rng.random() < 0.2), 4)
            eye = pictures.encoded(_eye(rng, SIZES[position % 3], grades[id]), ".jpeg")
            content[part][f"{part}/{id}.jpeg"] = eye
    ids = {part: [Path(name).stem for name in files] for part, files in content.items()}
    for part, files in content.items():
        _in_volumes(folder / f"{part}.zip", zipped(files), 5 if part == "train" else 7)
    some = {name.replace("train/", "sample/"): data for name, data in list(content["train"].items())[:4]}
    pictures.write(folder / "sample.zip", zipped(some))
    for name, rows in {
        "trainLabels.csv": [f"{id},{grades[id]}" for id in ids["train"]],
        "sampleSubmission.csv": [f"{id},0" for id in ids["test"]],
    }.items():
        pictures.write(folder / f"{name}.zip", zipped({name: "\n".join(["image,level", *rows, ""]).encode()}))
    labels = single("level", grades)
    return truth(
        {id: labels[id] for id in ids["train"]},
        {id: f"{part}/{id}.jpeg" for part in ids for id in ids[part]},
        ids["test"],
        groups={id: id.partition("_")[0] for id in ids["train"]},
        answers={id: labels[id] for id in ids["test"]},
        id_column="image",
    )


def _in_volumes(archive: Path, data: bytes, count: int) -> None:
    size = -(-len(data) // count)
    for number in range(count):
        pictures.write(Path(f"{archive}.{number + 1:03}"), data[number * size : (number + 1) * size])


def _eye(rng: np.random.Generator, shape: tuple[int, int], grade: int) -> np.ndarray:
    """An orange disc in the dark, with as many bright lesions as the grade."""
    picture = pictures.scene(rng, [(*place, 1.0) for place in LESIONS[:grade]], shape)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    radius = 0.47 * min(shape)
    picture[(rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2 > radius**2] = 0
    return pictures.colour(picture, ORANGE)
