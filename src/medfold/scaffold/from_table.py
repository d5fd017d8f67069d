"""Drafts the facts of a competition whose labels are in a table."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from medfold.data import MARKS, PathPattern, choose_test_part, normalise_texts, part_from_name, read_table
from medfold.errors import UserError, count_of, shorten_list
from medfold.folds import GROUP_WORDS, PERSON_WORDS, find_group_word, is_group_name
from medfold.scaffold.draft import Draft, Ids
from medfold.scaffold.image_names import INDEX, MAX_ROWS, ImageFiles
from medfold.scaffold.task import guess_task

# Names of label columns: general words first, then words for what is to be predicted.
TARGET_NAMES = (
    r"target|label|class|diagnos|(^|[\W_])dx([\W_]|$)",
    r"level|grade|cancer|malignant|finding|isup|birads|bi-rads|stage|severity",
)
NO_TARGET = re.compile(r"(^|[\W_])(history|type|source|date|path|id|uid|split|fold|set|part|subset)([\W_]|$)", re.I)
# Names of columns with facts about a patient or a view, not findings: labels only if they match TARGET_NAMES, too.
PATIENT_DATA = re.compile(r"(^|[\W_])(age|sex|gender|male|female|view|position|side|laterality|eye)([\W_]|$)", re.I)
PLAIN_NAMES = ("id", "image", "file", "name", "path")  # column names, even if an image has this name
FEW_ROWS = 6  # a table with fewer rows is probably a list of classes
MIN_GROUPS, MANY_ROWS = 8, 30  # fewer values than MIN_GROUPS in more than MANY_ROWS rows are categories, not patients
MIN_MARK_COLUMNS = 3  # from this number on, neighbouring columns of 0 and 1 are labels


class NoLabelError(UserError):
    """A table names images but has no column that could be a label."""


class FromTable:
    """Drafts facts from a table whose ids name images.

    Args:
        draft: filled in.
        raw: the folder with the files of the competition.
        image_files: the image files of the competition.
        sample: the path of the sample submission below `raw`; None if there is none.

    Attributes:
        unmatched_tables: tables that name no images.
        matching_tables: tables that name images.
        other_tables: those of `matching_tables` that are not the label table.
        has_named_label: True if the label was recognised by its name or by the sample submission.
    """

    def __init__(self, draft: Draft, raw: Path, image_files: ImageFiles, sample: str | None):
        self.draft, self._raw, self._image_files, self._sample = draft, raw, image_files, sample
        self.unmatched_tables: list[str] = []
        self.other_tables: list[str] = []
        self.has_named_label = True
        self.matching_tables: list[str] = []
        self._unreadable: dict[str, UserError] = {}

    def label_table(self, candidates: list[str]) -> tuple[str, pd.DataFrame, Ids] | None:
        """Finds the table of labels among some tables.

        Args:
            candidates: paths of tables below `raw`.

        Returns:
            Path, content and id column; None if no table has ids that name images.

        Raises:
            UserError: a table without a header, or none that can be read.
        """
        matches = []
        for path in candidates:
            table = self._read(path)
            if table is None:
                continue
            ids = self._image_files.find_ids(table) if len(table.columns) > 1 else None
            if ids is not None and ids.column.lower() not in PLAIN_NAMES and self._image_files.find_named(ids.column):
                what = f"the header is missing: its first row, {', '.join(table.columns[:4])}, has the name of an image"
                raise UserError(what, self._raw / path, f"Add a header row, such as: {_suggest_header(table, ids)}")
            if ids is None:
                if len(table.columns) > 1 and len(table):
                    self.unmatched_tables.append(path)
                continue
            name = path.lower()
            rank = (
                round(ids.share, 2),
                self._has_label(table, ids),
                2 * ("train" in name) + ("label" in name),
                -len(path),
            )
            matches.append((rank, (path, table, ids)))
        if not matches:
            if self._unreadable and not self.unmatched_tables:
                raise next(iter(self._unreadable.values()))
            return None
        self.matching_tables = [path for _, (path, _, _) in matches]
        best = max(matches, key=lambda match: match[0])[1]
        self.other_tables = [path for _, (path, _, _) in matches if path != best[0]]
        for path, error in self._unreadable.items():
            self.draft.doubts.append(f"{path} cannot be read, and is not used: {error.what}")
        return best

    def _has_label(self, table: pd.DataFrame, ids: Ids) -> bool:
        """Returns True if a column is named like a label, or holds marks of 0 and 1."""
        others = [column for column in table.columns if column not in (ids.column, *ids.others)]
        others = [column for column in others if table[column].nunique() > 1 and not is_group_name(column)]
        named = (_is_named(column, pattern) for column in others for pattern in TARGET_NAMES)
        return any(named) or any(_holds_marks(table, column) for column in others)

    def refuse_unmatched(self) -> None:
        """Refuses a table that names no image but may hold the labels, judging by its rows or its folder names.

        Raises:
            UserError: there is such a table; the message shows its first row and what is needed.
        """
        count = len(self._image_files.files)
        for path in self.unmatched_tables:
            table = self._read(path)
            if column := self._folder_name_column(table):
                what = f"column '{column}' has names of image folders, not of images: labels of patients or studies"
                raise UserError(what, self._raw / path, "Needed: a table with a row for each image. Make one from it")
            if not count / 2 <= len(table) <= 20 * count:
                continue
            first = ", ".join(f"{column} {table[column].iloc[0]}" for column in table.columns[:4])
            names = [PurePosixPath(file).name for file in self._image_files.files]
            examples = f"its first row: {first}; files: {shorten_list(names)}"
            what = (
                f"{count_of(len(table), 'row')}, but no column has the names of the "
                f"{count_of(count, 'image')}: {examples}"
            )
            raise UserError(what, self._raw / path, "Needed: a column with the names of the files. Or remove the table")

    def _folder_name_column(self, table: pd.DataFrame) -> str | None:
        """The column whose values are names of image folders; None if there is none, or for a list of classes."""
        folders = {part for file in self._image_files.files for part in PurePosixPath(file).parts[:-1]}
        label_like = [name for name in table if 2 <= table[name].nunique() <= len(table) / 2]
        if len(table) < FEW_ROWS or not label_like:
            return None
        return next((name for name in table if 2 * len(folders & set(table[name])) >= len(table)), None)

    def fill_in(self, path: str, table: pd.DataFrame, ids: Ids, test_tables: list[str]) -> None:
        """Guesses all facts from the table of labels.

        Args:
            path: its path, as `label_table` returns it.
            table: its content.
            ids: its id column.
            test_tables: paths of tables that may list test images.

        Raises:
            NoLabelError: no column could be a label.
            UserError: ambiguous ids, images without a common pattern, or values that are not classes.
        """
        draft, facts = self.draft, self.draft.facts
        labels: dict[str, Any] = {"file": path, "shape": "wide", "id": ids.column}
        draft.add_reason(
            "labels.file", path, f"{count_of(len(table), 'row')}, {ids.share:.0%} of its ids have an image"
        )
        draft.add_reason("labels.id", ids.column, "its values are names of image files")
        if ids.others:
            draft.doubts.append(f"labels.id: values of {shorten_list(ids.others, 4)} are names of images, too")
        sample = read_table(self._raw / self._sample, []) if self._sample else None
        self._refuse_ambiguous(path, table, ids)
        test = self._test_table(test_tables, ids)
        test_rows = None
        if column := self._part_column(table, ids, test, sample):
            labels["part"] = column
            part = table[column].map(part_from_name)
            counts = part.value_counts()
            test_part = choose_test_part(counts.index)
            num_rows = ", ".join(f"{count_of(count, 'row')} of {name}" for name, count in counts.items())
            draft.add_reason("labels.part", column, f"{num_rows}; {test_part} is the test part")
            table, test_rows = table[part != test_part], table[part == test_part]
        for other in self.other_tables:
            if other not in test_tables:
                advice = (
                    "; add its rows to train on them" if part_from_name(PurePosixPath(other).name) == "valid" else ""
                )
                draft.doubts.append(f"labels.file: {other} has names of images, too: not used{advice}")
        if ids.is_long:
            value = next(column for column in table.columns if column != ids.column)
            labels |= {"shape": "long", "value": value, "targets": list(ids.endings)}
            draft.add_reason(
                "labels.shape", "long", f"rows are named <id>_<label>, labels {shorten_list(ids.endings, 8)}"
            )
            facts["task"] = "multilabel"
            targets = [value]
        else:
            targets = self._targets(table, ids, sample)
            labels["targets"] = targets
            guess_task(draft, table, targets, labels)
            if labels["shape"] == "lists":
                self._keep_targets_of_sample(labels, ids, sample)
        if table.duplicated(ids.column).any():
            same = (table.groupby(ids.column)[targets].nunique() <= 1).all(axis=None)
            labels["repeated"] = "same" if same else "any"
            count = int(table.duplicated(ids.column).sum())
            why = "and agree" if same else "and differ: several readers? 'majority' is the alternative"
            draft.add_reason(
                "labels.repeated", labels["repeated"], f"{count_of(count, 'row repeats', 'rows repeat')} an id {why}"
            )
        if test:
            labels["test"] = test[0]
            draft.add_reason("labels.test", test[0], "a table of test images")
            test_rows = test[1]
        facts["labels"] = labels
        images = self._find_images(table, ids, test_rows, sample)
        self._find_group(table, ids, [*targets, ids.column], images)
        self._add_submission(sample, ids, test_rows)

    def _part_column(self, table: pd.DataFrame, ids: Ids, test: object, sample: object) -> str | None:
        """The column that separates train and test, if nothing else defines the test part."""
        for column in table.columns:
            if column == ids.column:
                continue
            if part_from_name(column) or re.fullmatch(r"(?i)k?[\W_]?folds?", column):
                what = "names parts or folds, and is not used: medfold makes its own folds"
                self.draft.doubts.append(f"labels.part: column '{column}' {what}")
                continue
            values = table[column].unique()
            if len(values) > MIN_GROUPS:
                continue
            parts = {part_from_name(value) for value in values}
            if None in parts or len(parts) < 2:
                continue
            if ids.is_long or test is not None or sample is not None or "train" not in parts:
                self.draft.doubts.append(f"labels.part: column '{column}' has names of parts, and is not used")
                continue
            return column
        return None

    def _refuse_ambiguous(self, path: str, table: pd.DataFrame, ids: Ids) -> None:
        """Refuses ids that are in several rows and name images in several folders.

        Raises:
            UserError: there are such ids; the message shows one.
        """
        repeated = table.loc[table.duplicated(ids.column), ids.column]
        for id in repeated.head(50) if not ids.is_long and not ids.endings else ():
            paths = self._image_files.find_named(id)
            folders = {PurePosixPath(path).parent for path in paths}
            if len(folders) > 1:
                count = int((table[ids.column] == id).sum())
                what = (
                    f"'{id}' is in {count_of(count, 'row')} and names {count_of(len(paths), 'image')}: "
                    f"{shorten_list(paths)}"
                )
                raise UserError(what, self._raw / path, "Needed: a column with their paths")

    def _keep_targets_of_sample(self, labels: dict[str, Any], ids: Ids, sample: pd.DataFrame | None) -> None:
        """Keeps only the targets that are columns of the sample submission; the others go to labels.ignore."""
        columns = [column for column in sample.columns[1:] if column != ids.column] if sample is not None else []
        if len(columns) < 2 or not set(columns) <= set(labels["targets"]):
            return
        others = [name for name in labels["targets"] if name not in columns]
        labels["targets"] = columns
        self.draft.doubts[:] = [doubt for doubt in self.draft.doubts if not doubt.startswith("labels.targets:")]
        self.draft.add_reason(
            "labels.targets", shorten_list(columns, 8), f"columns of {self._sample}, which the lists hold"
        )
        if others:
            labels["ignore"] = others
            self.draft.add_reason("labels.ignore", shorten_list(others, 8), f"not columns of {self._sample}")

    def _targets(self, table: pd.DataFrame, ids: Ids, sample: pd.DataFrame | None) -> list[str]:
        """Guesses the target columns: those of the sample submission, marks, or a column by its name or its values."""
        if sample is not None:
            shared = [column for column in sample.columns[1:] if column in table and column != ids.column]
            if shared:
                why = f"{'columns' if len(shared) > 1 else 'a column'} of {self._sample} that the table has, too"
                self.draft.add_reason("labels.targets", shorten_list(shared), why)
                return shared
            for column in table.columns:
                values = set(table[column].unique()) - {""}
                if column != ids.column and len(values) > 1 and values <= set(sample.columns[1:]):
                    self.draft.add_reason("labels.targets", column, f"its values are columns of {self._sample}")
                    return [column]
        id_columns = {ids.column, *ids.others}
        others = [
            column
            for column in table.columns
            if column not in id_columns and table[column].nunique() >= 2 and not INDEX.fullmatch(column)
        ]
        parts = [column for column in others if all(map(part_from_name, table[column].unique()))]
        others = [column for column in others if column not in parts and not is_group_name(column)]
        named = [column for pattern in TARGET_NAMES for column in others if _is_named(column, pattern)]
        named = list(dict.fromkeys(named))
        marks = self._neighbouring_marks(table, others)
        if marks and (not named or set(named) & set(marks)):
            self.draft.add_reason(
                "labels.targets", shorten_list(marks, 8), f"{len(marks)} columns of 0 and 1 beside each other"
            )
            return marks
        possible = [column for column in others if not PATIENT_DATA.search(column) and not NO_TARGET.search(column)]
        possible = sorted(possible, key=lambda column: table[column].nunique())
        if not named and not possible:
            raise NoLabelError(
                "no column that could be a label", self._raw, f"Columns: {shorten_list(table.columns, 10)}"
            )
        chosen = named[0] if named else possible[0]
        self.has_named_label = bool(named)
        self.draft.add_reason("labels.targets", chosen, "by its name" if named else "the column with the fewest values")
        if len(named or possible) > 1:
            candidates = shorten_list(named or possible, 6)
            self.draft.doubts.append(f"labels.targets: unclear which of {candidates} is the label; {chosen} is used")
        if sample is not None:
            self.draft.doubts.append(f"labels.targets: no column of {self._sample} is in the table")
        return [chosen]

    def _neighbouring_marks(self, table: pd.DataFrame, others: list[str]) -> list[str]:
        """The longest run of neighbouring columns of 0 and 1, one per class or label; empty if it is too short."""
        runs: list[list[str]] = [[]]
        for column in table.columns:
            is_mark = column in others and _holds_marks(table, column)
            runs = [*runs[:-1], [*runs[-1], column]] if is_mark else [*runs, []]
        longest = max(runs, key=len)
        return longest if len(longest) >= MIN_MARK_COLUMNS else []

    def _test_table(self, candidates: list[str], ids: Ids) -> tuple[str, pd.DataFrame] | None:
        """The first table with the id column, shortest path first: path and content."""
        for path in sorted(candidates, key=len):
            table = self._read(path)
            if table is not None and ids.column in table:
                return path, table
        return None

    def _read(self, path: str) -> pd.DataFrame | None:
        """Reads a table; None if it cannot be read. A text file need not be a table: its errors are not kept."""
        try:
            return read_table(self._raw / path, [])
        except UserError as error:
            if not path.lower().endswith((".txt", ".txt.gz")):
                self._unreadable[path] = error
            return None

    def _find_group(self, table: pd.DataFrame, ids: Ids, used: list[str], images: list[str]) -> None:
        """Guesses what to group by: a column, a pattern in the ids, or DICOM headers of the images.

        Args:
            used: columns that are ids or targets.
            images: training images, as `read_image` takes them.
        """
        labels, draft = self.draft.facts["labels"], self.draft
        for word in GROUP_WORDS:  # words for persons come first
            for column in table.columns:
                is_match = find_group_word(column) == word and column not in used
                count = table[column].nunique()
                if not is_match or not 1 < count < len(table):
                    continue
                if count < (3 if word in PERSON_WORDS else MIN_GROUPS) and len(table) > MANY_ROWS:
                    values = f"column '{column}' has {count_of(count, 'value')} in {count_of(len(table), 'row')}"
                    doubt = f"labels.group: {values}: unclear whether they are {word}s; not used for grouping"
                    draft.doubts.append(doubt)
                    continue
                labels["group"] = column
                draft.add_reason(
                    "labels.group",
                    column,
                    f"{count_of(table[column].nunique(), 'value')} in {count_of(len(table), 'row')}",
                )
                return
        named = table[ids.column].str.extract(r"(?:^|/)((?:patient|subject|case|pat|sub)[\W_]*)\d+/", re.I)[0]
        if named.notna().all() and named.nunique() == 1:
            labels["group_pattern"] = f"(?:.*/)?(?P<group>{re.escape(named.iloc[0])}\\d+)/"
            draft.add_reason("labels.group_pattern", labels["group_pattern"], "ids are paths, with a folder for each")
            return
        sides = table[ids.column].str.extract(r"^(.+)_(left|right|[LR])$")
        if sides.notna().all(axis=None):
            labels["group_pattern"] = "(?P<group>.+)_(left|right|L|R)"
            draft.add_reason(
                "labels.group_pattern", labels["group_pattern"], "ids end with a side: both are of one patient"
            )
            return
        if self._image_files.group_by_headers(draft, images):
            return
        if "patient" not in ids.column.lower():
            draft.doubts.append("labels.group: patients unknown; are there several images per patient?")

    def _find_images(
        self, table: pd.DataFrame, ids: Ids, test: pd.DataFrame | None, sample: pd.DataFrame | None
    ) -> list[str]:
        """Guesses the facts of the images; returns the training images that were looked up."""
        patterns, train_images = self._image_files.find_patterns(table, ids, "train")
        if not patterns:
            fix = "Name or sort the files alike, such as train/<id>.png"
            raise UserError("the images of the training part have no pattern in common", self._raw, fix)
        images: dict[str, Any] = {"train": _single_or_list(patterns)}
        self.draft.facts["images"] = images
        self.draft.add_reason(
            "images.train", shorten_list(patterns, 4), f"images found for {len(train_images):,} of {_num_rows(table)}"
        )
        if test is None and sample is not None:
            test = sample.rename(columns={sample.columns[0]: ids.column})
        if test is not None:
            patterns, test_images = self._image_files.find_patterns(test, ids, "test")
            if patterns:
                images["test"] = _single_or_list(patterns)
                why = f"images found for {len(test_images):,} of {_num_rows(test)}"
                self.draft.add_reason("images.test", shorten_list(patterns, 4), why)
        if not images.get("test") and (patterns := self._image_files.test_folder_patterns(train_images)):
            images["test"] = _single_or_list(patterns)
            why = "a folder named after the test part, without a table"
            self.draft.add_reason("images.test", shorten_list(patterns, 4), why)
        if "part" in self.draft.facts["labels"]:
            if images.get("test") == images["train"]:
                del images["test"]
        elif not images.get("test"):
            self.draft.facts["labels"]["holdout"] = 0.2
            self.draft.facts["labels"].pop("test", None)
            self.draft.add_reason(
                "labels.holdout", 0.2, "no test images: a share of the training images is used instead"
            )
        if ids.endings and not ids.is_long:
            images["channels"] = list(ids.endings)
            self.draft.add_reason("images.channels", shorten_list(ids.endings, 8), "each channel is a separate file")
        else:
            images["channels"] = self._image_files.guess_channels(list(dict.fromkeys(train_images)), self.draft)
        if not ids.endings:
            self._add_unused_images([*_as_list(images["train"]), *_as_list(images.get("test", []))])
        return train_images

    def _add_unused_images(self, patterns: list[str]) -> None:
        """Adds a doubt about images that match no pattern."""
        path_patterns = [PathPattern(pattern) for pattern in patterns if "#" not in pattern]
        if any(pattern == "{id}" for pattern in patterns):
            return
        files = self._image_files.files
        unused = [path for path in files if not any(pattern.match(path) is not None for pattern in path_patterns)]
        if unused and len(path_patterns) == len(patterns):
            folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in unused}), 4)
            count = f"{len(unused):,} of {len(files):,} images"
            self.draft.doubts.append(f"images.train: {count} are in no table and not used: in {folders}")

    def _add_submission(self, sample: pd.DataFrame | None, ids: Ids, test: pd.DataFrame | None) -> None:
        facts, draft = self.draft.facts, self.draft
        if sample is None or facts["labels"].get("holdout"):
            facts["upload"] = "local"
            return
        key, shape = sample.columns[0], facts["labels"]["shape"]
        facts["submission"] = {"sample": self._sample, "id": key}
        if shape == "long" or (shape == "lists" and len(sample.columns) == 2):
            facts["submission"]["shape"] = shape
        draft.add_reason("submission.id", key, f"the first column of {self._sample}")
        if test is not None and key != ids.column and key in test:
            unit = self._unit(test, key)
            if unit:
                facts["score"] = {"unit": unit}
                draft.add_reason("score.unit", unit, f"it gives the values of {key} in {facts['labels']['test']}")
                draft.doubts.append("score.aggregate: mean, or max of the predictions of a unit's images")
        facts["upload"] = "notebook" if len(sample) < 10 else "csv"
        draft.add_reason("upload", facts["upload"], f"the sample submission has {count_of(len(sample), 'row')}")
        draft.doubts.append("upload: csv, or notebook if Kaggle accepts notebooks only")

    def _unit(self, test: pd.DataFrame, key: str) -> str | None:
        """The pattern of other columns that gives the values of the column `key`: '{patient}_{side}' or '{study}'."""
        columns = [column for column in test.columns if column != key]
        for first in columns:
            for second in columns:
                if first != second and (test[first] + "_" + test[second] == test[key]).all():
                    return f"{{{first}}}_{{{second}}}"
        return next((f"{{{column}}}" for column in columns if (test[column] == test[key]).all()), None)


def _num_rows(table: pd.DataFrame) -> str:
    """The number of rows of a table as text, and how many of them are examined if not all."""
    examined = f" ({MAX_ROWS:,} examined)" if len(table) > MAX_ROWS else ""
    return f"{count_of(len(table), 'row')}{examined}"


def _is_named(column: str, pattern: str) -> bool:
    """Returns True if a column is named like a label, by one of `TARGET_NAMES`."""
    return bool(re.search(pattern, column, re.I)) and not NO_TARGET.search(column)


def _holds_marks(table: pd.DataFrame, column: str) -> bool:
    """Returns True for a column of 0 and 1 that is not about sex, side or the like; some cells may be empty or -1."""
    values = set(normalise_texts(table[column]).str.lower())
    return not PATIENT_DATA.search(column) and bool(values & set(MARKS)) and values <= {*MARKS, "", "-1"}


def _suggest_header(table: pd.DataFrame, ids: Ids) -> str:
    """A header for a table without one."""
    others = [column for column in table.columns if column != ids.column]
    return ",".join("image" if column == ids.column else f"label{others.index(column) or ''}" for column in table)


def _single_or_list(patterns: list[str]) -> str | list[str]:
    return patterns[0] if len(patterns) == 1 else patterns


def _as_list(patterns: str | list[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns
