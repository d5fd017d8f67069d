"""Raw labels, in any of the shapes that competitions use, -> the sample table.

The sample table `data/<name>/samples.csv` has one row per image: `id`, `part` (train or test), `image` (where its
pixels are, below raw/), `group` (a running number), `unit` (what score and submission have one row for), the target
columns (train only) and the columns to keep. `shapes` reads the labels, `patterns` finds the images.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.console import warn
from medfold.data import label_layouts
from medfold.data.companions import mask_warning
from medfold.data.label_tables import read_table
from medfold.errors import UserError, did_you_mean, shorten_list
from medfold.files import fingerprint
from medfold.paths import CompetitionPaths

FINDING = {"root", "train", "test", "exclude", "channels", "headers", "tolerate"}  # facts that decide where images are
VERSION = 4  # raised when the same raw data gives another table


def build_samples(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the raw labels, checks them against the images, and writes the sample table and `groups.csv`.

    Where the raw data brings no sample submission one is written, and where it holds the labels of the test part they
    become the hidden solution. With `labels.holdout` all samples are of the training part until `set_aside`.

    Raises:
        UserError: a missing file or column, a doubled id, an unknown label value, a label without its image, a unit
            of two groups, or other counts than competition.yaml expects.
    """
    labels = competition.labels
    if labels.shape not in label_layouts.LAYOUTS:
        hint = did_you_mean(labels.shape, label_layouts.LAYOUTS)
        raise UserError(
            f"unknown labels.shape '{labels.shape}'{hint}", paths.facts, f"Known: {', '.join(label_layouts.LAYOUTS)}"
        )
    layout = label_layouts.LAYOUTS.find(labels.shape, "labels.shape")
    train, test, solution = layout(competition, paths.raw_root(competition.images.root))
    if labels.holdout:
        test, solution = train.head(0), None
    if not len(train):
        raise UserError("no training sample", paths.raw / labels.file, "Is the label table empty, or cut off?")
    for part, table in (("train", train), ("test", test)):
        _check_ids(table, part)
        expected = (labels.counts or {}).get(part, len(table))
        if len(table) != expected:
            raise UserError(f"expected {expected:,} {part} samples, found {len(table):,}", paths.raw, "Is it cut off?")
    both = set(train["id"]) & set(test["id"])
    if both:
        fix = "Give the images of one part other ids, such as their paths (train/x.png), in the table or in labels.id"
        raise UserError(f"{len(both)} ids stand in train and in test: {shorten_list(sorted(both))}", paths.raw, fix)

    table = pd.concat([train.assign(part="train"), test.assign(part="test")], ignore_index=True)
    told = table.dropna(subset="patient").groupby("patient")["part"].nunique() > 1
    if told.any():
        warn("samples", f"{told.sum():,} groups have images in train and in test: the test score may flatter")
    number, patients = pd.factorize(table["patient"].fillna("unit " + table["unit"]))
    table["group"] = number
    _check_units(table, paths)
    keep = [column for column in labels.keep if column in table]
    table = table[["id", "part", "image", "group", "unit", *labels.targets, *keep]]

    files.write_csv(pd.DataFrame({"group": range(len(patients)), "patient": patients}), paths.groups)
    if told := mask_warning(table["image"]):
        warn("samples", told)
    _write(competition, paths, table, solution, undivided=bool(labels.holdout))
    return table


def split_off_holdout(
    competition: Competition, paths: CompetitionPaths, table: pd.DataFrame, aside: np.ndarray
) -> pd.DataFrame:
    """Moves samples to the test part and hides their labels: a local leaderboard where the data brings none.

    Args:
        table: the undivided sample table.
        aside: bool (n,), which of its samples.

    Returns:
        The sample table, as it is written.
    """
    targets, test = competition.labels.targets, table[aside]
    solution = test[["unit", *targets]].rename(columns={"unit": "id"}).assign(usage="Private").drop_duplicates("id")
    table = table.assign(part=np.where(aside, "test", "train"))
    table.loc[aside, targets] = None
    _write(competition, paths, table, solution, undivided=False)
    return table


def needs_holdout(paths: CompetitionPaths) -> bool:
    """True until `set_aside` has cut the test part that `labels.holdout` asks for."""
    return bool((files.read_json(paths.samples_metadata) or {}).get("undivided"))


def _write(
    competition: Competition,
    paths: CompetitionPaths,
    table: pd.DataFrame,
    solution: pd.DataFrame | None,
    undivided: bool,
) -> None:
    """The sample table and what goes with it; its origin last."""
    paths.samples_metadata.unlink(missing_ok=True)
    if solution is not None:
        files.write_csv(solution, paths.solution)
    if not competition.submission.sample:
        units = table.loc[table["part"] == "test", "unit"].unique()
        files.write_csv(_blank_submission(competition, units), paths.sample_submission)
    files.write_csv(table, paths.samples)
    images = files.sha256_of_text(table[["id", "image"]].to_csv(index=False))
    made = {"made from": samples_metadata(competition, paths), "images": images, "undivided": undivided}
    files.write_json(made, paths.samples_metadata)


def samples_metadata(competition: Competition, paths: CompetitionPaths) -> str:
    """A fingerprint of all that the sample table depends on: facts and raw files."""
    facts = competition.model_dump(include={"task", "classes", "labels", "submission"})
    facts["images"] = competition.images.model_dump(include=FINDING)
    facts["unit"] = competition.score.unit
    if competition.labels.holdout:
        facts["folds"] = competition.folds.model_dump(include={"seed", "duplicates"})
    return fingerprint([VERSION, facts, files.sha256(paths.raw_manifest)])


def read_samples(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame:
    """The sample table as `build` wrote it; units and classes as text."""
    return files.read_csv(paths.samples, unit=str, **dict.fromkeys(competition.labels.targets, str))


def samples_are_fresh(competition: Competition, paths: CompetitionPaths) -> bool:
    """True if the sample table is there and was made from these facts and these raw files."""
    try:
        made = files.read_json(paths.samples_metadata)
    except UserError:  # it broke off: the table is made anew
        return False
    return paths.samples.is_file() and bool(made) and made["made from"] == samples_metadata(competition, paths)


def encode_targets(competition: Competition, table: pd.DataFrame) -> np.ndarray:
    """The targets of a table with text columns as numbers.

    Returns:
        int64 (n,): class numbers (multiclass, ordinal) or 0 and 1 (binary); or int64 (n, labels) of 0 and 1.
    """
    numbers = {name: number for number, name in enumerate(competition.class_names)}
    columns = [table[target].map(numbers).to_numpy(np.int64) for target in competition.labels.targets]
    return np.stack(columns, axis=1) if competition.task == "multilabel" else columns[0]


def sample_submission(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame:
    """The sample submission, the kit's own or that of the data, all columns as text.

    Raises:
        UserError: no such file, or no id column in it.
    """
    facts = competition.submission
    own = paths.raw_root(competition.images.root) / facts.sample if facts.sample else paths.sample_submission
    return read_table(own, [facts.id])


def read_extra_columns(competition: Competition, paths: CompetitionPaths, ids: pd.Series) -> pd.DataFrame:
    """What the label table says besides ids and labels, one row for each of these ids, in their order.

    Of several rows of an id the first counts; without a label table, or where its ids are others, there are no columns.
    """
    labels = competition.labels
    nothing = pd.DataFrame(index=ids.index)
    path = paths.raw_root(competition.images.root) / (labels.file or "")
    if labels.shape not in ("wide", "one_hot", "lists") or not path.is_file():
        return nothing
    table = read_table(path, [labels.id]).drop_duplicates(labels.id).set_index(labels.id)
    told = {labels.value, labels.group, *labels.targets, *competition.class_names, *labels.keep}
    table = table[[column for column in table if column not in told]]
    # Ids that stand in train and test alike have their folder in front.
    named = ids.where(ids.isin(table.index), ids.str.rpartition("/")[2])
    return table.reindex(named).set_axis(ids.index) if set(named) <= set(table.index) else nothing


def read_test_part(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test part alone, as a notebook meets it on Kaggle, where it may hold more than it did at home.

    Labels of the training part are not looked at, and an image may be missing: then it cannot be read.

    Args:
        raw: the folder that patterns start from.

    Returns:
        The images: id, image, unit; and the sample submission, all columns as text.

    Raises:
        UserError: no table of the test part, or no sample submission.
    """
    table = label_layouts.read_test_table(competition, raw)
    _check_ids(table, "test")
    facts = competition.submission
    if facts.sample:
        return table, read_table(raw / facts.sample, [facts.id])
    return table, _blank_submission(competition, table["unit"].unique()).astype(str)


def _blank_submission(competition: Competition, units: np.ndarray) -> pd.DataFrame:
    blank = pd.DataFrame({competition.submission.id: units})
    blank[competition.prediction_columns] = (
        1 / len(competition.prediction_columns) if competition.exclusive_classes else 0.5
    )
    return blank


def _check_ids(table: pd.DataFrame, part: str) -> None:
    twice = table["id"].duplicated()
    if twice.any():
        fix = "labels.repeated in competition.yaml says what several rows of one id mean"
        raise UserError(
            f"{twice.sum()} ids stand twice in the {part} part: {shorten_list(table['id'][twice])}", "labels", fix
        )


def _check_units(table: pd.DataFrame, paths: CompetitionPaths) -> None:
    first = table.drop_duplicates("unit").set_index("unit")["group"]
    split = table["unit"][first.loc[table["unit"]].to_numpy() != table["group"].to_numpy()].unique()
    if len(split):
        what = f"{len(split)} units stand in two groups: {shorten_list(split)}"
        raise UserError(what, paths.facts, "Change score.unit or labels.group: a group holds whole units")
    parts = table.groupby("unit")["part"].nunique()
    both = parts.index[parts > 1]
    if len(both):
        raise UserError(
            f"{len(both)} units stand in train and in test: {shorten_list(both)}", paths.facts, "See score.unit"
        )
