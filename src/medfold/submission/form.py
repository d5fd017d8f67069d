"""The form of a submission: decisions or probabilities, and the words for the classes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.errors import UserError, shorten_list
from medfold.scoring import metric_of


@dataclass(frozen=True)
class Form:
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
    def of(cls, competition: Competition, sample: pd.DataFrame) -> "Form":
        facts = competition.submission
        columns = [column for column in sample.columns if column != facts.id]
        metric = metric_of(competition)
        if facts.shape != "wide" and len(columns) != 1:
            what = f"shape {facts.shape} has one column beside '{facts.id}', found {shorten_list(columns, 6)}"
            raise UserError(what, "sample submission", "See submission.shape in competition.yaml")
        one_class = facts.shape == "wide" and competition.exclusive_classes and len(columns) == 1
        fits = facts.shape != "wide" or one_class or set(columns) == set(competition.prediction_columns)
        if not fits and not (competition.task == "binary" and len(columns) == 1):
            found, expected = shorten_list(columns, 6), shorten_list(competition.prediction_columns, 6)
            raise UserError(f"columns {found} fit neither {expected} nor one class", "sample submission")
        if one_class and metric.needs != "class":
            what = f"it has one column for the class, and metric {metric.name} is of probabilities"
            raise UserError(what, "sample submission", "See score.metric in competition.yaml")
        decided = facts.shape == "lists" or one_class or (metric.needs == "class" and not competition.exclusive_classes)
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
            return np.array(words if len(seen) > int(competition.exclusive_classes) else names), []
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
    return Form.of(competition, sample).decisions


def class_words(competition: Competition, sample: pd.DataFrame) -> list[str] | None:
    """The words for the classes, or for no and yes, in a submission of decisions; None for probabilities and lists."""
    form = Form.of(competition, sample)
    return form.words.tolist() if form.decisions and competition.submission.shape != "lists" else None


def explain_words(competition: Competition, sample: pd.DataFrame) -> str:
    """Which word stands for which class, where a submission holds other words than the facts name; else ''.

    Also where the sample has words that are no classes: nobody can tell from it what the leaderboard expects.
    """
    form = Form.of(competition, sample)
    if not form.decisions or competition.submission.shape == "lists":
        return ""
    names = _meanings(competition)
    if form.unknown:
        what = f"the sample submission has {shorten_list(form.unknown, 4)}, which I cannot tell apart as classes"
        written = shorten_list(form.words.tolist(), 6)
        return f"{what}: written are {written}, as competition.yaml names them. Is that expected?"
    if form.words.tolist() == names:
        return ""
    pairs = [f"{word} for {name}" for word, name in zip(form.words, names, strict=True)]
    return f"written as in the sample submission: {shorten_list(pairs, 6)}"
