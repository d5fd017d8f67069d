"""competition.yaml -> Competition: the facts of one task."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from medfold import config
from medfold.config import Strict
from medfold.errors import UserError
from medfold.kaggle_api import slug_of
from medfold.paths import CompetitionPaths, Paths

Symmetry = Literal["none", "horizontal", "dihedral"]
Task = Literal["binary", "multiclass", "multilabel", "ordinal"]


class Labels(Strict):
    """Where the labels are and what they look like."""

    shape: str = "wide"  # a function of samples.py: wide, folders, arrays
    file: str = ""  # the table or array file, below raw/
    id: str = "id"  # column of the id
    targets: list[str] = Field(min_length=1)  # columns of the targets; binary, multiclass and ordinal have one
    group: str | None = None  # column of what must not be split between folds
    group_pattern: str | None = None  # or: a regular expression on the id; its group 'group', else all it matches
    keep: tuple[str, ...] = ()  # further columns for the sample table; everything else stays in raw/
    train: tuple[str, ...] = ("train",)  # shape arrays: the prefixes of the arrays that make up the training part
    counts: dict[str, int] | None = None  # samples expected per part


class Images(Strict):
    """Where the images are and how they may be turned."""

    train: list[str] = Field(min_length=1)  # patterns below raw/ with {id}, {label} or any column of the label file
    test: list[str] = Field(min_length=1)
    root: str = ""  # the folder below raw/ in which all of this stands
    channels: Literal[1, 3] = 3
    shape: list[int] | None = None  # [height, width] expected of every image; else any
    symmetry: Symmetry = "none"

    @field_validator("train", "test", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Score(Strict):
    """How predictions are scored."""

    metric: str  # a function of scoring/metrics.py
    also: tuple[str, ...] = ()  # further metrics to show beside it


class Submission(Strict):
    """The shape of the file to upload."""

    sample: str | None = None  # sample file below raw/; the kit makes one where the data brings none
    id: str = "id"


class Folds(Strict):
    """How the training part is cut."""

    k: int = Field(default=5, ge=2)
    seed: int = Field(default=42, ge=0)
    method: Literal["stratified", "group", "stratified-group"] = "stratified"


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
        return [str(item) for item in value] if isinstance(value, list) else value

    @model_validator(mode="after")
    def _agree(self) -> "Competition":
        if self.task == "multilabel":
            if self.classes:
                raise ValueError("'classes' has no meaning for task multilabel: its labels are 'labels.targets'")
            return self
        if len(self.labels.targets) != 1:
            raise ValueError(f"task {self.task} has one column in 'labels.targets', found {len(self.labels.targets)}")
        if self.task == "binary":
            if self.classes and len(self.classes) != 2:
                raise ValueError(f"task binary has two 'classes' (negative, positive), found {len(self.classes)}")
        elif not self.classes or len(self.classes) < 3:
            raise ValueError(f"task {self.task} needs three or more 'classes'")
        return self

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


def folder_of(root: Paths, text: str) -> str:
    """The competition folder that a name, a Kaggle slug or a pasted Kaggle address stands for.

    An address stands for the folder whose source or url is that competition or data set, else for the folder of its
    last part, whether there is one or not.

    Raises:
        UserError: neither a name nor an address of Kaggle.
    """
    if "/" not in text:
        return text
    slug = next((slug for folder in ("competitions", "datasets") if (slug := _slug(text, folder))), None)
    if slug is None:
        raise UserError("neither a folder under competition/ nor a Kaggle address", text)
    for name in root.competitions():
        facts = config.load(root.competition(name).facts, root.bases)
        source = facts.get("source")
        addresses = [source.get("slug") if isinstance(source, dict) else None, facts.get("url")]
        known = {_slug(str(address), folder) for address in addresses for folder in ("competitions", "datasets")}
        if slug in known:
            return name
    return slug.rpartition("/")[2]


def _slug(text: str, folder: str) -> str | None:
    try:
        return slug_of(text, folder)
    except ValueError:
        return None


def load(paths: CompetitionPaths, bases: Path) -> Competition:
    """The facts of a competition.

    Raises:
        UserError: the file is missing, not YAML, or holds an unknown key or a wrong value; the key is named.
    """
    return config.validated(Competition, config.load(paths.facts, bases), paths.facts.relative_to(paths.root))
