"""competition.yaml -> Competition: the facts of one task."""

import re
import string
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from medfold.config import Strict

Symmetry = Literal["none", "horizontal", "dihedral"]
Task = Literal["binary", "multiclass", "multilabel", "ordinal"]


# Columns of the sample table and others that are the kit's own: no target or kept column may be called so.
RESERVED = ("id", "part", "image", "group", "unit", "fold", "patient", "usage", "bad", "hash", "expected")


def _as_texts(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else value


class Labels(Strict):
    """Where the labels are and what they look like."""

    shape: str = "wide"  # a function of samples/shapes.py: wide, one_hot, long, lists, folders, arrays
    file: str = ""  # the table or array file, below raw/
    id: str = "id"  # column of the id
    targets: list[str] = Field(min_length=1)  # columns of the targets; binary, multiclass and ordinal have one
    value: str = ""  # shapes long and lists: the column that holds the label, or the names of the labels
    separator: str = Field(default=" ", min_length=1)  # shape lists: what stands between the names
    ignore: list[str] = Field(default=[])  # shape lists: names that are no targets, such as No Finding
    # Values of the label columns, and the class that each means; null leaves the image out: {"-1": "1", "": null}
    map: dict[str, str | None] = Field(default={})
    repeated: Literal["refuse", "same", "any", "majority"] = "refuse"  # what several rows of one id and label mean
    group: str | None = None  # column of what must not be split between folds
    group_pattern: str | None = (
        None  # or: a regular expression on the id; its group 'group', else the first, else all it matches
    )
    keep: tuple[str, ...] = ()  # further columns for the sample table; everything else stays in raw/
    part: str | None = None  # column of `file` that says train, valid or test of each row
    test: str | None = None  # table of the test images; without it the sample submission lists them
    holdout: float | None = Field(default=None, gt=0, le=0.5)  # no test part: this share of the groups becomes one
    train: tuple[str, ...] = ("train",)  # shape arrays: the prefixes of the arrays that make up the training part
    counts: dict[str, int] | None = None  # samples expected per part

    @field_validator("targets", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return _as_texts(value)

    @field_validator("map", mode="before")
    @classmethod
    def _map_of_texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key): name if name is None else str(name) for key, name in value.items()}

    @field_validator("group_pattern")
    @classmethod
    def _is_regular(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from None
        return value

    @model_validator(mode="after")
    def _private(self) -> "Labels":
        if twice := [name for name in self.targets if self.targets.count(name) > 1]:
            raise ValueError(f"'labels.targets' has '{twice[0]}' twice")
        for key, columns in (("targets", self.targets), ("keep", self.keep)):
            if taken := [name for name in columns if name in RESERVED]:
                raise ValueError(
                    f"'labels.{key}' has '{taken[0]}', a name that the kit's own tables need: rename the column"
                )
        if self.group in self.keep:
            raise ValueError(
                f"'labels.keep' would publish the group column '{self.group}'; the group number is kept anyway"
            )
        return self


class Images(Strict):
    """Where the images are, how they are read and how they may be turned."""

    train: list[str] = Field(min_length=1)  # patterns below raw/ with {id}, {label} or any column of the label file
    test: list[str] = Field(default=[])
    exclude: list[str] = Field(default=[])  # paths that are no samples, such as masks: "*_mask.png", "masks/*"
    root: str = ""  # the folder below raw/ in which all of this stands
    # How many; or names that stand for {channel} in the patterns, a grey file for each.
    channels: int | list[str] = 3
    # CT: names or (centre, width) in HU, a channel for each
    windows: list[str | tuple[float, float]] = Field(default=[])
    range: tuple[float, float] | None = (
        None  # pixel values deeper than 8 bits that become 0 and 255; else the image's own
    )
    frame: Literal["first", "middle", "last", "montage"] | int = "first"  # of files that hold several
    headers: list[str] = Field(default=[])  # DICOM keywords that become columns of the label table
    shape: list[int] | None = None  # [height, width] expected of every image; else any
    symmetry: Symmetry = "none"
    tolerate: float = Field(default=0.01, ge=0, le=1)  # share of unreadable images to go on with

    @field_validator("train", "test", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("train", "test")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            try:
                found = list(string.Formatter().parse(pattern))
            except ValueError as error:
                raise ValueError(f"'{pattern}' is no pattern ({error})") from None
            if odd := [spec for _, name, spec, _ in found if name and not re.fullmatch(r"(0?[<>]?\d+d?)?", spec)]:
                raise ValueError(f"'{pattern}' is no pattern: '{odd[0]}' fills nothing up, as 05d does")
            if any(field == "" for _, field, _, _ in found):
                raise ValueError(f"'{pattern}' has {{}}, which names no column")
        return value

    @model_validator(mode="after")
    def _agree(self) -> "Images":
        if not 1 <= self.depth <= 8:
            raise ValueError(f"'images.channels' is 1 to 8, found {self.depth}")
        if self.windows and self.depth != len(self.windows):
            raise ValueError(
                f"{len(self.windows)} 'images.windows' make as many channels, 'images.channels' says {self.depth}"
            )
        return self

    @property
    def depth(self) -> int:
        """The number of channels."""
        return self.channels if isinstance(self.channels, int) else len(self.channels)


class Score(Strict):
    """How predictions are scored."""

    metric: str  # a function of scoring/metrics.py
    also: tuple[str, ...] = ()  # further metrics to show beside it
    # by label: a weight, or those of negatives and positives
    weights: dict[str, float | tuple[float, float]] = Field(default={})
    beta: float = Field(default=1, gt=0)  # metric fbeta: how much more recall counts than precision
    unit: str | None = None  # pattern of columns: what score and submission have one row for; else the image
    aggregate: Literal["mean", "max"] = "mean"  # of the predictions of a unit's images

    @field_validator("metric", mode="before")
    @classmethod
    def _filled_in(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("not filled in yet; the competition's page says how submissions are scored")
        return value


class Submission(Strict):
    """The shape of the file to upload."""

    sample: str | None = None  # sample file below raw/; the kit makes one where the data brings none
    id: str = "id"
    # wide: a row per unit; long: one per unit and label, named unit_label; lists: the names of the labels, with spaces
    shape: Literal["wide", "long", "lists"] = "wide"
    empty: bool = False  # shape lists: a list may be empty; else the most probable label is named where none is decided


class Folds(Strict):
    """How the training part is cut."""

    k: int = Field(default=5, ge=2)
    seed: int = Field(default=42, ge=0)
    method: Literal["stratified", "group", "stratified-group"] = "stratified"
    duplicates: Literal["exact", "near"] = "exact"  # what is joined to a group: equal pixels, or near-duplicates too


class Competition(Strict):
    """The facts of one task, as competition.yaml tells them."""

    title: str
    url: str | None = None
    licence: str | None = None
    source: dict[str, Any]  # `kind` and the options of that source
    upload: Literal["csv", "notebook", "local"]
    task: Task
    classes: list[str] | None = None  # names of the classes as the label file has them, the negative or lowest first
    labels: Labels
    images: Images
    score: Score
    submission: Submission = Submission()
    folds: Folds = Folds()

    @field_validator("classes", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return _as_texts(value)

    @model_validator(mode="after")
    def _agree(self) -> "Competition":
        if self.labels.part:
            self._agree_on_parts()
        elif bool(self.images.test) == bool(self.labels.holdout):
            raise ValueError("either 'images.test' names the test images, or 'labels.holdout' sets a share aside")
        if self.labels.map and self.labels.shape == "one_hot":
            raise ValueError(
                "'labels.map' has no meaning for labels.shape one_hot, where columns are marked by 0 and 1"
            )
        known = self.labels.targets if self.labels.shape == "lists" else self.class_names
        if odd := [name for name in self.labels.map.values() if name is not None and name not in known]:
            raise ValueError(f"'labels.map' reads a value as '{odd[0]}', which is none of {', '.join(known[:12])}")
        if self.labels.holdout and self.submission.sample:
            raise ValueError("a test part made by 'labels.holdout' has no 'submission.sample'")
        if self.labels.holdout and self.score.unit:
            raise ValueError("'labels.holdout' sets images aside, not units: leave 'score.unit' out")
        if self.score.unit and self.task == "multiclass":
            raise ValueError("'score.unit' is for tasks binary, multilabel and ordinal")
        unknown = sorted(set(self.score.weights) - set(self.labels.targets))
        if unknown:
            raise ValueError(f"'score.weights' names '{unknown[0]}', which is no target")
        if self.submission.shape == "lists":
            between = self.labels.separator
            if cut := [name for name in self.labels.targets if between in name]:
                what = f"a list of labels with '{between}' between cannot hold '{cut[0]}'"
                raise ValueError(f"{what}: set 'labels.separator', or another 'submission.shape'")
        if self.task == "multilabel":
            if len(self.labels.targets) == 1:
                raise ValueError(
                    "task multilabel has several columns in 'labels.targets'; of a single one it is binary"
                )
            if self.classes:
                raise ValueError("'classes' has no meaning for task multilabel: its labels are 'labels.targets'")
            return self
        if twice := [name for name in self.classes or () if self.classes.count(name) > 1]:
            raise ValueError(f"'classes' has '{twice[0]}' twice")
        if taken := [name for name in self.columns if name in ("id", "fold", "expected")]:
            raise ValueError(f"a class is called '{taken[0]}', a name that the kit's own tables need")
        if len(self.labels.targets) != 1:
            raise ValueError(f"task {self.task} has one column in 'labels.targets', found {len(self.labels.targets)}")
        if self.task == "binary":
            if self.classes and len(self.classes) != 2:
                raise ValueError(f"task binary has two 'classes' (negative, positive), found {len(self.classes)}")
        elif not self.classes or len(self.classes) < 3:
            raise ValueError(f"task {self.task} needs three or more 'classes'")
        return self

    def _agree_on_parts(self) -> None:
        if self.labels.shape not in ("wide", "one_hot", "lists"):
            raise ValueError("'labels.part' is for tables with a row for each image")
        if self.upload != "local":
            raise ValueError(
                "'labels.part' is for upload: local; at Kaggle the sample submission lists the test images"
            )
        others = {"labels.test": self.labels.test, "labels.holdout": self.labels.holdout}
        others["submission.sample"] = self.submission.sample
        if also := [key for key, value in others.items() if value]:
            raise ValueError(f"'labels.part' and '{also[0]}' both say what the test part is: leave one out")

    @cached_property
    def class_names(self) -> list[str]:
        """Values of the target column, in the order of their numbers; '0' and '1' if competition.yaml names none."""
        return self.classes or ["0", "1"]

    @property
    def one_of_many(self) -> bool:
        """True if each sample has exactly one of three or more classes."""
        return self.task in ("multiclass", "ordinal")

    @property
    def columns(self) -> list[str]:
        """Names of the prediction columns: the target (binary), the labels (multilabel) or the classes."""
        return self.class_names if self.one_of_many else self.labels.targets


def groups_known(competition: Competition) -> bool:
    """True if the facts say which images are of one patient, or of one unit of the score."""
    labels = competition.labels
    return bool(labels.group or labels.group_pattern or competition.score.unit)
