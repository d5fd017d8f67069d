"""Competitions whose labels stand in a table."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from medfold import unnamed_groups
from medfold.errors import UserError, some
from medfold.guess.found import Guess, Ids
from medfold.guess.pictures import INDEX, Pictures
from medfold.guess.task import guess_task
from medfold.samples import tables

TARGET_NAMES = r"target|label|class|diagnos|level|grade|cancer|malignant|finding|isup"
# Of persons, what is no finding: never a label by itself.
ABOUT = re.compile(r"(^|[\W_])(age|sex|gender|male|female|view|position|side|laterality|eye)([\W_]|$)", re.I)
MANY = 3  # columns of 0 and 1 beside each other are labels


class FromTable:
    """Guesses from a table whose ids name images.

    Args:
        guess: what is filled in.
        raw: the folder with the competition's files.
        pictures: its images.
        sample: the path of the sample submission below raw; None if there is none.
    """

    def __init__(self, guess: Guess, raw: Path, pictures: Pictures, sample: str | None):
        self.guess, self._raw, self._pictures, self._sample = guess, raw, pictures, sample
        self.unmatched: list[str] = []  # tables that name no images

    def label_table(self, candidates: list[str]) -> tuple[str, pd.DataFrame, Ids] | None:
        """Finds the table of labels: path, content and id column; None if the ids of no table name images."""
        best = None
        for path in candidates:
            table = self._read(path)
            if table is None:
                continue
            ids = self._pictures.ids_of(table)
            if ids is None:
                if len(table.columns) > 1 and len(table):
                    self.unmatched.append(path)
                continue
            name = PurePosixPath(path).name.lower()
            points = (round(ids.share, 2), 2 * ("train" in name) + ("label" in name), -len(path))
            if best is None or points > best[0]:
                best = points, (path, table, ids)
        return best[1] if best else None

    def refuse_unmatched(self) -> None:
        """Stops where a table has about as many rows as there are images, but names none: it may hold the labels.

        Raises:
            UserError: such a table; what was seen in it, and what is needed.
        """
        count = len(self._pictures.files)
        for path in self.unmatched:
            table = self._read(path)
            if not count / 2 <= len(table) <= 20 * count:
                continue
            first = ", ".join(f"{column} {table[column].iloc[0]}" for column in table.columns[:4])
            files = [PurePosixPath(each).name for each in self._pictures.files]
            seen = f"it has {first}; files: {some(files)}"
            what = f"{len(table):,} rows, and no column of them names the {count:,} images: {seen}"
            raise UserError(
                what, self._raw / path, "Needed: a column with the names of the files. Or take the table out"
            )

    def fill_in(self, path: str, table: pd.DataFrame, ids: Ids, test_tables: list[str]) -> None:
        """Guesses all facts from the table of labels.

        Args:
            path, table, ids: of it, as `label_table` gives them.
            test_tables: the paths of tables that may list test images.
        """
        guess, facts = self.guess, self.guess.facts
        labels: dict[str, Any] = {"file": path, "shape": "wide", "id": ids.column}
        guess.tell("labels.file", path, f"{len(table):,} rows, {ids.share:.0%} of its ids have an image")
        guess.tell("labels.id", ids.column, "its values are names of image files")
        if ids.others:
            guess.doubts.append(f"labels.id: values of {some(ids.others, 4)} name images as well")
        sample = tables.read(self._raw / self._sample, []) if self._sample else None
        if ids.long:
            value = next(column for column in table.columns if column != ids.column)
            labels |= {"shape": "long", "value": value, "targets": list(ids.endings)}
            guess.tell("labels.shape", "long", f"rows are named <id>_<label>, labels {some(ids.endings, 8)}")
            facts["task"] = "multilabel"
            targets = [value]
        else:
            targets = self._targets(table, ids, sample)
            labels["targets"] = targets
            guess_task(guess, table, targets, labels)
            if labels["shape"] == "lists":
                self._keep_targets_of_sample(labels, ids, sample)
        if table.duplicated(ids.column).any():
            same = (table.groupby(ids.column)[targets].nunique() <= 1).all(axis=None)
            labels["repeated"] = "same" if same else "any"
            count = int(table.duplicated(ids.column).sum())
            why = "and agree" if same else "and differ: readers? 'majority' is the other choice"
            guess.tell("labels.repeated", labels["repeated"], f"{count:,} rows name an id again {why}")
        test = self._test_table(test_tables, ids)
        if test:
            labels["test"] = test[0]
            guess.tell("labels.test", test[0], "a table of test images")
        facts["labels"] = labels
        self._find_images(table, ids, test[1] if test else None, sample)
        self._find_group(table, ids, [*targets, ids.column])
        self._submission(sample, ids, test[1] if test else None)

    def _keep_targets_of_sample(self, labels: dict[str, Any], ids: Ids, sample: pd.DataFrame | None) -> None:
        """Of names in lists those are targets that the sample submission has a column for, if it has such columns."""
        columns = [column for column in sample.columns[1:] if column != ids.column] if sample is not None else []
        if len(columns) < 2 or not set(columns) <= set(labels["targets"]):
            return
        others = [name for name in labels["targets"] if name not in columns]
        labels["targets"] = columns
        self.guess.doubts[:] = [doubt for doubt in self.guess.doubts if not doubt.startswith("labels.targets:")]
        self.guess.tell("labels.targets", some(columns, 8), f"columns of {self._sample}, which the lists hold")
        if others:
            labels["ignore"] = others
            self.guess.tell("labels.ignore", some(others, 8), f"no column of {self._sample}")

    def _targets(self, table: pd.DataFrame, ids: Ids, sample: pd.DataFrame | None) -> list[str]:
        if sample is not None:
            shared = [column for column in sample.columns[1:] if column in table and column != ids.column]
            if shared:
                why = f"{'columns' if len(shared) > 1 else 'a column'} of {self._sample} that the table has, too"
                self.guess.tell("labels.targets", some(shared), why)
                return shared
            for column in table.columns:
                values = set(table[column].unique()) - {""}
                if column != ids.column and len(values) > 1 and values <= set(sample.columns[1:]):
                    self.guess.tell("labels.targets", column, f"its values are columns of {self._sample}")
                    return [column]
        apart = {ids.column, *ids.others}
        others = [
            column
            for column in table.columns
            if column not in apart and table[column].nunique() >= 2 and not INDEX.fullmatch(column)
        ]
        named = [column for column in others if re.search(TARGET_NAMES, column, re.I)]
        if not named and (together := self._marked_together(table, others)):
            return together
        few = sorted((column for column in others if not ABOUT.search(column)), key=lambda each: table[each].nunique())
        if not named and not few:
            raise UserError("no column that could be a label", self._raw, f"Columns: {some(table.columns, 10)}")
        chosen = named[0] if named else few[0]
        self.guess.tell("labels.targets", chosen, "by its name" if named else "the column with the fewest values")
        if not named and len(few) > 1:
            self.guess.doubts.append(
                f"labels.targets: I cannot tell which of {some(few, 6)} is the label; now {chosen}"
            )
        if sample is not None:
            self.guess.doubts.append(f"labels.targets: {self._sample} names no column of the table")
        return [chosen]

    def _marked_together(self, table: pd.DataFrame, others: list[str]) -> list[str]:
        """The longest row of neighbouring columns of 0 and 1, if it is long: a column for each class or label."""
        runs: list[list[str]] = [[]]
        for column in table.columns:
            marks = (
                column in others and not ABOUT.search(column) and set(table[column].str.lower()) <= set(tables.MARKS)
            )
            runs = [*runs[:-1], [*runs[-1], column]] if marks else [*runs, []]
        longest = max(runs, key=len)
        if len(longest) < MANY:
            return []
        self.guess.tell("labels.targets", some(longest, 8), f"{len(longest)} columns of 0 and 1 beside each other")
        return longest

    def _test_table(self, candidates: list[str], ids: Ids) -> tuple[str, pd.DataFrame] | None:
        for path in sorted(candidates, key=len):
            table = self._read(path)
            if table is not None and ids.column in table:
                return path, table
        return None

    def _read(self, path: str) -> pd.DataFrame | None:
        """Reads a table; None for a text file that is no table."""
        try:
            return tables.read(self._raw / path, [])
        except UserError:
            if path.lower().endswith((".txt", ".txt.gz")):
                return None
            raise

    def _find_group(self, table: pd.DataFrame, ids: Ids, taken: list[str]) -> None:
        labels, guess = self.guess.facts["labels"], self.guess
        for word in unnamed_groups.NAMES:  # persons before the rest
            for column in table.columns:
                fits = word in column.lower() and unnamed_groups.by_name(column) and column not in taken
                if fits and 1 < table[column].nunique() < len(table):
                    labels["group"] = column
                    guess.tell("labels.group", column, f"{table[column].nunique():,} values in {len(table):,} rows")
                    return
        sides = table[ids.column].str.extract(r"^(.+)_(left|right|[LR])$")
        if sides.notna().all(axis=None):
            labels["group_pattern"] = "(?P<group>.+)_(left|right|L|R)"
            guess.tell("labels.group_pattern", labels["group_pattern"], "ids end with a side: both are of one patient")
            return
        if ".dcm" in str(guess.facts["images"]["train"]) and self._pictures.patients_in_headers():
            guess.facts["images"]["headers"] = ["PatientID"]
            labels["group"] = "PatientID"
            guess.tell("labels.group", "PatientID", "of the DICOM headers: several images have the same")
            return
        if "patient" not in ids.column.lower():
            guess.doubts.append("labels.group: nothing names patients; are there several images of one?")

    def _find_images(
        self, table: pd.DataFrame, ids: Ids, test: pd.DataFrame | None, sample: pd.DataFrame | None
    ) -> None:
        rules, found = self._pictures.patterns(table, ids, "train")
        if not rules:
            raise UserError("the images of the training part have no pattern in common", self._raw)
        images: dict[str, Any] = {"train": _one_or_all(rules)}
        self.guess.facts["images"] = images
        self.guess.tell("images.train", some(rules, 4), f"{len(found):,} of {len(table):,} rows that I looked up")
        if test is None and sample is not None:
            test = sample.rename(columns={sample.columns[0]: ids.column})
        if test is not None:
            rules, there = self._pictures.patterns(test, ids, "test")
            if rules:
                images["test"] = _one_or_all(rules)
                self.guess.tell("images.test", some(rules, 4), f"{len(there):,} of {len(test):,} rows that I looked up")
        if not images.get("test"):
            self.guess.facts["labels"]["holdout"] = 0.2
            self.guess.facts["labels"].pop("test", None)
            self.guess.tell("labels.holdout", 0.2, "no test image: a share of the training part stands in for it")
        if ids.endings and not ids.long:
            images["channels"] = list(ids.endings)
            self.guess.tell("images.channels", some(ids.endings, 8), "each image is so many files")
        else:
            images["channels"] = self._pictures.told_depth(list(dict.fromkeys(found)), self.guess)

    def _submission(self, sample: pd.DataFrame | None, ids: Ids, test: pd.DataFrame | None) -> None:
        facts, guess = self.guess.facts, self.guess
        if sample is None or facts["labels"].get("holdout"):
            facts["upload"] = "local"
            return
        key, shape = sample.columns[0], facts["labels"]["shape"]
        facts["submission"] = {"sample": self._sample, "id": key}
        if shape == "long" or (shape == "lists" and len(sample.columns) == 2):
            facts["submission"]["shape"] = shape
        guess.tell("submission.id", key, f"the first column of {self._sample}")
        if test is not None and key != ids.column and key in test:
            unit = self._unit(test, key)
            if unit:
                facts["score"] = {"unit": unit}
                guess.tell("score.unit", unit, f"it makes the values of {key} in {facts['labels']['test']}")
                guess.doubts.append("score.aggregate: mean, or max of the predictions of a unit's images")
        facts["upload"] = "notebook" if len(sample) < 10 else "csv"
        guess.tell("upload", facts["upload"], f"the sample submission has {len(sample):,} rows")
        guess.doubts.append("upload: csv, or notebook if Kaggle takes notebooks only")

    def _unit(self, test: pd.DataFrame, key: str) -> str | None:
        columns = [column for column in test.columns if column != key]
        for first in columns:
            for second in columns:
                if first != second and (test[first] + "_" + test[second] == test[key]).all():
                    return f"{{{first}}}_{{{second}}}"
        return next((f"{{{column}}}" for column in columns if (test[column] == test[key]).all()), None)


def _one_or_all(rules: list[str]) -> str | list[str]:
    return rules[0] if len(rules) == 1 else rules
