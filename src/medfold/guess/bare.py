"""Competitions without a table of labels: folders that are classes, or one file of arrays."""

from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from medfold.errors import UserError, some
from medfold.guess.found import Guess
from medfold.guess.task import guess_task


def from_folders(guess: Guess, raw: Path, images: list[str]) -> None:
    """Images in folders named by their classes.

    Args:
        images: the paths of the image files below `raw`.
    """
    counted = Counter((str(PurePosixPath(path).parent.parent), PurePosixPath(path).suffix) for path in images)
    roots = {root for root, _ in counted}
    root, suffix = max(counted, key=lambda item: ("train" in item[0].lower(), counted[item], -len(item[0])))
    here = [
        path for path in images if PurePosixPath(path).match(f"{root}/*/*{suffix}" if root != "." else f"*/*{suffix}")
    ]
    classes = sorted({PurePosixPath(path).parent.name for path in here})
    if len(classes) < 2:
        raise UserError("neither a table with the ids of images, nor folders that could be classes", raw)
    prefix = "" if root == "." else f"{root}/"
    guess.facts |= {"task": "binary" if len(classes) == 2 else "multiclass", "classes": classes}
    guess.facts["labels"] = {"shape": "folders", "targets": ["label"]}
    guess.facts["images"] = {"train": f"{prefix}{{label}}/{{id}}{suffix}", "channels": 3}
    guess.tell("labels.shape", "folders", f"no table names images, but folders do: {some(classes, 6)}")
    guess.tell("images.train", guess.facts["images"]["train"], f"{len(here):,} images")
    test = root.replace("train", "test")
    if test != root and test in roots:
        guess.facts["images"]["test"] = guess.facts["images"]["train"].replace("train", "test", 1)
        guess.tell("images.test", guess.facts["images"]["test"], "the same folders")
    else:
        guess.facts["labels"]["holdout"] = 0.2
        guess.tell("labels.holdout", 0.2, "no test image: a share of the training part stands in for it")
    guess.doubts.append("labels.group_pattern: do the file names tell patients?")
    if len(classes) == 2:
        guess.two_classes(classes)


def from_arrays(guess: Guess, raw: Path, path: str) -> None:
    """Images and labels of one .npz file, as MedMNIST has them."""
    with np.load(raw / path) as content:
        names = [name.removesuffix("_images") for name in content.files if name.endswith("_images")]
        parts = [name for name in names if f"{name}_labels" in content]
        if "test" not in parts or len(parts) < 2:
            raise UserError("no table with ids, no folders, and no arrays train_images, train_labels ...", raw)
        shape = content[f"{parts[0]}_images"].shape
        labels = np.concatenate(
            [content[f"{part}_labels"].reshape(len(content[f"{part}_labels"]), -1) for part in parts]
        )
    targets = ["label"] if labels.shape[1] == 1 else [f"label{number}" for number in range(labels.shape[1])]
    facts = {
        "file": path,
        "shape": "arrays",
        "targets": targets,
        "train": [part for part in parts if part != "test"],
    }
    guess.tell("labels.shape", "arrays", f"{path} holds images and labels of {some(parts)}")
    guess_task(guess, pd.DataFrame(labels.astype(str), columns=targets), targets, facts)
    guess.facts["labels"] = facts
    channels = shape[3] if len(shape) == 4 else 1
    guess.facts["images"] = {"train": "unused", "test": "unused", "channels": channels}
    guess.tell("images.channels", channels, f"the arrays are {shape}")
    guess.doubts.append("labels.group: nothing names patients; are there several images of one?")
