"""A competition whose classes, ids and sites are in many writing systems."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.competition import Competition
from medfold.data import Source
from medfold.tables import write_csv
from tests.support.finished_runs import noisy_run
from tests.support.small_project import SMALL, add_competition

CLASSES = [
    "שפיר",
    "ورم خبيث",
    "恶性肿瘤（腺癌）",
    "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
]
# Ids and the values of a kept column; {} is a number.
IDS = ["תמונה_{}", "صورة_{}", "影像_{}", "image_{}"]
SITES = ["בית חולים", "北京协和医院", "Zürich <1>"]
SCRIPTS = "\n".join(
    [
        "title: 'מיון: classes in many scripts'",
        "source: {kind: kaggle_dataset, slug: a/b}",
        "upload: none",
        "task: multiclass",
        f"classes: {json.dumps(CLASSES, ensure_ascii=False)}",
        "labels: {file: train.csv, id: id, targets: [target], keep_columns: [site]}",
        "images:",
        '  {train: "train/{id}.png", test: "test/{id}.png", channels: 1, symmetry: horizontal,',
        "  expected_shape: [128, 128]}",
        "score: {metric: mean_auc}",
        "submission: {sample: sample_submission.csv}",
        "folds: {k: 5, seed: 7, method: stratified}",
    ]
)
COPIES = 3


def scripts_project(root: Path) -> Competition:
    """Makes a competition whose classes, ids and sites are in many writing systems, with two finished runs.

    Some images are brighter copies of others, which the audit finds. The working directory must be the root.
    """
    add_competition(root, "small", SMALL)
    small = Competition.open("small")
    Source(small.facts.source, small.paths).fetch()
    (raw,) = small.paths.raw.rglob("train.csv")
    given, train, test = root / "given", [], []
    for part, rows in (("train", train), ("test", test)):
        (given / part).mkdir(parents=True)
        for number, path in enumerate(sorted((raw.parent / part).glob("*.png"))[:60]):
            id = IDS[number % 4].format(number if part == "train" else number + 100)
            shutil.copy(path, given / part / f"{id}.png")
            rows.append({"id": id, "target": CLASSES[number % 4], "site": SITES[number % 3]})
    for number in range(COPIES):
        pixels = cv2.imdecode(
            np.fromfile(given / "train" / f"{train[number]['id']}.png", np.uint8), cv2.IMREAD_GRAYSCALE
        )
        cv2.imencode(".png", np.clip(pixels * 1.1, 0, 255).astype(np.uint8))[1].tofile(
            given / "train" / f"复制_{number}.png"
        )
        train.append({**train[number], "id": f"复制_{number}"})
    pd.DataFrame(train).to_csv(given / "train.csv", index=False)
    sample = pd.DataFrame({"id": [row["id"] for row in test]}).assign(**dict.fromkeys(CLASSES, 0.25))
    sample.to_csv(given / "sample_submission.csv", index=False)
    add_competition(root, "scripts", SCRIPTS)
    competition = Competition.open("scripts")
    download(competition, given)
    make_folds(competition)
    noisy_run(competition, "noisy")
    noisy_run(competition, "louder", noise=2.0)
    for fold in range(5):
        rng = np.random.default_rng(fold)
        score = np.round(0.5 + 0.4 * (1 - np.exp(-np.arange(1, 13) / 4)) + 0.02 * rng.standard_normal(12), 4)
        history = pd.DataFrame({"epoch": np.arange(1, 13), "loss": 1.4 - score, "val_mean_auc": score})
        write_csv(history, competition.paths.run("noisy").fold(fold).history)
    return competition
