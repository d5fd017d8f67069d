"""The sections of competition.yaml: labels, images, score, submission, folds."""

import re
import string
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from medfold.config import StrictModel

Symmetry = Literal["none", "horizontal", "dihedral"]

# Columns of the sample table and others that are the kit's own: no target or kept column may be called so.
RESERVED = ("id", "part", "image", "group", "unit", "fold", "patient", "usage", "bad", "hash", "expected")


def as_texts(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else value


class LabelFacts(StrictModel):
    """Where the labels are and what they look like."""

    shape: str = Field(default="wide", description="Layout of the labels in the raw data; see the layouts below.")
    file: str = Field(
        default="",
        description="Table or array file with the labels, below `raw/` and `images.root`. Not for layout `folders`.",
    )
    id: str = Field(
        default="id",
        description="Column with the id of the image. Layout `folders`: a pattern such as `{label}/{id}` makes ids; "
        "without one, names that recur are made of their paths.",
    )
    targets: list[str] = Field(
        min_length=1,
        description="Columns with the labels: several for `multilabel` tasks, else one. Layouts `long` and `lists`: "
        "the names of the labels. Layouts `one_hot`, `folders` and `arrays`: names of your choice.",
    )
    value: str = Field(
        default="", description="Layouts `long` and `lists`: column with the label, or with the names of the labels."
    )
    separator: str = Field(
        default=" ",
        min_length=1,
        description="Layout `lists`: text between the names, such as `|`. A space stands for any white space.",
    )
    ignore: list[str] = Field(
        default=[], description="Layout `lists`: names that are not targets, such as `No Finding`."
    )
    map: dict[str, str | None] = Field(
        default={},
        description="Meaning of the values in the label columns: the class as text, or `null` to leave the image out. "
        'Example: `{"-1": "1", "?": null}`. Layout `folders`: of names of folders; `lists`: of names in a list. '
        "Not for layout `one_hot`.",
    )
    repeated: Literal["refuse", "same", "any", "majority"] = Field(
        default="refuse",
        description="Several rows of one id. `refuse`: an error. `same`: they must agree and count once. `any`: the "
        "highest class counts. `majority`: the most frequent class counts, the highest of several.",
    )
    group: str | None = Field(
        default=None,
        description="Column of what must not be split between folds, such as the patient. Also a header of "
        "`images.headers`; or, with layout `folders`, a field of `images.train` (`{label}/{patient}/{id}.png`).",
    )
    group_pattern: str | None = Field(
        default=None,
        description="The group as a regular expression on the id, in place of `labels.group`. The part of the match "
        "named `group` counts, else the first part in parentheses, else the whole match.",
    )
    keep: tuple[str, ...] = Field(
        default=(),
        description="Further columns for the sample table, used by the audit and for scores of subgroups. Everything "
        "else stays in `raw/`.",
    )
    part: str | None = Field(
        default=None,
        description="Column that says of each row whether it is training, validation or test (`train`, `val`, "
        "`Testing`, ...). Validation rows are trained on, or are the test part where there is no other. "
        "`images.test` may then be left out. Needs `upload: local` and a table with a row per image.",
    )
    test: str | None = Field(
        default=None,
        description="Table of the test images. Without it the sample submission names them; without that, the files "
        "that match `images.test`. Labels in it make the local leaderboard (`upload: local`).",
    )
    holdout: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="Where there is no test part: share of the images, in whole groups, for a local leaderboard. "
        "`make folds` sets it aside, after copies of an image are joined.",
    )
    train: tuple[str, ...] = Field(
        default=("train",), description="Layout `arrays`: prefixes of the arrays of the training part."
    )
    counts: dict[str, int] | None = Field(
        default=None, description="Expected number of samples, `{train: n, test: n}`; any other is an error."
    )

    @field_validator("targets", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return as_texts(value)

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
    def _private(self) -> "LabelFacts":
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


class ImageFacts(StrictModel):
    """Where the images are, how they are read and how they may be turned."""

    train: list[str] = Field(
        min_length=1,
        description="Pattern, or list of patterns, for the paths of the training images below `raw/`, such as "
        "`train/{id}.png`. Fields are `{id}`, `{label}` and any column of the label table; `{id:05d}` is a number "
        "padded with zeros. `images.hdf5#{id}` is one image in a file that holds many.",
    )
    test: list[str] = Field(
        default=[],
        description="The same for the test images. Layout `folders`: without `{label}`, a test part whose labels are "
        "not known.",
    )
    exclude: list[str] = Field(
        default=[],
        description='Files that are not samples, such as masks: `["*_mask.png", "masks/*"]`. `*` stands for any '
        "characters.",
    )
    root: str = Field(
        default="", description="Folder below `raw/` in which patterns, label tables and sample submission are found."
    )
    channels: int | list[str] = Field(
        default=3,
        description="Number of channels, 1 to 8. Or a list of names that stand for `{channel}` in the patterns: one "
        "grey file per channel.",
    )
    windows: list[str | tuple[float, float]] = Field(
        default=[],
        description="CT: intensity windows, one channel each: names, or `[centre, width]` in Hounsfield units (HU).",
    )
    range: tuple[float, float] | None = Field(
        default=None,
        description="`[low, high]`: pixel values that become 0 and 255, for images deeper than 8 bits. Without it: the "
        "window that the file names, else the minimum and maximum of the image.",
    )
    frame: Literal["first", "middle", "last", "montage"] | int = Field(
        default="first",
        description="Frame to use of a file with several; numbers count from 0. `montage`: all frames as tiles of one "
        "image.",
    )
    headers: list[str] = Field(
        default=[],
        description="DICOM keywords that become columns of the label table, for `labels.group` for instance.",
    )
    shape: list[int] | None = Field(
        default=None, description="`[height, width]` in pixels; images of another size count as unreadable."
    )
    symmetry: Symmetry = Field(
        default="none",
        description="Views in which an image is equally valid. `none`: only as it is. `horizontal`: also mirrored "
        "left to right. `dihedral`: also all flips and quarter turns. Bounds augmentation at training and test time.",
    )
    tolerate: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the images that may be missing or unreadable. They are listed in "
        "`data/<competition>/bad_images.csv`.",
    )

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
    def _agree(self) -> "ImageFacts":
        if not 1 <= self.num_channels <= 8:
            raise ValueError(f"'images.channels' is 1 to 8, found {self.num_channels}")
        if self.windows and self.num_channels != len(self.windows):
            raise ValueError(
                f"{len(self.windows)} 'images.windows' make as many channels, "
                f"'images.channels' says {self.num_channels}"
            )
        return self

    @property
    def num_channels(self) -> int:
        """The number of channels."""
        return self.channels if isinstance(self.channels, int) else len(self.channels)


class ScoreFacts(StrictModel):
    """How predictions are scored."""

    metric: str = Field(description="Metric of the leaderboard; see the metrics below.")
    also: tuple[str, ...] = Field(default=(), description="Further metrics to show beside it.")
    weights: dict[str, float | tuple[float, float]] = Field(
        default={},
        description="Metric `weighted_log_loss`: weight of each label, a number or `[negatives, positives]`. Labels "
        "that are not named weigh 1.",
    )
    beta: float = Field(
        default=1, gt=0, description="Metric `fbeta`: how many times as much recall counts as precision."
    )
    unit: str | None = Field(
        default=None,
        description="What score and submission have one row for, if not the image: a pattern of columns, such as "
        "`{patient_id}_{laterality}`.",
    )
    aggregate: Literal["mean", "max"] = Field(
        default="mean", description="How the predictions of a unit's images become one."
    )

    @field_validator("metric", mode="before")
    @classmethod
    def _filled_in(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("not filled in yet; the competition's page says how submissions are scored")
        return value


class SubmissionFacts(StrictModel):
    """The shape of the file to upload."""

    sample: str | None = Field(
        default=None,
        description="Sample submission, below `raw/` and `images.root`. Made by the kit where the data has none.",
    )
    id: str = Field(default="id", description="Column with the ids.")
    shape: Literal["wide", "long", "lists"] = Field(
        default="wide",
        description="`wide`: a row per unit. `long`: a row per unit and label, named `<unit>_<label>`. `lists`: a row "
        "per unit with the names of its labels, with `labels.separator` between.",
    )
    empty: bool = Field(
        default=False,
        description="Shape `lists`: a list may be empty. If not, the most probable label is named where no label is "
        "decided.",
    )


class FoldFacts(StrictModel):
    """How the training part is cut."""

    k: int = Field(default=5, ge=2, description="Number of folds.")
    seed: int = Field(default=42, ge=0, description="Seed of the assignment.")
    method: Literal["stratified", "group", "stratified-group"] = Field(
        default="stratified",
        description="`stratified`: the classes in equal shares; for data without groups. `group`: groups stay whole. "
        "`stratified-group`: both.",
    )
    duplicates: Literal["exact", "near"] = Field(
        default="exact",
        description="Copies to join to one group. `exact`: images of equal pixels. `near`: near-duplicates as well.",
    )
