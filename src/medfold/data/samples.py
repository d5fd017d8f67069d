"""The sample table, built from the raw labels.

The table `data/<name>/samples.csv` has one row per image: `id`, `part` (train or test), `image` (path below raw/),
`group` (a running number), `unit` (what score and submission have one row for), the target columns (train only) and
the columns of labels.keep_columns. `label_layouts` reads the labels, `image_search` finds the images.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from medfold.competition import CompetitionFacts
from medfold.data import label_layouts
from medfold.data.patient_units import patient_fields
from medfold.data.sample_checks import check_group_pattern, check_ids, check_train_and_test, check_units
from medfold.data.sample_submission import blank_submission
from medfold.earlier_versions import SAMPLES
from medfold.errors import UserError
from medfold.images import image_list_fingerprint
from medfold.paths import CompetitionPaths
from medfold.raw_files import mask_warning, read_table
from medfold.system import files
from medfold.system.hashes import fingerprint, sha256
from medfold.system.path_checks import path_inside
from medfold.tables import read_csv, write_csv
from medfold.terminal.command_text import command
from medfold.terminal.console import warn
from medfold.text import count_of

# Facts under `images` on which the sample table depends.
IMAGE_FACTS = {"root", "train", "test", "exclude", "channels", "dicom_headers", "max_unreadable"}
VERSION = 4  # increased when the same raw data gives a different table


def build_samples(facts: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the raw labels, checks them against the images, and writes the sample table and `groups.csv`.

    Writes a sample submission if the raw data has none. Labels of the test set, if the raw data has them, become the
    solution. With `labels.holdout` all samples are in the training set until `write_holdout`.

    Raises:
        UserError: a missing file or column, a repeated id, an unknown label value, a label without its image, a unit
            in two groups, or counts other than the counts in competition.yaml.
    """
    labels = facts.labels
    layout = label_layouts.LAYOUTS.find(labels.layout, "labels.layout")
    root = facts.images.root
    if not (paths.raw / root).is_dir():  # an archive may come with or without its outer folder
        warn("samples", f"images.root: no folder '{root}'; patterns start at raw/")
    train, test, solution = layout(facts, paths.raw_root(root))
    if labels.holdout:
        test = train.head(0)
        solution = None
    check_train_and_test(facts, paths, train, test)
    check_group_pattern(facts, train, test)
    table = pd.concat([train.assign(part="train"), test.assign(part="test")], ignore_index=True)
    _warn_of_groups_in_train_and_test(table)
    numbers, patients = pd.factorize(table["patient"].fillna("unit " + table["unit"]))
    table["group"] = numbers
    check_units(table, paths)
    keep = [column for column in labels.keep_columns if column in table]
    table = table[["id", "part", "image", "group", "unit", *labels.targets, *keep]]

    write_csv(pd.DataFrame({"group": range(len(patients)), "patient": patients}), paths.groups, private=True)
    if message := mask_warning(table["image"]):
        warn("samples", message)
    _write(facts, paths, table, solution, needs_holdout=bool(labels.holdout))
    return table


def _warn_of_groups_in_train_and_test(table: pd.DataFrame) -> None:
    in_both = table.dropna(subset="patient").groupby("patient")["part"].nunique() > 1
    if in_both.any():
        count = in_both.sum()
        warn(
            "samples",
            f"{count_of(count, 'group has', 'groups have')} images in train and in test: "
            "the test score may be too high",
        )


def write_holdout(
    facts: CompetitionFacts, paths: CompetitionPaths, table: pd.DataFrame, in_holdout: np.ndarray
) -> pd.DataFrame:
    """Moves the holdout to the test set and hides its labels, for a local leaderboard; writes both.

    Args:
        facts: facts of the competition (`labels.holdout`).
        paths: paths of the competition; sample table, solution and sample submission are written again.
        table: the sample table, all of it in the training set.
        in_holdout: bool (n,), True for samples of the holdout.

    Returns:
        The sample table, as it was written.
    """
    targets = facts.labels.targets
    test = table[in_holdout]
    solution = test[["unit", *targets]].rename(columns={"unit": "id"}).assign(usage="Private").drop_duplicates("id")
    table = table.assign(part=np.where(in_holdout, "test", "train"))
    table.loc[in_holdout, targets] = None
    _write(facts, paths, table, solution, needs_holdout=False)
    return table


def count_images(table: pd.DataFrame, holdout: float | None) -> str:
    """Returns how many images each part has, as text.

    Args:
        table: the sample table, as `build_samples` returns it.
        holdout: `labels.holdout`, the share of the images that will be the test set; None or 0 without it.
    """
    if holdout:
        return f"{count_of(len(table), 'image')}; {holdout:.0%} of them become the test set when the folds are made"
    is_test = table["part"] == "test"
    return f"{(~is_test).sum():,} training and {count_of(is_test.sum(), 'test image')}"


def needs_holdout(paths: CompetitionPaths) -> bool:
    """Returns True until `write_holdout` has made the test set of `labels.holdout`."""
    return bool((_read_metadata(paths) or {}).get("needs_holdout"))


def _write(
    facts: CompetitionFacts,
    paths: CompetitionPaths,
    table: pd.DataFrame,
    solution: pd.DataFrame | None,
    needs_holdout: bool,
) -> None:
    """Writes the sample table, solution and sample submission; the metadata last, since it marks them as complete."""
    paths.samples_metadata.unlink(missing_ok=True)
    written = [paths.samples, paths.groups]
    private = bool(patient_fields(facts))
    if solution is not None:
        write_csv(solution, paths.solution, private)
        written.append(paths.solution)
    if not facts.submission.sample:
        units = table.loc[table["part"] == "test", "unit"].unique()
        write_csv(blank_submission(facts, units), paths.sample_submission, private)
        written.append(paths.sample_submission)
    write_csv(table, paths.samples, private)
    metadata = {
        "inputs_fingerprint": samples_fingerprint(facts, paths),
        "image_list_fingerprint": image_list_fingerprint(table),
        "needs_holdout": needs_holdout,
        "files": {path.relative_to(paths.data).as_posix(): sha256(path) for path in written},
    }
    if paths.solution.is_file() and solution is None:  # written by the source
        metadata["solution_hash"] = sha256(paths.solution)
    files.write_json(metadata, paths.samples_metadata, sealed=True)


class _SamplesJson(BaseModel):
    """The values of samples.json, by their types; older versions noted fewer."""

    inputs_fingerprint: str = ""
    image_list_fingerprint: str = ""
    needs_holdout: bool = False
    files: dict[str, str] = {}
    solution_hash: str | None = None


def _read_metadata(paths: CompetitionPaths) -> dict[str, Any] | None:
    return files.read_json(paths.samples_metadata, SAMPLES, form=_SamplesJson)


def check_solution(paths: CompetitionPaths) -> None:
    """Checks that a solution which came with the data has not changed since the sample table was built.

    Raises:
        UserError: the solution has changed.
    """
    noted = (_read_metadata(paths) or {}).get("solution_hash")  # earlier versions noted none
    if noted and sha256(paths.solution) != noted:
        fix = f"Run: {command('download', COMPETITION=paths.name, FORCE=1)}"
        raise UserError("changed since the data was downloaded", paths.solution, fix)


def samples_fingerprint(facts: CompetitionFacts, paths: CompetitionPaths) -> str:
    """Returns a fingerprint of all that the sample table depends on: facts and raw files."""
    sections = dict.fromkeys(("task", "classes", "labels", "submission"), True)
    used_facts = facts.fingerprint_input({**sections, "images": IMAGE_FACTS})
    used_facts["unit"] = facts.score.unit
    if facts.labels.holdout:
        used_facts["folds"] = facts.folds.model_dump(include={"seed", "duplicates"})
    return fingerprint([VERSION, used_facts, sha256(paths.raw_manifest)])


def read_samples(facts: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the sample table that `build_samples` wrote; units and classes as text."""
    return read_csv(paths.samples, unit=str, **dict.fromkeys(facts.labels.targets, str))


def samples_are_fresh(facts: CompetitionFacts, paths: CompetitionPaths) -> bool:
    """Returns True if there is a sample table, built from these facts and these raw files, and not changed since."""
    try:
        metadata = _read_metadata(paths)
    except UserError:  # damaged: the table is built again
        return False
    is_complete = paths.samples.is_file() and isinstance(metadata, dict) and "inputs_fingerprint" in metadata
    if not is_complete or metadata["inputs_fingerprint"] != samples_fingerprint(facts, paths):
        return False
    for name, digest in metadata.get("files", {}).items():  # older versions noted none
        if not (paths.data / name).is_file() or sha256(paths.data / name) != digest:
            warn("damaged", f"{name} is missing or has changed since it was written: made again")
            return False
    return True


def read_test_set(facts: CompetitionFacts, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reads only the test set, as a notebook on Kaggle needs it, where it may have more images than the public data.

    Does not read the labels of the training set. Images may be missing; they count as unreadable later.

    Args:
        facts: facts of the competition (`labels`, `images` and `submission`).
        raw: folder that patterns start from.

    Returns:
        The images (id, image, unit), and the sample submission; all columns as text.

    Raises:
        UserError: no table of the test set, or no sample submission.
    """
    table = label_layouts.read_test_table(facts, raw)
    check_ids(table, "test set")
    submission_facts = facts.submission
    if submission_facts.sample:
        path = path_inside(raw, submission_facts.sample)
        return table, read_table(path, {submission_facts.id: "submission.id"}, "submission.sample")
    return table, blank_submission(facts, table["unit"].unique()).astype(str)
