"""A small copy of histopathologic-cancer-detection, and its leaderboard."""

from collections.abc import Callable

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

HISTOLOGY = "\n".join(
    [
        "title: Histology",
        "source: {kind: kaggle, slug: https://www.kaggle.com/competitions/histology/data}",
        "upload: csv",
        "task: binary",
        "labels: {file: train_labels.csv, id: id, targets: [label]}",
        'images: {train: "train/{id}.png", test: "test/{id}.png", symmetry: dihedral}',
        "score: {metric: auc}",
        "submission: {sample: sample_submission.csv}",
        "folds: {k: 2, method: stratified}",
    ]
)


def histology(train: int = 60, test: int = 20, ending: str = "tif") -> tuple[dict[str, bytes], dict[str, int]]:
    """Makes a small copy of histopathologic-cancer-detection: patches whose centre is darker in one class.

    Args:
        train, test: numbers of patches.
        ending: file suffix of the patches; those of the real competition are TIFFs.

    Returns:
        The files by name, and the labels of the test patches by id.
    """
    rng = np.random.default_rng(5)
    content, labels = {}, {}
    for part, count in (("train", train), ("test", test)):
        for number in range(count):
            id, label = f"{rng.integers(2**63):016x}{number:024x}", number % 2
            pixels = rng.integers(120, 256, (96, 96, 3), dtype=np.uint8)
            pixels[32:64, 32:64] -= np.uint8(100 * label)
            content[f"{part}/{id}.{ending}"] = cv2.imencode(f".{ending}", pixels)[1].tobytes()
            labels[part, id] = label
    rows = [f"{id},{label}" for (part, id), label in labels.items() if part == "train"]
    ids = [id for part, id in labels if part == "test"]
    content["train_labels.csv"] = "\n".join(["id,label", *rows, ""]).encode()
    content["sample_submission.csv"] = "\n".join(["id,label", *(f"{id},0" for id in ids), ""]).encode()
    return content, {id: labels["test", id] for id in ids}


def auc_of(truth: dict[str, int]) -> Callable[[bytes], dict]:
    """Returns a function that judges submissions as Kaggle would: an error for wrong ids, else the public AUC."""

    def judge(text: bytes) -> dict:
        rows = dict(line.split(",") for line in text.decode().splitlines()[1:])
        if set(rows) != set(truth):
            return {"status": "ERROR", "errorDescription": "Submission must have the ids of the sample"}
        ids = sorted(truth)
        targets, values = [truth[id] for id in ids], [float(rows[id]) for id in ids]
        return {"status": "COMPLETE", "publicScore": f"{roc_auc_score(targets, values):.5f}", "privateScore": ""}

    return judge
