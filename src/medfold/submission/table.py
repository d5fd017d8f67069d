"""The submission: built in the sample file's own shape, checked against it, recorded in the ledger."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition.facts import Competition
from medfold.console import warn
from medfold.data import label_layouts
from medfold.errors import UserError, some
from medfold.paths import Paths
from medfold.scoring import metrics
from medfold.scoring.decisions import decisions

LEDGER = [
    "when",
    "competition",
    "runs",
    "file",
    "sha256",
    "metric",
    "oof",
    "low",
    "high",
    "folds",
    "ref",
    "public",
    "private",
    "status",
]


def fit_sample(competition: Competition, sample: pd.DataFrame, units: list[str]) -> pd.DataFrame:
    """The rows and columns that a submission must have.

    Those of the sample submission; but that of a code competition may hold a few rows to show the columns only. Then
    all units of the test part make the rows.

    Args:
        sample: the sample submission, all columns as text.
        units: of the test part, in the order of the sample table.
    """
    id_column = competition.submission.id
    if competition.submission.shape == "long":
        names = [f"{unit}_{label}" for unit in units for label in competition.columns]
    else:
        names = units
    if competition.upload != "notebook" or set(sample[id_column]) == set(names):
        return sample
    # The cells stay, as often as it takes: they show the words of a class.
    count = len(names)
    cells = {name: np.resize(column.to_numpy(), count) if len(sample) else "" for name, column in sample.items()}
    return pd.DataFrame({**cells, id_column: names})[list(sample.columns)]


def rehearse(competition: Competition, sample: pd.DataFrame, units: list[str]) -> None:
    """Builds and checks a submission of equal predictions: what does not fit is told before anything is trained.

    Args:
        sample: the sample submission, all columns as text.
        units: of the test part, in the order of the sample table.

    Raises:
        UserError: a sample submission that fits neither classes nor metric, or names other units than the test part.
    """
    equal = np.full((len(units), len(competition.columns)), 1 / len(competition.columns))
    predictions = pd.DataFrame(equal, columns=competition.columns)
    predictions.insert(0, "id", units)
    sample = fit_sample(competition, sample, units)
    check(competition, build(competition, predictions, sample), sample)


def prior(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """The mean of the training labels, float64 (columns,): what is known of a unit without an image.

    Args:
        targets: int (n,) or (n, labels).
    """
    labels = np.eye(len(competition.columns))[targets] if competition.one_of_many else targets
    return labels.reshape(len(labels), -1).mean(axis=0)


def completed(
    competition: Competition,
    predictions: pd.DataFrame,
    units: list[str],
    nothing: np.ndarray,
    without: str = "no readable image",
    quiet: bool = False,
) -> pd.DataFrame:
    """The predictions of all units: a submission must hold every id, so those without one are filled, which is told.

    Args:
        predictions: id (of the unit) and prediction columns.
        units: of the test part.
        nothing: float64 (columns,), what is predicted without an image, see `contest.Decision.without_image`.
        without: what those have that are without a prediction.
        quiet: does not tell. Defaults to False.
    """
    absent = pd.Index(units).difference(predictions["id"], sort=False)
    if not len(absent):
        return predictions
    few = f"{len(absent):,} of {len(units):,} test units have {without}"
    if not quiet:
        got = ", ".join(f"{value:.3g}" for value in nothing[:6]) + (", ..." if len(nothing) > 6 else "")
        warn("submit", f"{few}: they get {got}, what is known without an image")
    filled = pd.DataFrame(np.tile(nothing, (len(absent), 1)), columns=competition.columns)
    filled.insert(0, "id", absent)
    return pd.concat([predictions, filled], ignore_index=True)


def build(competition: Competition, predictions: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Predictions in the columns and the row order of a sample submission.

    Where the metric looks at decisions, decisions are written (`scoring.decisions`), else probabilities. Shape wide: a
    column for each label or class; or a single one that holds the decided class, by name, of a task with several
    classes. A decided class is written in the sample's own words. Shape long: a row `<id>_<label>` for each label.
    Shape lists: the names of the decided labels, with `labels.separator` between.

    Args:
        competition: names id and prediction columns.
        predictions: id (of the unit) and prediction columns; rows in any order.
        sample: the sample submission, all columns as text.

    Returns:
        A table with the columns of the sample; ids that were not predicted are missing in it (`check` names them).

    Raises:
        UserError: sample columns that fit neither form.
    """
    id_column, form = competition.submission.id, _Form.of(competition, sample)
    values = predictions.set_index("id")[competition.columns]
    decided = values
    if form.decisions:
        decided = pd.DataFrame(decisions(competition, values.to_numpy()), values.index, values.columns)
    if competition.submission.shape == "long":
        names, labels = label_layouts.split_long(sample[id_column], competition.columns, "sample submission")
        known = names.isin(values.index).to_numpy()
        place = values.index.get_indexer(names[known]), values.columns.get_indexer(labels[known])
        table = sample.loc[known, [id_column]].reset_index(drop=True)
        cells = decided.to_numpy()[place]
        cells = form.words[cells.astype(int)] if form.decisions else cells
        return table.assign(**{form.columns[0]: cells})[list(sample.columns)]
    if competition.submission.shape == "lists":
        names = np.array(competition.columns)
        cells = [competition.labels.separator.join(names[row]) for row in decided.to_numpy() > 0]
        filled = pd.DataFrame({form.columns[0]: cells}, index=values.index)
    elif form.one_class:
        filled = pd.DataFrame({form.columns[0]: form.words[decided.to_numpy().argmax(axis=1)]}, index=values.index)
    else:
        decided = decided.set_axis(form.columns, axis=1) if len(form.columns) == 1 else decided[form.columns]
        filled = decided
        if form.decisions:
            filled = pd.DataFrame(form.words[decided.to_numpy().astype(int)], decided.index, decided.columns)
    ids = sample.loc[sample[id_column].isin(values.index), id_column]
    table = filled.loc[ids].reset_index(drop=True)
    table.insert(list(sample.columns).index(id_column), id_column, ids.to_numpy())
    return table[list(sample.columns)]


@dataclass(frozen=True)
class _Form:
    """What the cells of a submission hold.

    Args:
        columns: beside the id.
        decisions: True for decisions, False for probabilities.
        one_class: True for the name of one of several classes in a single column.
        words: text, the word for each class, or for no and yes.
        unknown: words of the sample that are neither.
    """

    columns: list[str]
    decisions: bool
    one_class: bool
    words: np.ndarray
    unknown: list[str]

    @classmethod
    def of(cls, competition: Competition, sample: pd.DataFrame) -> "_Form":
        facts = competition.submission
        columns = [column for column in sample.columns if column != facts.id]
        metric = metrics.of(competition)
        if facts.shape != "wide" and len(columns) != 1:
            what = f"shape {facts.shape} has one column beside '{facts.id}', found {some(columns, 6)}"
            raise UserError(what, "sample submission", "See submission.shape in competition.yaml")
        one_class = facts.shape == "wide" and competition.one_of_many and len(columns) == 1
        fits = facts.shape != "wide" or one_class or set(columns) == set(competition.columns)
        if not fits and not (competition.task == "binary" and len(columns) == 1):
            found, expected = some(columns, 6), some(competition.columns, 6)
            raise UserError(f"columns {found} fit neither {expected} nor one class", "sample submission")
        if one_class and metric.needs != "class":
            what = f"it has one column for the class, and metric {metric.name} is of probabilities"
            raise UserError(what, "sample submission", "See score.metric in competition.yaml")
        decided = facts.shape == "lists" or one_class or (metric.needs == "class" and not competition.one_of_many)
        return cls(columns, decided, one_class, *_words(competition, sample[columns]))


# Pairs of words for no and yes, as samples have them; the case of their letters does not count.
NO_YES = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("negative", "positive"), ("absent", "present"))
STYLES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize, str.title)


def _meanings(competition: Competition) -> list[str]:
    """What a decided cell means: a class, or of a label 0 and 1."""
    return ["0", "1"] if competition.task == "multilabel" else competition.class_names


def _words(competition: Competition, cells: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Recognises the words that stand for the classes, or for no and yes, in a sample submission.

    Those are the names of the facts, in whatever case; or numbers, 0 or 0.0; or, of two, words for no and yes. Of
    several classes, a sample of one number throughout shows nothing: it is a placeholder.

    Returns:
        The words: the names of the facts if the sample shows nothing; and what it shows that is none of this.
    """
    names = _meanings(competition)
    seen = set(np.unique(cells.to_numpy(str))) - {""}
    if seen <= set(names):
        return np.array(names), []
    numbers = [str(number) for number in range(len(names))]
    for words in (numbers, [f"{number}.0" for number in numbers]):
        if seen <= set(words):
            return np.array(words if len(seen) > int(competition.one_of_many) else names), []
    candidates = [[style(name) for name in names] for style in STYLES]
    if len(names) == 2:
        candidates += [[style(word) for word in pair] for pair in NO_YES for style in STYLES]
    for words in candidates:
        if seen <= set(words) and len(set(words)) == len(words):
            return np.array(words), []
    if len(seen) == 1 and re.fullmatch(r"0?\.\d*[1-9]\d*", next(iter(seen))):
        return np.array(names), []  # a probability throughout: a placeholder
    return np.array(names), sorted(seen)


def holds_decisions(competition: Competition, sample: pd.DataFrame) -> bool:
    """True if a submission of this shape holds decisions, not probabilities."""
    return _Form.of(competition, sample).decisions


def words_of(competition: Competition, sample: pd.DataFrame) -> list[str] | None:
    """The words for the classes, or for no and yes, in a submission of decisions; None for probabilities and lists."""
    form = _Form.of(competition, sample)
    return form.words.tolist() if form.decisions and competition.submission.shape != "lists" else None


def explained(competition: Competition, sample: pd.DataFrame) -> str:
    """Which word stands for which class, where a submission holds other words than the facts name; else ''.

    Also where the sample has words that are no classes: nobody can tell from it what the leaderboard expects.
    """
    form = _Form.of(competition, sample)
    if not form.decisions or competition.submission.shape == "lists":
        return ""
    names = _meanings(competition)
    if form.unknown:
        what = f"the sample submission has {some(form.unknown, 4)}, which I cannot tell apart as classes"
        return f"{what}: written are {some(form.words.tolist(), 6)}, as competition.yaml names them. Is that expected?"
    if form.words.tolist() == names:
        return ""
    pairs = [f"{word} for {name}" for word, name in zip(form.words, names, strict=True)]
    return f"written as in the sample submission: {some(pairs, 6)}"


def values_of(competition: Competition, table: pd.DataFrame, sample: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Reads a submission back: what a leaderboard sees of it.

    Args:
        table: the checked submission, all columns as text.
        sample: what it was checked against.

    Returns:
        The prediction columns by unit: float64, of probabilities or of decisions as 0 and 1; and True for decisions.
    """
    id_column, form = competition.submission.id, _Form.of(competition, sample)
    columns, shape = competition.columns, competition.submission.shape
    if shape == "lists":
        listed = [set(cell.split(competition.labels.separator)) for cell in table[form.columns[0]]]
        cells = np.array([[float(name in names) for name in columns] for names in listed]).reshape(-1, len(columns))
        return pd.DataFrame(cells, table[id_column], columns), True
    code = {word: float(number) for number, word in enumerate(form.words)}
    numbers = table[form.columns].apply(lambda column: column.map(code) if form.decisions else column.astype(float))
    if shape == "long":
        names, labels = label_layouts.split_long(table[id_column], columns, "submission")
        found = pd.DataFrame({"id": names, "label": labels, "value": numbers[form.columns[0]]})
        found = found.pivot(index="id", columns="label", values="value").reindex(names.unique(), columns=columns)
        return found.rename_axis(columns=None), form.decisions
    if form.one_class:
        cells = np.eye(len(columns))[numbers[form.columns[0]].astype(int)]
        return pd.DataFrame(cells, table[id_column], columns), True
    named = numbers.set_axis(columns, axis=1) if len(form.columns) == 1 else numbers[columns]
    return named.set_index(table[id_column]), form.decisions


def read(path: Path) -> pd.DataFrame:
    """A submission file, all columns as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def check(competition: Competition, table: pd.DataFrame, sample: pd.DataFrame) -> None:
    """Refuses a submission that the leaderboard would refuse, or score wrongly.

    Args:
        competition: names id and columns.
        table: what is to be submitted.
        sample: the sample submission, all columns as text.

    Raises:
        UserError: no rows, unless the whole test part is hidden; wrong columns or their order; ids missing, extra,
            doubled or in another order; a value that is missing, not a number, infinite, outside 0..1 or no known
            class.
    """
    id_column = competition.submission.id
    if len(table) == 0 and not (competition.upload == "notebook" and len(sample) == 0):
        raise UserError("it has no rows", "submission")
    if list(table.columns) != list(sample.columns):
        fix = f"Expected {', '.join(sample.columns)}"
        raise UserError(f"wrong columns: {', '.join(map(str, table.columns))}", "submission", fix)
    ids, expected = table[id_column].astype(str), sample[id_column]
    for what, found in (
        ("stand twice", ids[ids.duplicated()].unique()),
        ("are missing", expected[~expected.isin(ids)]),
        ("are not in the sample", ids[~ids.isin(expected)]),
    ):
        if len(found):
            raise UserError(f"{len(found)} ids {what}: {some(found)}", "submission")
    if list(ids) != list(expected):
        raise UserError("rows are in another order than in the sample", "submission")
    form = _Form.of(competition, sample)
    for column in form.columns:
        if competition.submission.shape == "lists":
            wrong = [not _is_list(str(cell), competition) for cell in table[column]]
            names = competition.columns
            reason = f"no list of different labels of {some(names, 6)}"
        elif form.decisions:
            wrong = ~table[column].astype(str).isin(form.words)
            reason = f"no class of {some(form.words.tolist(), 6)}"
        else:
            numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
            wrong, reason = ~((numbers >= 0) & (numbers <= 1)), "no probability from 0 to 1"
        if np.any(wrong):
            row = int(np.argmax(np.asarray(wrong)))
            what = f"row {row + 2}, column '{column}': {table[column].iloc[row]} is {reason}"
            raise UserError(what, "submission", f"{int(np.sum(wrong))} such values")


def _is_list(cell: str, competition: Competition) -> bool:
    if not cell:
        return competition.submission.empty
    found = cell.split(competition.labels.separator)
    return len(set(found)) == len(found) and set(found) <= set(competition.columns)


def record(paths: Paths, row: dict[str, Any]) -> None:
    """Adds a row to the ledger, or renews that of the same file; what it does not name stays as it is, or empty."""
    with files.lock(paths.ledger):
        table = ledger(paths)
        there = table.index[(table["file"] == row["file"]) & (table["competition"] == row["competition"])]
        position = there[-1] if len(there) else len(table)
        kept = dict.fromkeys(LEDGER, "") if not len(there) else table.loc[position].to_dict()
        table.loc[position] = [str(({**kept, **row})[column]) for column in LEDGER]
        files.write_csv(table, paths.ledger)


def ledger(paths: Paths) -> pd.DataFrame:
    """Every submission and every look at a hidden or test score, all columns as text.

    Raises:
        UserError: it is no such table any more.
    """
    if not paths.ledger.is_file():
        return pd.DataFrame(columns=LEDGER, dtype=str)
    fix = "Bring back a copy of it: it counts the looks at hidden scores"
    try:
        table = pd.read_csv(paths.ledger, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"not the ledger ({str(error).splitlines()[0]})", paths.ledger, fix) from None
    if absent := [column for column in LEDGER if column not in table]:
        raise UserError(f"no column '{absent[0]}'", paths.ledger, fix)
    return table
