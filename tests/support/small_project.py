"""A small phantom as a competition, and functions that write and copy project folders."""

import shutil
from pathlib import Path

from tests.support.helpers import REPOSITORY

SMALL = "\n".join(
    [
        "title: A small phantom",
        "source: {kind: phantom, seed: 1, train_patients: 40, test_patients: 25, snr: [500, 900], duplicates: 2}",
        "upload: none",
        "task: binary",
        "labels: {file: train.csv, id: id, targets: [target], group: patient_id, keep_columns: [age, sex]}",
        "images:",
        '  {train: "train/{id}.png", test: "test/{id}.png", channels: 1, symmetry: horizontal,',
        "  expected_shape: [128, 128]}",
        "score: {metric: auc}",
        "submission: {sample: sample_submission.csv}",
        "folds: {k: 3, seed: 7, method: stratified_group}",
    ]
)
TINY_RECIPE = "\n".join(
    [
        "preparation: {size: 16}",
        "backbone: {name: resnet9, width: 4}",
        "augment: xray",
        "training: {epochs: 2, batch_size: 8, learning_rate: 0.01}",
    ]
)


def add_variant(root: Path, name: str, old: str, new: str) -> Path:
    """Writes the small phantom with one fact changed, and gives it copies of the data and folds of `small`."""
    folder = add_competition(root, name, SMALL.replace(old, new))
    assert old in SMALL
    shutil.copytree(root / "data" / "small", root / "data" / name)
    for suffix in ("csv", "json"):
        shutil.copy(root / "folds" / f"small.{suffix}", root / "folds" / f"{name}.{suffix}")
    return folder


def add_competition(root: Path, name: str, facts: str, recipe: str = TINY_RECIPE) -> Path:
    """Writes a competition folder with a recipe called baseline."""
    folder = root / "competition" / name
    folder.mkdir(parents=True)
    (folder / "competition.yaml").write_text(facts)
    (folder / "baseline.yaml").write_text(recipe)
    return folder


def add_base_recipes(root: Path) -> None:
    """Copies the files that competitions share into a project."""
    shutil.copytree(REPOSITORY / "competition" / "_base", root / "competition" / "_base")


def copy_project(template: Path, tmp_path: Path, monkeypatch) -> Path:
    """Copies a project and makes the copy the working directory; its path has a space."""
    root = shutil.copytree(template, tmp_path / "my project")
    monkeypatch.chdir(root)
    return root
