"""Microscopy: Human Protein Atlas and Histopathologic Cancer Detection."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import names, pictures
from tests.lookalikes.truth import several, single, truth
from tests.support import histology as histology_data

PROTEIN_LABELS = [str(number) for number in range(28)]
STAINS = ["red", "green", "blue", "yellow"]


def protein_atlas(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Four grey files for each id; labels as numbers separated by spaces, unordered."""
    ids = names.uuids(rng, 60)
    train, test = ids[:48], ids[48:]
    # Every label in some images of the training set: two of each image, in turn.
    pairs = [(PROTEIN_LABELS[number % 28], PROTEIN_LABELS[(3 * number + 5) % 28]) for number in range(60)]
    present = {id: list(rng.permutation(sorted(set(pair)))) for id, pair in zip(ids, pairs, strict=True)}
    images = {}
    for id in ids:
        paths = [f"{'train' if id in set(train) else 'test'}/{id}_{stain}.png" for stain in STAINS]
        for stain, path in zip(STAINS, paths, strict=True):
            spots = pictures.grid(PROTEIN_LABELS, present[id]) if stain == "green" else [(*pictures.MIDDLE, 0.5)]
            pictures.write(folder / path, pictures.encoded(pictures.grey(pictures.scene(rng, spots)), ".png"))
        images[id] = "|".join(paths)
    pictures.write_table(folder / "train.csv", ({"Id": id, "Target": " ".join(present[id])} for id in train))
    pictures.write_table(folder / "sample_submission.csv", ({"Id": id, "Predicted": 0} for id in test))
    labels = several(PROTEIN_LABELS, present)
    return truth(
        {id: labels[id] for id in train},
        images,
        test,
        answers={id: labels[id] for id in test},
        id_column="Id",
    )


def histology(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """TIFF patches whose label depends on the centre."""
    content, answers = histology_data.histology()
    for name, data in content.items():
        pictures.write(folder / name, data)
    rows = [line.split(",") for line in content["train_labels.csv"].decode().splitlines()[1:]]
    labels = single("label", dict(rows))
    images = {id: f"train/{id}.tif" for id in labels} | {id: f"test/{id}.tif" for id in answers}
    return truth(labels, images, answers, answers=single("label", answers))
