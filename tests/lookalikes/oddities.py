"""Unusual layouts that no preset has, each with its facts."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import names, pictures
from tests.lookalikes.truth import single, truth
from tests.support.helpers import replaced

HEAD = """
title: An oddity
source: {kind: kaggle, slug: oddity}
upload: csv
task: binary
score: {metric: auc}
folds: {k: 3, method: stratified}
"""
EXTENSION_FACTS = f"""{HEAD}
labels: {{file: labels.csv, id: image, targets: [label]}}
images: {{train: "train/{{id}}", test: "test/{{id}}", channels: 1}}
submission: {{sample: sample.csv, id: image}}
"""
READERS_FACTS = f"""{HEAD}
labels: {{file: train.csv, id: image_id, targets: [finding], repeated: majority}}
images: {{train: "train/{{id}}.png", test: "test/{{id}}.png", channels: 1}}
submission: {{sample: sample_submission.csv, id: image_id}}
"""
PLACEHOLDER_FACTS = f"""{replaced(HEAD, ("upload: csv", "upload: notebook"))}
labels: {{file: train.csv, id: id, targets: [target], test_file: test.csv}}
images: {{train: "train/{{site}}/{{id}}.png", test: "test/{{site}}/{{id}}.png", channels: 1}}
submission: {{sample: sample_submission.csv}}
"""


def extension(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Ids are file names."""
    ids = [f"{name}.jpg" for name in names.hexes(rng, 36, 6)]
    train, test = ids[:24], ids[24:]
    images = {id: f"{'train' if id in train else 'test'}/{id}" for id in ids}
    values = _write_images(folder, rng, images)
    pictures.write_table(folder / "labels.csv", ({"image": id, "label": values[id]} for id in train))
    pictures.write_table(folder / "sample.csv", ({"image": id, "label": 0} for id in test))
    labels = single("label", values)
    answers = {id: labels[id] for id in test}
    return truth({id: labels[id] for id in train}, images, test, answers=answers, id_column="image")


def readers(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Three readers for each image, of whom one may disagree."""
    ids = names.hexes(rng, 36, 8)
    train, test = ids[:24], ids[24:]
    images = {id: f"{'train' if id in train else 'test'}/{id}.png" for id in ids}
    values = _write_images(folder, rng, images)
    rows = []
    for reader in range(3):
        for number, id in enumerate(train):
            other = number % 3 == 0 and number // 3 % 3 == reader
            rows.append({"image_id": id, "rad_id": f"R{8 + reader}", "finding": values[id] ^ int(other)})
    pictures.write_table(folder / "train.csv", rows)
    pictures.write_table(folder / "sample_submission.csv", ({"image_id": id, "finding": 0} for id in test))
    labels = single("finding", values)
    answers = {id: labels[id] for id in test}
    return truth({id: labels[id] for id in train}, images, test, answers=answers, id_column="image_id")


def placeholder(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """The sample submission has three rows of the twenty that the test table has; patterns need a column of both."""
    ids = names.numbers(rng, 44, 10, 10**6)
    train, test = ids[:24], ids[24:]
    site = {id: f"site {number % 2}" for number, id in enumerate(ids)}
    images = {id: f"{'train' if id in train else 'test'}/{site[id]}/{id}.png" for id in ids}
    values = _write_images(folder, rng, images)
    pictures.write_table(folder / "train.csv", ({"id": id, "site": site[id], "target": values[id]} for id in train))
    pictures.write_table(folder / "test.csv", ({"id": id, "site": site[id]} for id in test))
    pictures.write_table(folder / "sample_submission.csv", ({"id": id, "target": 0} for id in test[:3]))
    labels = single("target", values)
    answers = {id: labels[id] for id in test}
    return truth({id: labels[id] for id in train}, images, test, answers=answers, sample=test[:3])


def _write_images(folder: Path, rng: np.random.Generator, images: dict[str, str]) -> dict[str, int]:
    """Writes an image for each id and returns its label."""
    values = {id: number % 2 for number, id in enumerate(images)}
    for id, path in images.items():
        picture = pictures.grey(pictures.scene(rng, [(*pictures.MIDDLE, 0.2 + 0.8 * values[id])], (64, 64)))
        pictures.write(folder / path, pictures.encoded(picture, Path(path).suffix))
    return values
