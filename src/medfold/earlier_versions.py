"""Former names of files, columns, keys and values, so that what earlier versions of medfold wrote is still read.

Each table holds former names by the current ones; a table in a table is for the keys of a nested object, `Values` for
the values of a key. To rename something on disk, add it here, and pass the table where it is read. Fingerprints of
settings and scores are computed with former names, so that they equal the recorded fingerprints. An entry may go when
nobody has such files any more; one of `FACTS`, `RECIPE`, `SCORE`, `REQUEST` or `SAVED_STEPS` stays, since without
it fingerprints would change.
"""

from pathlib import Path
from typing import Any


class Values(dict[str, str]):
    """Former values of a key, by its current values."""


Names = dict[str, "str | Names | Values"]

FILES: dict[str, str] = {
    "measurements.csv": "pixels.csv",
    ".measurements.unfinished": ".pixels.unfinished",
    "unreadable_images.csv": "bad_images.csv",
    "leaks.csv": "audit.csv",
    "solution": "hidden",
    "checkpoint.npz": "state.npz",
    "timing.json": "log.json",
    "net.weights.h5": "weights.h5",
    "self_check_warnings.json": "checks.json",
}
FOLD_METHODS = Values(stratified_group="stratified-group")
FACTS: Names = {  # keys of competition.yaml
    "source": {"kind": Values(kaggle_dataset="kaggle-dataset")},
    "upload": Values(none="local"),
    "labels": {
        "layout": "shape",
        "keep_columns": "keep",
        "test_file": "test",
        "train_arrays": "train",
        "expected_counts": "counts",
        "split": "part",
        "repeated": Values(max="any"),
    },
    "images": {"max_unreadable": "tolerate", "dicom_headers": "headers", "expected_shape": "shape"},
    "score": {"more_metrics": "also"},
    "submission": {"layout": "shape", "allow_empty_lists": "empty"},
    "folds": {"method": FOLD_METHODS},
}
RECIPE: Names = {
    "preparation": "images",
    "head": Values(classification="classes", ordinal="cut_points"),
    "training": {
        "num_images": "images",
        "accumulation_steps": "accumulate",
        "global_clipnorm": "clip_norm",
        "ema_decay": "ema",
        "jit_compile": "compile",
    },
}
SAMPLES: Names = {  # samples.json; image_list_fingerprint is in image_list.json now
    "inputs_fingerprint": "made from",
    "image_list_fingerprint": "images",
    "needs_holdout": "undivided",
    "solution_hash": "solution",
}
NEAR_DUPLICATES: Names = {"inputs_fingerprint": "made from"}  # near_duplicates.json
MEASUREMENTS: dict[str, str] = {"unreadable_reason": "bad", "pixel_hash": "hash"}  # columns of measurements.csv
APPEARANCE: dict[str, str] = {"perceptual_hash": "likeness"}  # columns of appearance.csv
# The file with the probabilities of an ensemble, by its ending, and their columns in a submission's recheck table.
PROBABILITIES_ENDING, FORMER_PROBABILITIES_ENDING = ".probabilities.npz", ".probable.npz"
PROBABILITY_PREFIX, FORMER_PROBABILITY_PREFIX = "probability of ", "behind "
LEAK_KINDS: dict[str, str] = {  # kinds of leaks in leaks.csv
    "split_groups": "split",
    "contradicting_duplicates": "contradicting",
    "duplicates_in_test": "leaked",
    "near_duplicates": "near",
    "split_near_duplicates": "near_split",
    "near_duplicates_in_test": "near_leaked",
    "images_of_one_value": "plain",
}
FOLDS: Names = {  # folds/<name>.json
    "folds": {"method": FOLD_METHODS},
    "num_samples": "samples",
    "num_groups": "groups",
    "leak_counts": "audit",
}
RUN: Names = {  # run.json
    "recipe": RECIPE,
    "facts": FACTS,
    "folds_fingerprint": "folds",
    "images_fingerprints": "images",
    "labels_fingerprint": "labels",
    "store_key": "store",
    "pretrained_hash": "pretrained",
    "plugins_hash": "plugins",
}
SCORE: Names = {  # score.json
    "num_units": "units",
    "trained_folds": "folds_done",
    "is_optimistic": "optimistic",
    "more_metrics": "also",
    "self_check_warnings": "suspicious",
    "facts": FACTS,
}
LEDGER: dict[str, str] = {  # columns of submissions/ledger.csv
    "time": "when",
    "oof_low": "low",
    "oof_high": "high",
    "trained_folds": "folds",
}
RECORD: Names = {  # the JSON file beside a submission
    "score": SCORE,
    "content_id": "mark",
    "fallback": "nothing",
    "holds_decisions": "decisions",
    "class_words": "words",
}
# Functions in ensemble.npz. They are still saved under these names, so that bundles keep their content id.
SAVED_STEPS: dict[str, str] = {
    "apply_thresholds": "moved",
    "apply_cut_points": "cut",
    "apply_class_factors": "weighed",
    "apply_sharpening": "sharpened",
    "apply_temperature": "tempered",
}
REQUEST: Names = {"thread_shares": "sharers"}  # keys of a request to train, in job.json
HISTORY: Names = {"phase": "part"}  # an epoch in a checkpoint
CHECKPOINT_METADATA, FORMER_CHECKPOINT_METADATA = "metadata", "facts"  # the entry of a checkpoint beside its arrays
CHECKPOINT: Names = {  # the metadata of a checkpoint
    "identity": "fits",
    "num_batches": "step",
    "epochs_since_best": "since_best",
}


def current_by_former(names: dict[str, str]) -> dict[str, str]:
    """Returns the current names by the former ones, as pandas' `rename` takes them."""
    return {former: name for name, former in names.items()}


def current_or_former(folder: Path, name: str) -> Path:
    """Returns the path of a file or folder of `FILES`: under its former name if an earlier version wrote it.

    Args:
        folder: the folder that it is in.
        name: its current name.
    """
    has_former = not (folder / name).exists() and (folder / FILES[name]).exists()
    return folder / FILES[name] if has_former else folder / name


def with_current_names(content: Any, names: Names, parent: str = "") -> Any:
    """Renames keys and values that have their former name; returns anything but a mapping unchanged.

    Args:
        content: the content of a file, or a part of it.
        names: one of the tables of this module.
        parent: the key that holds the content, for the message. Defaults to none.

    Raises:
        ValueError: a key is there under both names.
    """
    if not isinstance(content, dict):
        return content
    for name, former in names.items():
        if isinstance(former, Values):
            if name in content:
                content = {**content, name: _renamed_value(content[name], current_by_former(former))}
        elif isinstance(former, dict):
            if name in content:
                content = {**content, name: with_current_names(content[name], former, f"{parent}{name}.")}
        elif former in content:
            if name in content:
                raise ValueError(f"'{parent}{former}' is the former name of '{parent}{name}': remove one of them")
            content = {name if key == former else key: value for key, value in content.items()}
    return content


def with_former_names(content: Any, names: Names) -> Any:
    """Renames keys and values to their former names, the inverse of `with_current_names`, for fingerprints.

    Args:
        content: the content of a file, or a part of it, with current names.
        names: one of the tables of this module.
    """
    if not isinstance(content, dict):
        return content
    renamed = {}
    for key, value in content.items():
        former = names.get(key, key)
        if isinstance(former, Values):
            renamed[key] = _renamed_value(value, former)
        elif isinstance(former, dict):
            renamed[key] = with_former_names(value, former)
        else:
            renamed[former] = value
    return renamed


def _renamed_value(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value
