"""The facts of one competition, as read from competition.yaml."""

from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from medfold import config, earlier_versions
from medfold.competition.facts_sections import (
    DEFAULT_MAX_MEGABYTES,
    FoldFacts,
    ImageFacts,
    LabelFacts,
    ScoreFacts,
    SubmissionFacts,
    items_as_text,
)
from medfold.text import did_you_mean, shorten_list

Task = Literal["binary", "multiclass", "multilabel", "ordinal"]


class CompetitionFacts(config.SettingsFile):
    """The facts of one competition: the content of competition.yaml."""

    former_names: ClassVar[earlier_versions.Names] = earlier_versions.FACTS

    title: str = Field(description="Name of the competition, shown in reports.")
    url: str | None = Field(
        default=None,
        description="Address of the competition or data set, where `source` does not name it. If `source` names no "
        "competition on Kaggle, `make submit` uploads to the one at this address.",
    )
    licence: str | None = Field(default=None, description="Licence of the data, shown in reports.")
    source: dict[str, Any] = Field(description="Source of the raw data: `kind`, and the options of that kind.")
    upload: Literal["csv", "notebook", "none"] = Field(
        description="What `make submit` uploads to be scored. `csv`: the file, to Kaggle. `notebook`: a notebook that "
        "writes the file on Kaggle. `none`: nothing; if `data/` has the labels of the test set, the local leaderboard "
        "scores the file.",
    )
    task: Task = Field(
        description="`binary`: one label, yes or no. `multiclass`: one of several classes. `multilabel`: several "
        "labels, each yes or no. `ordinal`: one of several classes that have an order, such as grades.",
    )
    classes: list[str] | None = Field(
        default=None,
        description="Values of the target column, the negative or lowest first; numbers are read as text. Required "
        "for `multiclass` and `ordinal`, not for `multilabel`; without it a binary task has `0` and `1`.",
    )
    labels: LabelFacts
    images: ImageFacts
    score: ScoreFacts
    submission: SubmissionFacts = SubmissionFacts()
    folds: FoldFacts = FoldFacts()

    @field_validator("classes", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return items_as_text(value)

    @model_validator(mode="after")
    def _resolve_defaults(self) -> "CompetitionFacts":
        """Resolves defaults that depend on other keys, so that recorded facts show the values in effect."""
        if not self.submission.id:
            has_image_rows = self.submission.sample and not self.score.unit and "{" not in self.labels.id
            self._resolve("submission", id=self.labels.id if has_image_rows else "id")
        if self.labels.layout == "arrays" and not self.labels.file:
            self._resolve("labels", file=str(self.source.get("file", "")))
        if self.folds.method == "auto":
            is_grouped = self.labels.group or self.labels.group_pattern
            self._resolve("folds", method="stratified_group" if is_grouped else "stratified")
        return self

    def _resolve(self, section: str, **values: str) -> None:
        resolved = getattr(self, section).model_copy(update=values)
        object.__setattr__(self, section, resolved)  # the model is frozen once it is validated

    @model_validator(mode="after")
    def _check_consistency(self) -> "CompetitionFacts":
        """Checks that keys of different sections fit each other."""
        self._check_test_set()
        if self.labels.group and self.labels.group_pattern:
            raise ValueError("'labels.group' and 'labels.group_pattern' both define the groups: remove one")
        self._check_label_map()
        self._check_score()
        self._check_lists()
        if self.task == "multilabel":
            self._check_labels()
        else:
            self._check_classes()
        return self

    def _check_test_set(self) -> None:
        has_arrays = self.labels.layout == "arrays"
        if not self.images.train and not has_arrays:
            raise ValueError("'images.train' is missing: the pattern of the training images, such as train/{id}.png")
        if has_arrays and not self.labels.file:
            raise ValueError("'labels.file' is missing: the file with the arrays, such as data.npz")
        if has_arrays and self.labels.holdout:
            raise ValueError("'labels.holdout': remove it; with labels.layout arrays the file has a test set")
        if self.labels.split:
            self._check_split_column()
        elif not has_arrays and self.images.test and self.labels.holdout:
            raise ValueError("'images.test' and 'labels.holdout' are both set: remove one, either makes a test set")
        elif not has_arrays and not self.images.test and not self.labels.holdout:
            raise ValueError(
                "no test set: set either 'images.test' (the test images) or 'labels.holdout' (a share of the images)"
            )
        if self.labels.holdout and self.submission.sample:
            raise ValueError("a test set made by 'labels.holdout' has no 'submission.sample': remove it")
        if self.labels.holdout and self.score.unit:
            raise ValueError("'labels.holdout' selects images, not units: remove 'score.unit'")

    def _check_label_map(self) -> None:
        if self.labels.map and self.labels.layout == "one_hot":
            raise ValueError("'labels.map': remove it; the columns of labels.layout one_hot hold 0 and 1")
        known = self.labels.targets if self.labels.layout == "lists" else self.class_names
        if unknown_classes := [name for name in self.labels.map.values() if name is not None and name not in known]:
            name = unknown_classes[0]
            choices = f"write one of {shorten_list(known, 12)}"
            raise ValueError(f"'labels.map' maps a value to '{name}'{did_you_mean(name, known)}: {choices}")

    def _check_score(self) -> None:
        if self.score.unit and self.task == "multiclass":
            raise ValueError("'score.unit' is for tasks binary, multilabel and ordinal: remove it, or change 'task'")
        unknown = sorted(set(self.score.weights) - set(self.labels.targets))
        if unknown:
            hint = did_you_mean(unknown[0], self.labels.targets)
            raise ValueError(f"'score.weights' names '{unknown[0]}', which is not in 'labels.targets'{hint}")

    def _check_lists(self) -> None:
        if self.submission.layout == "lists":
            separator = self.labels.separator
            if split_names := [name for name in self.labels.targets if separator in name]:
                problem = f"a list separated by '{separator}' cannot contain '{split_names[0]}'"
                raise ValueError(f"{problem}: set 'labels.separator', or another 'submission.layout'")

    def _check_labels(self) -> None:
        """Checks the labels of a multilabel task."""
        if len(self.labels.targets) == 1:
            raise ValueError(
                "'labels.targets': task multilabel needs several columns; for a single one, use task binary"
            )
        if self.classes:
            raise ValueError("'classes': remove it; the labels of task multilabel are 'labels.targets'")

    def _check_classes(self) -> None:
        """Checks the classes of a task with one target column."""
        if repeated := [name for name in self.classes or () if self.classes.count(name) > 1]:
            raise ValueError(f"'classes' has '{repeated[0]}' twice: remove one")
        if reserved := [name for name in self.prediction_columns if name in ("id", "fold", "expected")]:
            raise ValueError(
                f"a class has the name '{reserved[0]}', which is reserved for medfold's own tables: rename it"
            )
        if len(self.labels.targets) != 1:
            found = f"task {self.task} has one column, found {len(self.labels.targets)}"
            raise ValueError(f"'labels.targets': {found}; for several labels per image set task: multilabel")
        if self.task == "binary":
            if self.classes and len(self.classes) != 2:
                raise ValueError(f"'classes': task binary has two (negative, positive), found {len(self.classes)}")
        elif not self.classes or len(self.classes) < 3:
            found = f"task {self.task} needs three or more, found {len(self.classes or ())}"
            raise ValueError(f"'classes': {found}: list the values of the target column, such as [a, b, c]")

    def _check_split_column(self) -> None:
        if self.labels.layout not in ("wide", "one_hot", "lists"):
            raise ValueError(
                "'labels.split' is for tables with a row for each image (layout wide, one_hot or lists): remove it"
            )
        if self.upload != "none":
            raise ValueError(
                "'labels.split' is for upload: none; on Kaggle the sample submission lists the test images"
            )
        other_keys = {"labels.test_file": self.labels.test_file, "labels.holdout": self.labels.holdout}
        other_keys["submission.sample"] = self.submission.sample
        if conflicts := [key for key, value in other_keys.items() if value]:
            raise ValueError(f"'labels.split' and '{conflicts[0]}' both define the test set: remove one")

    def fingerprint_input(self, keys: Any = None) -> dict[str, Any]:
        """Returns what fingerprints of the facts are made from: JSON, under the names of earlier versions.

        Args:
            keys: the keys to include, as pydantic's `include`. Defaults to all.
        """
        content = self.model_dump(mode="json", include=keys)
        if "images" in content and content["images"].get("max_megabytes") == DEFAULT_MAX_MEGABYTES:
            del content["images"]["max_megabytes"]  # earlier versions did not have it
        return earlier_versions.with_former_names(content, earlier_versions.FACTS)

    @cached_property
    def class_names(self) -> list[str]:
        """Values of the target column, ordered by class number; '0' and '1' if competition.yaml has no `classes`."""
        return self.classes or ["0", "1"]

    @property
    def label_names(self) -> list[str]:
        """Names of all labels that an image can have: the targets (multilabel), else the classes."""
        return self.labels.targets if self.task == "multilabel" else self.class_names

    @property
    def has_exclusive_classes(self) -> bool:
        """True if each sample has exactly one of three or more classes."""
        return self.task in ("multiclass", "ordinal")

    @property
    def prediction_columns(self) -> list[str]:
        """Names of the prediction columns: the target (binary), the labels (multilabel) or the classes."""
        return self.class_names if self.has_exclusive_classes else self.labels.targets


def has_known_groups(facts: CompetitionFacts) -> bool:
    """Returns True if competition.yaml defines which images belong to one patient, or to one unit of the score."""
    labels = facts.labels
    return bool(labels.group or labels.group_pattern or facts.score.unit)
