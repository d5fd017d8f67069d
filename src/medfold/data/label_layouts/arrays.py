"""Layout `arrays`: images and labels as arrays of one file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.raw_files import check_classes, class_numbers, drop_rows, map_labels, open_arrays
from medfold.system.path_checks import path_inside


@label_layout
def arrays(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """Images and labels as arrays of one .npz file: `<split>_images`; `<split>_labels`, (n,) or (n, targets)."""
    labels = facts.labels
    path = path_inside(raw, labels.file)
    with open_arrays(path) as content:
        train, test = (_read_split(content, prefixes, facts, path) for prefixes in (labels.train_arrays, ["test"]))
    return train, test.drop(columns=labels.targets), test[["id", *labels.targets]].assign(usage="Private")


def _read_split(
    content: Mapping[str, np.ndarray], prefixes: list[str], facts: CompetitionFacts, path: Path
) -> pd.DataFrame:
    """Reads the arrays of a split, with their labels as text: columns id, image, unit, patient and the targets."""
    labels = facts.labels
    table = pd.concat([_read_arrays(content, prefix, facts, path) for prefix in prefixes], ignore_index=True)
    table = table.assign(patient=None)
    table["unit"] = table["id"]
    mapped = map_labels(table[labels.targets], facts)
    table = drop_rows(table.assign(**mapped), mapped.isna().any(axis=1)).reset_index(drop=True)
    for target in labels.targets:
        check_classes(table, target, facts, path)
    return table


def _read_arrays(content: Mapping[str, np.ndarray], prefix: str, facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    """Reads the labels of one pair of arrays: columns id, image and the targets."""
    labels = facts.labels
    if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
        fix = f"Correct labels.train_arrays; the file has: {', '.join(content)}"
        raise UserError(f"no array '{prefix}_images' or '{prefix}_labels'", path, fix)
    values, pictures = (np.atleast_1d(content[f"{prefix}_{kind}"]) for kind in ("labels", "images"))
    count = len(pictures)
    values = values.reshape(len(values), -1)
    numbers = class_numbers(values) if facts.task != "multilabel" else None
    if numbers is not None and values.shape[1] == len(facts.class_names):
        values = np.array(facts.class_names)[numbers][:, None]
    if values.shape != (count, len(labels.targets)):
        expected = (count, len(labels.targets))
        fix = "Check labels.targets and classes in competition.yaml: a row per image, a column per target"
        where = f"{display_path(path)}: '{prefix}_labels'"
        raise UserError(f"labels of shape {values.shape}, expected {expected}", where, fix)
    ids = [f"{prefix}{row:05d}" for row in range(count)]
    image_paths = [f"{labels.file}#{prefix}_images/{row}" for row in range(count)]
    return pd.DataFrame(values.astype(str), columns=labels.targets).assign(id=ids, image=image_paths)
