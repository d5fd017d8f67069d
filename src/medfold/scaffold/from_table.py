"""Competitions whose labels stand in a table."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from medfold.data import MARKS, PathRule, choose_test_part, normalise_texts, part_from_name, read_table
from medfold.errors import UserError, shorten_list
from medfold.folds import GROUP_WORDS, PERSON_WORDS, find_group_word, is_group_name
from medfold.scaffold.draft import Draft, Ids
from medfold.scaffold.image_names import INDEX, Pictures
from medfold.scaffold.task import guess_task

# Names of columns of labels: those that say so before those that name what is looked for.
TARGET_NAMES = (
    r"target|label|class|diagnos|(^|[\W_])dx([\W_]|$)",
    r"level|grade|cancer|malignant|finding|isup|birads|bi-rads|stage|severity",
)
NO_TARGET = re.compile(r"(^|[\W_])(history|type|source|date|path|id|uid|split|fold|set|part|subset)([\W_]|$)", re.I)
# Of persons, what is no finding: never a label by itself.
ABOUT = re.compile(r"(^|[\W_])(age|sex|gender|male|female|view|position|side|laterality|eye)([\W_]|$)", re.I)
PLAIN_NAMES = ("id", "image", "file", "name", "path")  # of columns, even where an image is called so
FEW_ROWS = 6  # a table of fewer is rather a list of classes
FEW_GROUPS, MANY_ROWS = 8, 30  # so few values of so many rows are kinds, and no persons
MANY = 3  # columns of 0 and 1 beside each other are labels


class NoLabelError(UserError):
    """A table names images and has no column that could be a label."""


class FromTable:
    """Guesses from a table whose ids name images.

    Args:
        guess: what is filled in.
        raw: the folder with the competition's files.
        pictures: its images.
        sample: the path of the sample submission below raw; None if there is none.
    """

    def __init__(self, guess: Draft, raw: Path, pictures: Pictures, sample: str | None):
        self.guess, self._raw, self._pictures, self._sample = guess, raw, pictures, sample
        self.unmatched: list[str] = []  # tables that name no images
        self.further: list[str] = []  # tables that name images, too
        self.by_name = True  # whether the label is known by its name, or by the sample submission
        self.naming: list[str] = []  # tables that name images
        self._unreadable: dict[str, UserError] = {}

    def label_table(self, candidates: list[str]) -> tuple[str, pd.DataFrame, Ids] | None:
        """Finds the table of labels: path, content and id column; None if the ids of no table name images."""
        found = []
        for path in candidates:
            table = self._read(path)
            if table is None:
                continue
            ids = self._pictures.ids_of(table) if len(table.columns) > 1 else None
            if ids is not None and ids.column.lower() not in PLAIN_NAMES and self._pictures.named(ids.column):
                what = (
                    f"its first row, {', '.join(table.columns[:4])}, names an image: the names of columns are missing"
                )
                raise UserError(what, self._raw / path, f"Write a row above it, such as: {_header(table, ids)}")
            if ids is None:
                if len(table.columns) > 1 and len(table):
                    self.unmatched.append(path)
                continue
            name = path.lower()
            points = (
                round(ids.share, 2),
                self._has_label(table, ids),
                2 * ("train" in name) + ("label" in name),
                -len(path),
            )
            found.append((points, (path, table, ids)))
        if not found:
            if self._unreadable and not self.unmatched:
                raise next(iter(self._unreadable.values()))
            return None
        self.naming = [path for _, (path, _, _) in found]
        best = max(found, key=lambda each: each[0])[1]
        self.further = [path for _, (path, _, _) in found if path != best[0]]
        for path, error in self._unreadable.items():
            self.guess.doubts.append(f"{path} cannot be read, and is not used: {error.what}")
        return best

    def _has_label(self, table: pd.DataFrame, ids: Ids) -> bool:
        """True if a column is named like a label, or several are marks beside each other."""
        others = [column for column in table.columns if column not in (ids.column, *ids.others)]
        others = [column for column in others if table[column].nunique() > 1 and not is_group_name(column)]
        named = (_is_named(each, rule) for each in others for rule in TARGET_NAMES)
        return any(named) or any(_holds_marks(table, each) for each in others)

    def refuse_unmatched(self) -> None:
        """Stops where a table has about as many rows as there are images, but names none: it may hold the labels.

        Raises:
            UserError: such a table; what was seen in it, and what is needed.
        """
        count = len(self._pictures.files)
        for path in self.unmatched:
            table = self._read(path)
            if column := self._of_folders(table):
                what = f"column '{column}' names folders of images, and not images: labels of patients or studies"
                raise UserError(what, self._raw / path, "Needed: a table with a row for each image. Make one of it")
            if not count / 2 <= len(table) <= 20 * count:
                continue
            first = ", ".join(f"{column} {table[column].iloc[0]}" for column in table.columns[:4])
            files = [PurePosixPath(each).name for each in self._pictures.files]
            seen = f"it has {first}; files: {shorten_list(files)}"
            what = f"{len(table):,} rows, and no column of them names the {count:,} images: {seen}"
            raise UserError(
                what, self._raw / path, "Needed: a column with the names of the files. Or take the table out"
            )

    def _of_folders(self, table: pd.DataFrame) -> str | None:
        """The column whose values are names of image folders; None without one, and for a mere list of classes."""
        folders = {part for each in self._pictures.files for part in PurePosixPath(each).parts[:-1]}
        several = [name for name in table if 2 <= table[name].nunique() <= len(table) / 2]
        if len(table) < FEW_ROWS or not several:
            return None
        return next((name for name in table if 2 * len(folders & set(table[name])) >= len(table)), None)

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
            guess.doubts.append(f"labels.id: values of {shorten_list(ids.others, 4)} name images as well")
        sample = read_table(self._raw / self._sample, []) if self._sample else None
        self._refuse_ambiguous(path, table, ids)
        test = self._test_table(test_tables, ids)
        rows_of_test = None
        if column := self._part_column(table, ids, test, sample):
            labels["part"] = column
            part = table[column].map(part_from_name)
            count = part.value_counts()
            held = choose_test_part(count.index)
            told = ", ".join(f"{number:,} rows of {name}" for name, number in count.items())
            guess.tell("labels.part", column, f"{told}; {held} is the test part")
            table, rows_of_test = table[part != held], table[part == held]
        for other in self.further:
            if other not in test_tables:
                more = "; add its rows to train on them" if part_from_name(PurePosixPath(other).name) == "valid" else ""
                guess.doubts.append(f"labels.file: {other} names images, too: not used{more}")
        if ids.long:
            value = next(column for column in table.columns if column != ids.column)
            labels |= {"shape": "long", "value": value, "targets": list(ids.endings)}
            guess.tell("labels.shape", "long", f"rows are named <id>_<label>, labels {shorten_list(ids.endings, 8)}")
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
        if test:
            labels["test"] = test[0]
            guess.tell("labels.test", test[0], "a table of test images")
            rows_of_test = test[1]
        facts["labels"] = labels
        found = self._find_images(table, ids, rows_of_test, sample)
        self._find_group(table, ids, [*targets, ids.column], found)
        self._submission(sample, ids, rows_of_test)

    def _part_column(self, table: pd.DataFrame, ids: Ids, test: object, sample: object) -> str | None:
        """The column that tells train from test, where nothing else says what the test part is."""
        for column in table.columns:
            if column == ids.column:
                continue
            if part_from_name(column) or re.fullmatch(r"(?i)k?[\W_]?folds?", column):
                what = "tells parts or folds by its name, and is not used: folds are the kit's own"
                self.guess.doubts.append(f"labels.part: column '{column}' {what}")
                continue
            values = table[column].unique()
            if len(values) > FEW_GROUPS:
                continue
            parts = {part_from_name(value) for value in values}
            if None in parts or len(parts) < 2:
                continue
            if ids.long or test is not None or sample is not None or "train" not in parts:
                self.guess.doubts.append(f"labels.part: column '{column}' tells parts, and is not used")
                continue
            return column
        return None

    def _refuse_ambiguous(self, path: str, table: pd.DataFrame, ids: Ids) -> None:
        """Stops where an id stands in several rows and names images in several folders.

        Raises:
            UserError: such ids; one is shown.
        """
        twice = table.loc[table.duplicated(ids.column), ids.column]
        for id in twice.head(50) if not ids.long and not ids.endings else ():
            paths = self._pictures.named(id)
            folders = {PurePosixPath(each).parent for each in paths}
            if len(folders) > 1:
                count = int((table[ids.column] == id).sum())
                what = f"'{id}' stands in {count} rows and names {len(paths)} images: {shorten_list(paths)}"
                raise UserError(what, self._raw / path, "Needed: a column with their paths")

    def _keep_targets_of_sample(self, labels: dict[str, Any], ids: Ids, sample: pd.DataFrame | None) -> None:
        """Keeps as targets the names that are columns of the sample submission; the others are ignored, and told."""
        columns = [column for column in sample.columns[1:] if column != ids.column] if sample is not None else []
        if len(columns) < 2 or not set(columns) <= set(labels["targets"]):
            return
        others = [name for name in labels["targets"] if name not in columns]
        labels["targets"] = columns
        self.guess.doubts[:] = [doubt for doubt in self.guess.doubts if not doubt.startswith("labels.targets:")]
        self.guess.tell("labels.targets", shorten_list(columns, 8), f"columns of {self._sample}, which the lists hold")
        if others:
            labels["ignore"] = others
            self.guess.tell("labels.ignore", shorten_list(others, 8), f"no column of {self._sample}")

    def _targets(self, table: pd.DataFrame, ids: Ids, sample: pd.DataFrame | None) -> list[str]:
        if sample is not None:
            shared = [column for column in sample.columns[1:] if column in table and column != ids.column]
            if shared:
                why = f"{'columns' if len(shared) > 1 else 'a column'} of {self._sample} that the table has, too"
                self.guess.tell("labels.targets", shorten_list(shared), why)
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
        parts = [column for column in others if all(map(part_from_name, table[column].unique()))]
        others = [each for each in others if each not in parts and not is_group_name(each)]
        named = [column for rule in TARGET_NAMES for column in others if _is_named(column, rule)]
        named = list(dict.fromkeys(named))
        together = self._marked_together(table, others)
        if together and (not named or set(named) & set(together)):
            self.guess.tell(
                "labels.targets", shorten_list(together, 8), f"{len(together)} columns of 0 and 1 beside each other"
            )
            return together
        few = [each for each in others if not ABOUT.search(each) and not NO_TARGET.search(each)]
        few = sorted(few, key=lambda each: table[each].nunique())
        if not named and not few:
            raise NoLabelError(
                "no column that could be a label", self._raw, f"Columns: {shorten_list(table.columns, 10)}"
            )
        chosen = named[0] if named else few[0]
        self.by_name = bool(named)
        self.guess.tell("labels.targets", chosen, "by its name" if named else "the column with the fewest values")
        if len(named or few) > 1:
            several = shorten_list(named or few, 6)
            self.guess.doubts.append(f"labels.targets: I cannot tell which of {several} is the label; now {chosen}")
        if sample is not None:
            self.guess.doubts.append(f"labels.targets: {self._sample} names no column of the table")
        return [chosen]

    def _marked_together(self, table: pd.DataFrame, others: list[str]) -> list[str]:
        """The longest row of neighbouring columns of 0 and 1, if it is long: a column for each class or label."""
        runs: list[list[str]] = [[]]
        for column in table.columns:
            marks = column in others and _holds_marks(table, column)
            runs = [*runs[:-1], [*runs[-1], column]] if marks else [*runs, []]
        longest = max(runs, key=len)
        return longest if len(longest) >= MANY else []

    def _test_table(self, candidates: list[str], ids: Ids) -> tuple[str, pd.DataFrame] | None:
        for path in sorted(candidates, key=len):
            table = self._read(path)
            if table is not None and ids.column in table:
                return path, table
        return None

    def _read(self, path: str) -> pd.DataFrame | None:
        """Reads a table; None for a text file that is no table."""
        try:
            return read_table(self._raw / path, [])
        except UserError as error:
            if not path.lower().endswith((".txt", ".txt.gz")):
                self._unreadable[path] = error
            return None

    def _find_group(self, table: pd.DataFrame, ids: Ids, taken: list[str], found: list[str]) -> None:
        labels, guess = self.guess.facts["labels"], self.guess
        for word in GROUP_WORDS:  # persons before the rest
            for column in table.columns:
                fits = find_group_word(column) == word and column not in taken
                count = table[column].nunique()
                if not fits or not 1 < count < len(table):
                    continue
                if count < (3 if word in PERSON_WORDS else FEW_GROUPS) and len(table) > MANY_ROWS:
                    what = (
                        f"column '{column}' has {count} values in {len(table):,} rows: I cannot tell whether they are"
                    )
                    guess.doubts.append(f"labels.group: {what} {word}s, and group by nothing of it")
                    continue
                labels["group"] = column
                guess.tell("labels.group", column, f"{table[column].nunique():,} values in {len(table):,} rows")
                return
        named = table[ids.column].str.extract(r"(?:^|/)((?:patient|subject|case|pat|sub)[\W_]*)\d+/", re.I)[0]
        if named.notna().all() and named.nunique() == 1:
            labels["group_pattern"] = f"(?:.*/)?(?P<group>{re.escape(named.iloc[0])}\\d+)/"
            guess.tell("labels.group_pattern", labels["group_pattern"], "ids are paths, with a folder for each")
            return
        sides = table[ids.column].str.extract(r"^(.+)_(left|right|[LR])$")
        if sides.notna().all(axis=None):
            labels["group_pattern"] = "(?P<group>.+)_(left|right|L|R)"
            guess.tell("labels.group_pattern", labels["group_pattern"], "ids end with a side: both are of one patient")
            return
        if self._pictures.patients_in_headers(guess, found):
            return
        if "patient" not in ids.column.lower():
            guess.doubts.append("labels.group: nothing names patients; are there several images of one?")

    def _find_images(
        self, table: pd.DataFrame, ids: Ids, test: pd.DataFrame | None, sample: pd.DataFrame | None
    ) -> list[str]:
        """Guesses where images are and what they hold; returns those that were looked up, of the training part."""
        rules, found = self._pictures.patterns(table, ids, "train")
        if not rules:
            raise UserError("the images of the training part have no pattern in common", self._raw)
        images: dict[str, Any] = {"train": _one_or_all(rules)}
        self.guess.facts["images"] = images
        self.guess.tell(
            "images.train", shorten_list(rules, 4), f"{len(found):,} of {len(table):,} rows that I looked up"
        )
        if test is None and sample is not None:
            test = sample.rename(columns={sample.columns[0]: ids.column})
        if test is not None:
            rules, there = self._pictures.patterns(test, ids, "test")
            if rules:
                images["test"] = _one_or_all(rules)
                self.guess.tell(
                    "images.test", shorten_list(rules, 4), f"{len(there):,} of {len(test):,} rows that I looked up"
                )
        if not images.get("test") and (there := self._pictures.in_test_folders(found)):
            images["test"] = _one_or_all(there)
            self.guess.tell(
                "images.test", shorten_list(there, 4), "a folder named for the test part, and no table of it"
            )
        if "part" in self.guess.facts["labels"]:
            if images.get("test") == images["train"]:
                del images["test"]
        elif not images.get("test"):
            self.guess.facts["labels"]["holdout"] = 0.2
            self.guess.facts["labels"].pop("test", None)
            self.guess.tell("labels.holdout", 0.2, "no test image: a share of the training part stands in for it")
        if ids.endings and not ids.long:
            images["channels"] = list(ids.endings)
            self.guess.tell("images.channels", shorten_list(ids.endings, 8), "each image is so many files")
        else:
            images["channels"] = self._pictures.told_depth(list(dict.fromkeys(found)), self.guess)
        if not ids.endings:
            self._tell_of_unused([*_listed(images["train"]), *_listed(images.get("test", []))])
        return found

    def _tell_of_unused(self, rules: list[str]) -> None:
        """Says how many images no pattern leads to, and where they are."""
        matches = [PathRule(rule) for rule in rules if "#" not in rule]
        if any(rule == "{id}" for rule in rules):
            return
        left = [path for path in self._pictures.files if not any(rule.match(path) is not None for rule in matches)]
        if left and len(matches) == len(rules):
            folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in left}), 4)
            told = f"{len(left):,} of {len(self._pictures.files):,} images are named by no table, and not used"
            self.guess.doubts.append(f"images.train: {told}: in {folders}")

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


def _is_named(column: str, rule: str) -> bool:
    """True if a column is named like a label, by one of `TARGET_NAMES`."""
    return bool(re.search(rule, column, re.I)) and not NO_TARGET.search(column)


def _holds_marks(table: pd.DataFrame, column: str) -> bool:
    """True for a column of 0 and 1 that may be a label, and tells no sex or side; some cells may be empty or -1."""
    found = set(normalise_texts(table[column]).str.lower())
    return not ABOUT.search(column) and bool(found & set(MARKS)) and found <= {*MARKS, "", "-1"}


def _header(table: pd.DataFrame, ids: Ids) -> str:
    """Names for the columns of a table that has none."""
    others = [column for column in table.columns if column != ids.column]
    return ",".join("image" if column == ids.column else f"label{others.index(column) or ''}" for column in table)


def _one_or_all(rules: list[str]) -> str | list[str]:
    return rules[0] if len(rules) == 1 else rules


def _listed(rules: str | list[str]) -> list[str]:
    return [rules] if isinstance(rules, str) else rules
