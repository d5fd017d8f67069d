"""The format of a submission: decisions or probabilities, and the words for the classes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import SettingError
from medfold.scoring import METRICS, metric_of
from medfold.text import shorten_list


@dataclass(frozen=True)
class CellFormat:
    """The format of the cells of a submission.

    Args:
        columns: all columns except the id.
        holds_decisions: True for decisions, False for probabilities.
        is_one_class: True for a single column with the name of one of several classes.
        words: text (n,), the word for each class, or for no and yes.
        unknown_words: words of the sample submission that are neither.
    """

    columns: list[str]
    holds_decisions: bool
    is_one_class: bool
    words: np.ndarray
    unknown_words: list[str]

    @classmethod
    def from_sample(cls, facts: CompetitionFacts, sample_submission: pd.DataFrame) -> "CellFormat":
        """Derives the format from the facts and a sample submission.

        Raises:
            UserError: the columns of the sample fit neither the layout, the classes nor the metric.
        """
        submission = facts.submission
        columns = [column for column in sample_submission.columns if column != submission.id]
        metric = metric_of(facts)
        if submission.layout != "wide" and len(columns) != 1:
            found = f"found {shorten_list(columns, 6)}"
            what = f"layout {submission.layout} needs one column beside '{submission.id}', {found}"
            fix = "Write the layout of the sample: wide (a column per class or label), long or lists"
            raise SettingError(what, "submission.layout", fix)
        one_class = submission.layout == "wide" and facts.has_exclusive_classes and len(columns) == 1
        fits = submission.layout != "wide" or one_class or set(columns) == set(facts.prediction_columns)
        if not fits and not (facts.task == "binary" and len(columns) == 1):
            actual, expected = shorten_list(columns, 6), shorten_list(facts.prediction_columns, 6)
            what = f"the sample submission has the columns {actual}; task {facts.task} needs {expected}"
            one = "" if not facts.has_exclusive_classes else ", or one column with the class"
            fix = "Check task, labels.targets and classes; for a row per label, write submission.layout: long"
            raise SettingError(f"{what}{one}", "submission.layout", fix)
        if one_class and metric.response_method != "predict":
            what = f"one column for the class, but metric {metric.name} needs probabilities"
            candidates = ", ".join(each.name for each in METRICS.all() if each.response_method == "predict")
            raise SettingError(f"the sample submission has {what}", "score.metric", f"Metrics of classes: {candidates}")
        decisions = (
            submission.layout == "lists"
            or one_class
            or (metric.response_method == "predict" and not facts.has_exclusive_classes)
        )
        return cls(columns, decisions, one_class, *_words(facts, sample_submission[columns]))


# Pairs of words for no and yes in sample submissions; letter case does not matter.
NO_YES = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("negative", "positive"), ("absent", "present"))
CASES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize, str.title)


def _meanings(facts: CompetitionFacts) -> list[str]:
    """Returns the meanings of the words: the classes, or 0 and 1 of a label."""
    return ["0", "1"] if facts.task == "multilabel" else facts.class_names


def _words(facts: CompetitionFacts, cells: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Recognises the words in a sample submission that stand for the classes, or for no and yes.

    The words are the class names in any case; or numbers, as 0 or 0.0; or, for two classes, words for no and yes. With
    several classes, a sample that has the same number everywhere is a placeholder without words.

    Returns:
        The words, which are the class names if the sample has no words; and the words of the sample that were not
        recognised.
    """
    names = _meanings(facts)
    present = set(np.unique(cells.to_numpy(str))) - {""}
    if present <= set(names):
        return np.array(names), []
    numbers = [str(number) for number in range(len(names))]
    for words in (numbers, [f"{number}.0" for number in numbers]):
        if present <= set(words):
            return np.array(words if len(present) > int(facts.has_exclusive_classes) else names), []
    candidates = [[to_case(name) for name in names] for to_case in CASES]
    if len(names) == 2:
        candidates += [[to_case(word) for word in pair] for pair in NO_YES for to_case in CASES]
    for words in candidates:
        if present <= set(words) and len(set(words)) == len(words):
            return np.array(words), []
    if len(present) == 1 and re.fullmatch(r"0?\.\d*[1-9]\d*", next(iter(present))):
        return np.array(names), []  # the same probability in every cell: a placeholder
    return np.array(names), sorted(present)


def holds_decisions(facts: CompetitionFacts, sample_submission: pd.DataFrame) -> bool:
    """Returns True if a submission in this format holds decisions, not probabilities."""
    return CellFormat.from_sample(facts, sample_submission).holds_decisions


def class_words(facts: CompetitionFacts, sample_submission: pd.DataFrame) -> list[str] | None:
    """Returns the words for the classes, or for no and yes; None for a submission of probabilities or lists."""
    cell_format = CellFormat.from_sample(facts, sample_submission)
    return cell_format.words.tolist() if cell_format.holds_decisions and facts.submission.layout != "lists" else None


def explain_class_words(facts: CompetitionFacts, sample_submission: pd.DataFrame) -> str:
    """Explains which word stands for which class, if the submission uses other words than the facts; else ''.

    If the sample has words that are not classes, the text says so: the words that the leaderboard expects are unknown.
    """
    cell_format = CellFormat.from_sample(facts, sample_submission)
    if not cell_format.holds_decisions or facts.submission.layout == "lists":
        return ""
    names = _meanings(facts)
    if cell_format.unknown_words:
        unknown_words = shorten_list(cell_format.unknown_words, 4)
        what = f"the sample submission has {unknown_words}, which cannot be matched to the classes"
        written = shorten_list(cell_format.words.tolist(), 6)
        return f"{what}: {written} are written, as in competition.yaml. Check that this is right"
    if cell_format.words.tolist() == names:
        return ""
    pairs = [f"{word} for {name}" for word, name in zip(cell_format.words, names, strict=True)]
    return f"written as in the sample submission: {shorten_list(pairs, 6)}"
