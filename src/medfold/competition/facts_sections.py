"""The sections of competition.yaml: labels, images, score, submission, folds."""

import re
import string
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from medfold.config import RawPath, StrictModel
from medfold.system.path_checks import check_path_below

Symmetry = Literal["none", "horizontal", "dihedral"]

MAX_SEED = 2**32 - 1  # the largest seed of NumPy and scikit-learn
DEFAULT_MAX_MEGABYTES = 256
MAX_PATTERN_LENGTH = 1000  # length of labels.group_pattern

# Columns of medfold's own tables, such as the sample table: no target or kept column may have such a name.
RESERVED_COLUMNS = (
    "id",
    "part",
    "image",
    "group",
    "unit",
    "fold",
    "patient",
    "usage",
    "unreadable_reason",
    "pixel_hash",
    "expected",
)


def items_as_text(value: Any) -> Any:
    """Converts the items of a list to text; leaves lists and mappings among them, and any other value, unchanged."""
    if not isinstance(value, list):
        return value
    return [item if isinstance(item, list | dict) else str(item) for item in value]


def _check_pattern(pattern: str) -> str:
    """Returns a text with fields in braces, such as `{id}` or `{id:05d}`.

    Raises:
        ValueError: unmatched braces, a field without a name, or a format other than a padding.
    """
    try:
        fields = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"'{pattern}' is not a pattern ({error})") from None
    for _, field, spec, conversion in fields:
        if field is None:
            continue
        if not field:
            raise ValueError(f"'{pattern}' has an empty field {{}}; write the name of a column in it")
        if conversion:
            raise ValueError(f"'{pattern}' is not a pattern: '!{conversion}' has no meaning; remove it")
        if not re.fullmatch(r"(0?[<>]?\d{1,2}d?)?", spec, re.ASCII):
            raise ValueError(f"'{pattern}' is not a pattern: '{spec[:20]}' is not a padding such as 05d")
    return pattern


class LabelFacts(StrictModel):
    """Location and layout of the labels."""

    layout: str = Field(default="wide", description="Layout of the labels in the raw data; see the layouts below.")
    file: RawPath = Field(
        default="",
        description="Table or array file with the labels, below `raw/` and `images.root`. Layout `arrays`: by default "
        "`source.file`. Not for layout `folders`.",
    )
    id: str = Field(
        default="id",
        description="Column with the id of the image. Layout `folders`: a pattern such as `{label}/{id}` makes ids; "
        "without one, ids are file names, or paths where file names repeat.",
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
        description="Layout `lists`: text between the names, such as `|`. A space means any white space.",
    )
    ignore: list[str] = Field(
        default=[], description="Layout `lists`: names that are not targets, such as `No Finding`."
    )
    map: dict[str, str | None] = Field(
        default={},
        description="Meaning of the values in the label columns: the class, or `null` to leave the image out. Numbers "
        'are read as text. Example: `{-1: 1, "?": null}`. With layout `folders` the values '
        "are names of folders, with `lists` the names in a list. Not for layout `one_hot`.",
    )
    repeated: Literal["refuse", "same", "max", "majority"] = Field(
        default="refuse",
        description="Several rows of one id. `refuse`: an error. `same`: they must agree and count once. `max`: the "
        "highest class counts. `majority`: the most frequent class counts; of equally frequent ones, the highest.",
    )
    group: str | None = Field(
        default=None,
        description="Column whose groups, such as patients, must not be split between folds. Also a header of "
        "`images.dicom_headers`; or, with layout `folders`, a field of `images.train` (`{label}/{patient}/{id}.png`).",
    )
    group_pattern: str | None = Field(
        default=None,
        description="Regular expression that finds the group at the start of the id, for data without a column for "
        "`labels.group`; `.*` skips what comes before. The part of the match named `group` counts, else the first "
        "capture group, else the whole match.",
    )
    keep_columns: tuple[str, ...] = Field(
        default=(),
        description="More columns for the sample table, used by the audit and for scores of subgroups. All others stay "
        "in `raw/`.",
    )
    split: str | None = Field(
        default=None,
        description="Column that marks each row as training, validation or test (`train`, `val`, `Testing`, ...). "
        "Validation rows are trained on, or become the test set if there is no other. "
        "`images.test` may then be left out. Needs `upload: none` and a table with a row per image.",
    )
    test_file: RawPath | None = Field(
        default=None,
        description="Table of the test images. Without it the sample submission names them; without that, the files "
        "that match `images.test`. With labels in it, submissions are scored locally (`upload: none`).",
    )
    holdout: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="If there is no test set: share of the images, in whole groups, for a local leaderboard. "
        "`make folds` sets it aside, after joining copies of an image into groups.",
    )
    train_arrays: tuple[str, ...] = Field(
        default=("train",), description="Layout `arrays`: prefixes of the arrays of the training set."
    )
    expected_counts: dict[str, int] | None = Field(
        default=None, description="Expected number of samples, `{train: n, test: n}`; any other number is an error."
    )

    @field_validator("targets", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return items_as_text(value)

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        return _check_pattern(value) if "{" in value else value  # else the name of a column

    @field_validator("map", mode="before")
    @classmethod
    def _map_of_texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key): name if name is None else str(name) for key, name in value.items()}

    @field_validator("group_pattern")
    @classmethod
    def _check_regex(cls, value: str | None) -> str | None:
        if len(value or "") > MAX_PATTERN_LENGTH:
            raise ValueError(f"not a regular expression of at most {MAX_PATTERN_LENGTH:,} characters")
        try:
            re.compile(value or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression ({error})") from None
        return value

    @model_validator(mode="after")
    def _check_columns(self) -> "LabelFacts":
        if repeated := [name for name in self.targets if self.targets.count(name) > 1]:
            raise ValueError(f"'labels.targets' has '{repeated[0]}' twice: remove one")
        for key, columns in (("targets", self.targets), ("keep_columns", self.keep_columns)):
            if reserved := [name for name in columns if name in RESERVED_COLUMNS]:
                raise ValueError(
                    f"'labels.{key}' has '{reserved[0]}', which is reserved for medfold's own tables: rename the column"
                )
        if targets := [name for name in self.keep_columns if name in self.targets or not name]:
            raise ValueError(f"'labels.keep_columns' has '{targets[0]}', which is a target or no name: remove it")
        if self.group in self.keep_columns:
            raise ValueError(
                f"'labels.keep_columns' would publish the group column '{self.group}': remove it there; its number is "
                "kept anyway"
            )
        return self


class ImageFacts(StrictModel):
    """Location and reading of the images, and the flips and rotations that keep them valid."""

    train: list[str] = Field(
        default=[],
        description="Pattern, or list of patterns, for the paths of the training images below `raw/`, such as "
        "`train/{id}.png`. Fields are `{id}`, `{label}` and any column of the label table; `{id:05d}` is a number "
        "padded with zeros. `images.hdf5#{id}` is one image in a file that holds many. Required, except for layout "
        "`arrays`, whose images are in `labels.file`.",
    )
    test: list[str] = Field(
        default=[],
        description="The same for the test images. Layout `folders`: leave `{label}` out if their labels are unknown.",
    )
    exclude: list[str] = Field(
        default=[],
        description='Files that are not samples, such as masks: `["*_mask.png", "masks/*"]`. `*` stands for any '
        "characters.",
    )
    root: RawPath = Field(
        default="", description="Folder below `raw/` in which patterns, label tables and sample submission are found."
    )
    channels: int | list[str] = Field(
        default=3,
        description="Number of channels, 1 to 8. Or a list of names to insert for `{channel}` in the patterns: one "
        "grey file per channel. A pretrained net sees three: grey is repeated; of four or more it sees the first "
        "three, until all its layers are trained and it learns to mix them. With `training.epochs: 0` it never sees "
        "the others.",
    )
    windows: list[str | tuple[float, float]] = Field(
        default=[],
        description="CT: intensity windows, one channel each: names, or `[centre, width]` in Hounsfield units (HU). A "
        "single window needs no list.",
    )
    range: tuple[float, float] | None = Field(
        default=None,
        description="`[low, high]`: pixel values that become 0 and 255, for images with more than 8 bits. Without it: "
        "the window in the file, else the minimum and maximum of the image.",
    )
    frame: Literal["first", "middle", "last", "montage"] | int = Field(
        default="first",
        description="Which frame to use if a file has several; numbers count from 0. `montage`: all frames as tiles of "
        "one image.",
    )
    dicom_headers: list[str] = Field(
        default=[],
        description="DICOM keywords to add as columns to the label table, for example for `labels.group`.",
    )
    expected_shape: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="`[height, width]` in pixels; images of another size count as unreadable."
    )
    symmetry: Symmetry = Field(
        default="none",
        description="Flips and rotations that leave the label right. `none`: no flips or rotations. `horizontal`: "
        "flips left to right. `dihedral`: all flips and rotations by 90 degrees. Limits augmentation at training and "
        "test time.",
    )
    max_unreadable: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the images that may be missing or unreadable. They are listed in "
        "`data/<name>/unreadable_images.csv`.",
    )

    max_megabytes: int = Field(
        default=DEFAULT_MAX_MEGABYTES,
        ge=1,
        description="Largest image, in megabytes when decoded; a larger one counts as unreadable. So a small file that "
        "declares a huge image cannot fill the memory. Raise it for whole slides: reading takes several times as much.",
    )

    @field_validator("train", "test", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("windows", mode="before")
    @classmethod
    def _as_windows(cls, value: Any) -> Any:
        is_pair = isinstance(value, list) and len(value) == 2 and all(isinstance(item, int | float) for item in value)
        return [value] if is_pair or isinstance(value, str) else value

    @field_validator("train", "test")
    @classmethod
    def _check_patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            _check_pattern(pattern)
            check_path_below(pattern, "raw/")
        return value

    @field_validator("range")
    @classmethod
    def _check_range(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and value[0] == value[1]:
            raise ValueError("the two values are equal, so every image would be black; expected [low, high]")
        return value

    @model_validator(mode="after")
    def _check_channels(self) -> "ImageFacts":
        if not 1 <= self.num_channels <= 8:
            raise ValueError(f"'images.channels' must be 1 to 8, found {self.num_channels}")
        if self.windows and self.num_channels != len(self.windows):
            num_windows = len(self.windows)
            raise ValueError(
                f"'images.channels' is {self.num_channels}, and 'images.windows' has {num_windows}: each window is a "
                f"channel. Set channels to {num_windows}, or change the windows"
            )
        return self

    @property
    def num_channels(self) -> int:
        """The number of channels."""
        return self.channels if isinstance(self.channels, int) else len(self.channels)


class ScoreFacts(StrictModel):
    """Scoring of the predictions."""

    metric: str = Field(description="Metric of the leaderboard; see the metrics below.")
    more_metrics: tuple[str, ...] = Field(default=(), description="More metrics to compute and show beside it.")
    weights: dict[str, float | tuple[float, float]] = Field(
        default={},
        description="Metric `weighted_log_loss`: weight of each label, a number or `[negatives, positives]`. Labels "
        "without an entry weigh 1.",
    )
    beta: float = Field(default=1, gt=0, description="Metric `fbeta`: weight of recall relative to precision.")
    unit: str | None = Field(
        default=None,
        description="Unit of one row of score and submission, if not an image: a pattern of columns, such as "
        "`{patient_id}_{laterality}`.",
    )
    aggregate: Literal["mean", "max"] = Field(
        default="mean", description="How the predictions of a unit's images are combined."
    )

    @field_validator("unit")
    @classmethod
    def _check_unit(cls, value: str | None) -> str | None:
        return _check_pattern(value) if value else value

    @field_validator("metric", mode="before")
    @classmethod
    def _check_not_empty(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("not filled in yet; see the competition's page, or the metrics in docs/reference.md")
        return value


class SubmissionFacts(StrictModel):
    """Layout of the file to upload."""

    sample: RawPath | None = Field(
        default=None,
        description="Sample submission, below `raw/` and `images.root`. Made by medfold if the data has none.",
    )
    id: str = Field(
        default="",
        description="Column with the ids. Default: `labels.id` if there is a sample submission with a row per image, "
        "else `id`.",
    )
    layout: Literal["wide", "long", "lists"] = Field(
        default="wide",
        description="`wide`: a row per unit. `long`: a row per unit and label, named `<unit>_<label>`. `lists`: a row "
        "per unit with the names of its labels, separated by `labels.separator`.",
    )
    allow_empty_lists: bool = Field(
        default=False,
        description="Layout `lists`: a list may be empty. If not, a list without a decided label gets the most "
        "probable one.",
    )


class FoldFacts(StrictModel):
    """Split of the training set into folds."""

    k: int = Field(default=5, ge=2, description="Number of folds.")
    seed: int = Field(default=42, ge=0, le=MAX_SEED, description="Seed of the split.")
    method: Literal["auto", "stratified", "group", "stratified_group"] = Field(
        default="auto",
        description="`stratified`: equal shares of the classes; for data without groups. `group`: groups stay whole. "
        "`stratified_group`: both. `auto`: `stratified_group` with `labels.group` or `labels.group_pattern`, else "
        "`stratified`.",
    )
    duplicates: Literal["exact", "near"] = Field(
        default="exact",
        description="Copies to join into one group. `exact`: images with equal pixels. `near`: near-duplicates too.",
    )
