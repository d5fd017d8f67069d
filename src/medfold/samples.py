"""Raw labels, in any of the shapes that competitions use, -> the sample table.

The sample table `data/<name>/samples.csv` has one row per image: `id`, `part` (train or test), `image` (where its
pixels are, below raw/), `group` (a running number), the target columns (train only) and the columns to keep. A new
shape of labels is one function with the decorator `@shape`.
"""

import re
import string
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.errors import UserError, nearest, some
from medfold.files import fingerprint
from medfold.paths import CompetitionPaths

SHAPES: dict[str, Callable] = {}


def shape(function: Callable) -> Callable:
    """Registers `function(competition, raw) -> (train, test, solution)` under its own name.

    The tables have `id`, `image`, `patient` (text, or missing) and, in train, the targets; `solution` has `id`, the
    targets and `usage`, or is None where the labels of the test part are not among the raw data.
    """
    SHAPES[function.__name__] = function
    return function


def build(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the raw labels, checks them against the images, and writes the sample table and `groups.csv`.

    Where the raw data brings no sample submission one is written, and where it holds the labels of the test part
    they become the hidden solution.

    Raises:
        UserError: a missing file or column, a doubled id, an unknown label value, a label without its image, an
            image without its label, or other counts than competition.yaml expects.
    """
    if competition.labels.shape not in SHAPES:
        hint = nearest(competition.labels.shape, SHAPES)
        raise UserError(
            f"unknown labels.shape '{competition.labels.shape}'{hint}", paths.facts, f"Known: {', '.join(SHAPES)}"
        )
    train, test, solution = SHAPES[competition.labels.shape](competition, paths.raw_root(competition.images.root))
    for part, table in (("train", train), ("test", test)):
        _check_ids(table, part)
        expected = (competition.labels.counts or {}).get(part, len(table))
        if len(table) != expected:
            raise UserError(f"expected {expected:,} {part} samples, found {len(table):,}", paths.raw, "Is it cut off?")
    both = set(train["id"]) & set(test["id"])
    if both:
        raise UserError(f"{len(both)} ids stand in train and in test: {some(sorted(both))}", paths.raw)

    table = pd.concat([train.assign(part="train"), test.assign(part="test")], ignore_index=True)
    number, patients = pd.factorize(table["patient"].fillna("sample " + table["id"]))
    table["group"] = number
    targets, keep = competition.labels.targets, [c for c in competition.labels.keep if c in table]
    table = table[["id", "part", "image", "group", *targets, *keep]]

    files.write_csv(pd.DataFrame({"group": range(len(patients)), "patient": patients}), paths.groups)
    if solution is not None:
        files.write_csv(solution, paths.solution)
    if not competition.submission.sample:
        blank = pd.DataFrame({competition.submission.id: test["id"]})
        blank[competition.columns] = 1 / len(competition.columns) if competition.one_of_many else 0.5
        files.write_csv(blank, paths.sample_submission)
    files.write_csv(table, paths.samples)
    files.write_json({"made from": origin(competition, paths)}, paths.samples_origin)
    return table


def origin(competition: Competition, paths: CompetitionPaths) -> str:
    """A fingerprint of all that the sample table depends on: facts and raw files."""
    facts = competition.model_dump(include={"task", "classes", "labels", "images", "submission"})
    return fingerprint([facts, files.sha256(paths.raw_manifest)])


def read(competition: Competition, paths: CompetitionPaths) -> pd.DataFrame:
    """The sample table as `build` wrote it; classes as text."""
    return files.read_csv(paths.samples, **dict.fromkeys(competition.labels.targets, str))


def fresh(competition: Competition, paths: CompetitionPaths) -> bool:
    """True if the sample table is there and was made from these facts and these raw files."""
    made = files.read_json(paths.samples_origin)
    return paths.samples.is_file() and bool(made) and made["made from"] == origin(competition, paths)


def encode(competition: Competition, table: pd.DataFrame) -> np.ndarray:
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
    if not competition.submission.sample:
        return _read_table(paths.sample_submission, [competition.submission.id])
    return _read_table(
        paths.raw_root(competition.images.root) / competition.submission.sample, [competition.submission.id]
    )


@shape
def wide(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, None]:
    """One row per image in a table, one column per target; the ids of the test part stand in the sample submission."""
    labels = competition.labels
    needed = [labels.id, *labels.targets, *([labels.group] if labels.group else []), *labels.keep]
    train = _read_table(raw / labels.file, needed)
    for target in labels.targets:
        _check_values(train, target, competition, raw / labels.file)
    train["id"] = train[labels.id]
    sample = competition.submission.sample
    if not sample:
        raise UserError("labels.shape wide needs submission.sample, which names the test ids", "competition.yaml")
    test = _read_table(raw / sample, [competition.submission.id])
    test["id"] = test[labels.id] = test[competition.submission.id]  # patterns may use any of these names
    for table, patterns in ((train, competition.images.train), (test, competition.images.test)):
        table["image"] = _images_of(table, patterns, raw)
    train["patient"] = _patients(train["id"], labels.group_pattern, train[labels.group] if labels.group else None)
    test["patient"] = None
    return train, test[["id", "image", "patient"]], None


@shape
def folders(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Labels as names of folders: patterns with `{label}` and `{id}`. Labels of the test part are the solution."""
    (target,) = competition.labels.targets
    everything = _listing(raw)
    tables = []
    for part, patterns in (("train", competition.images.train), ("test", competition.images.test)):
        rows = []
        for pattern in patterns:
            rule = _as_regex(pattern)
            for path in everything:
                if match := rule.fullmatch(path):
                    rows.append({"id": match["id"], "image": path, target: match["label"]})
        table = pd.DataFrame(rows, columns=["id", "image", target])
        if table.empty:
            raise UserError(f"no {part} image matches {' or '.join(patterns)}", raw, _seen(everything))
        unknown = sorted(set(table[target]) - set(competition.class_names))
        if unknown:
            where = table.loc[table[target] == unknown[0], "image"].iloc[0]
            fix = f"Expected: {', '.join(competition.class_names)}"
            raise UserError(f"the folder '{unknown[0]}' is no class{nearest(unknown[0], fix)}", raw / where, fix)
        patients = _patients(table["id"], competition.labels.group_pattern)
        # Numbers of patients start anew in the test part.
        table["patient"] = [f"{part} {patient}" if patient else None for patient in patients]
        tables.append(table.sort_values("id", kind="stable").reset_index(drop=True))
    train, test = tables
    return train, test.drop(columns=target), test[["id", target]].assign(usage="Private")


@shape
def arrays(competition: Competition, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Images and labels as arrays of one .npz file: `<part>_images`; `<part>_labels`, (n,) or (n, targets)."""
    labels = competition.labels
    path = raw / labels.file
    if not path.is_file():
        raise UserError("no such file", path, f"Expected the file '{labels.file}' in what FROM names")
    tables = []
    with np.load(path) as content:
        for prefixes in (labels.train, ["test"]):
            pieces = []
            for prefix in prefixes:
                if f"{prefix}_labels" not in content or f"{prefix}_images" not in content:
                    raise UserError(f"no array '{prefix}_images' or '{prefix}_labels'", path, f"It has {content.files}")
                values, count = content[f"{prefix}_labels"], len(content[f"{prefix}_images"])
                values = values.reshape(len(values), -1)
                if values.shape != (count, len(labels.targets)):
                    expected = (count, len(labels.targets))
                    raise UserError(f"labels of shape {values.shape}, expected {expected}", f"{path}, {prefix}_labels")
                ids = [f"{prefix}{row:05d}" for row in range(count)]
                images = [f"{labels.file}#{prefix}_images/{row}" for row in range(count)]
                piece = pd.DataFrame(values.astype(str), columns=labels.targets).assign(id=ids, image=images)
                pieces.append(piece)
            table = pd.concat(pieces, ignore_index=True).assign(patient=None)
            for target in labels.targets:
                _check_values(table, target, competition, path)
            tables.append(table)
    train, test = tables
    return train, test.drop(columns=labels.targets), test[["id", *labels.targets]].assign(usage="Private")


def _read_table(path: Path, needed: Iterable[str]) -> pd.DataFrame:
    """A CSV file with all columns as text."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError("no such file", path, "Is the download complete?") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not a readable CSV file ({error})", path) from None
    for column in needed:
        if column not in table:
            raise UserError(
                f"no column '{column}'{nearest(column, table.columns)}", path, f"It has {', '.join(table.columns)}"
            )
    return table


def _check_values(table: pd.DataFrame, target: str, competition: Competition, path: Path) -> None:
    # 1.0 and 1 are the same label: tables that held gaps once write integers as floats.
    table[target] = table[target].str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    wrong = ~table[target].isin(competition.class_names)
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        value = table[target].iloc[row] or "nothing"
        expected = ", ".join(competition.class_names)
        raise UserError(f"row {row + 2}, column '{target}': found {value}, expected one of {expected}", path)


def _check_ids(table: pd.DataFrame, part: str) -> None:
    twice = table["id"].duplicated()
    if twice.any():
        raise UserError(f"{twice.sum()} ids stand twice in the {part} part: {some(table['id'][twice])}")


def _patients(ids: pd.Series, pattern: str | None, column: pd.Series | None = None) -> list[str | None]:
    """Who each image belongs to: a column, or what a pattern finds at the start of the id; None where neither tells."""
    if column is not None:
        return [value or None for value in column]
    if not pattern:
        return [None] * len(ids)
    found = [re.match(pattern, id) for id in ids]
    return [match.groupdict().get("group", match[0]) if match else None for match in found]


def _images_of(table: pd.DataFrame, patterns: list[str], raw: Path) -> list[str]:
    """The image of each row, checked both ways: every label has its image, every image has its label."""
    everything = set(_listing(raw))
    columns = {name for pattern in patterns for _, name, _, _ in string.Formatter().parse(pattern) if name}
    for column in columns - set(table.columns):
        raise UserError(f"the pattern names a column '{column}' that the label file does not have", "images")
    found, absent = [], []
    for row in table[[*columns]].to_dict("records"):
        candidates = [pattern.format(**row) for pattern in patterns]
        image = next((path for path in candidates if path in everything), None)
        found.append(image)
        if image is None:
            absent.append(candidates[0])
    if absent:
        raise UserError(f"{len(absent)} images are missing: {some(absent)}", raw, "Is the download complete?")
    rules = [_as_regex(pattern) for pattern in patterns]
    extra = sorted(path for path in everything - set(found) if any(rule.fullmatch(path) for rule in rules))
    if extra:
        fix = "Add their labels, or remove them and download again"
        raise UserError(f"{len(extra)} images have no label: {some(extra)}", raw, fix)
    return found


def _listing(raw: Path) -> list[str]:
    """All files below raw/, without what macOS adds to archives."""
    paths = (path.relative_to(raw).as_posix() for path in raw.rglob("*") if path.is_file())
    return sorted(path for path in paths if not path.startswith("__MACOSX/") and "/._" not in f"/{path}")


def _as_regex(pattern: str) -> re.Pattern:
    """'{label}/{id}.png' -> a rule that matches paths and gives label and id; a field never crosses a folder."""
    rule = ""
    for text, field, _, _ in string.Formatter().parse(pattern):
        rule += re.escape(text)
        if field:
            rule += f"(?P={field})" if f"(?P<{field}>" in rule else f"(?P<{field}>[^/]+)"
    return re.compile(rule)


def _seen(everything: list[str]) -> str:
    folders = sorted({path.rpartition("/")[0] or "." for path in everything})
    return f"Folders found: {some(folders, 5)}"
