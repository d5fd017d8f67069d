"""YAML files with `extends`, validated by pydantic models, with errors that name the file and the key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from medfold import earlier_versions
from medfold.config_errors import describe_errors
from medfold.earlier_versions import Names
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.system.path_checks import check_path_below, check_plain_name, is_plain_name
from medfold.text import did_you_mean, shorten_list
from medfold.yaml_files import read_yaml

# Names and paths of files in configuration files, which others may have written; see `system.path_checks`.
PlainName = Annotated[str, AfterValidator(check_plain_name)]
RawPath = Annotated[str, AfterValidator(lambda path: check_path_below(path, "raw/"))]


class StrictModel(BaseModel):
    """Base of all sections of configuration files: unknown keys are errors, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _check_numbers_are_not_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name].annotation
        types = set(get_args(annotation) or (annotation,))
        if isinstance(value, bool) and types & {int, float} and bool not in types:
            raise ValueError("expected a number" if float in types else "expected a whole number")
        return value


class SettingsFile(StrictModel):
    """Base of a whole configuration file: settings that have their former name are read as well."""

    former_names: ClassVar[Names] = {}

    @model_validator(mode="before")
    @classmethod
    def _rename_former_keys(cls, content: Any) -> Any:
        return earlier_versions.with_current_names(content, cls.former_names)


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Settings:
    """Settings of a file and of what it extends, and where each of them is set.

    Args:
        content: values by key, nested.
        locations: the file or option that sets a key last, by flat key, such as `training.epochs`.
    """

    content: dict[str, Any]
    locations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: dict[str, Any], location: str) -> "Settings":
        """Returns settings that are all from one file or option."""
        return cls(content, dict.fromkeys(flat(content), location))

    def overridden_by(self, other: "Settings") -> "Settings":
        """Returns these settings with those of another file or option merged into them, key by key."""
        kept = {key: where for key, where in self.locations.items() if key not in other.locations}
        return Settings(merge(self.content, other.content), {**kept, **other.locations})

    def location(self, key: str) -> str | None:
        """Returns where a key, or for a section its last key, is set; None if it is not set."""
        found = [
            where
            for known, where in self.locations.items()
            if not key or known == key or known.startswith(f"{key}.") or key.startswith(f"{known}.")
        ]
        return found[-1] if found else None


@dataclass(frozen=True)
class SettingsFiles:
    """Settings files of one kind, which can extend each other.

    Args:
        folders: their folders, in the order in which a file is looked for.
        former_names: table of `earlier_versions` with former names of keys.
        may_be_extended: (name of a file) -> True if a file of this kind may extend it.
    """

    folders: Sequence[Path]
    former_names: Names
    may_be_extended: Callable[[str], bool]

    def load(self, path: Path) -> Settings:
        """Loads a settings file with all files that it extends.

        Former names of keys are replaced in each file first. `extends: x` means `x.yaml` beside the file or, if there
        is none, in `folders`; never the file itself. With `extends: [x, y]`, y overrides x, and x overrides what y
        extends. A file counts once. Mappings are merged key by key; any other value, including a list, replaces that
        of the base.

        Raises:
            UserError: no such file, not YAML, not a mapping, or circular `extends`.
        """
        result = Settings({})
        for file, content in self._in_order(path, ()).items():
            result = result.overridden_by(Settings.of(content, display_path(file)))
        return result

    def _in_order(self, path: Path, extending: tuple[Path, ...]) -> dict[Path, dict[str, Any]]:
        """Returns the content of all files that a file extends, and its own; later ones override earlier ones."""
        content = current_settings(read_yaml(path), self.former_names, path)
        extended = content.pop("extends", None)
        names = extended if isinstance(extended, list) else [extended] if extended is not None else []
        bases: dict[Path, dict[str, Any]] = {}
        extended_by_bases: dict[Path, dict[str, Any]] = {}
        for name in names:
            base = self._base(name, path, extending)
            files = self._in_order(base, (*extending, path))
            bases[base] = files.pop(base)
            extended_by_bases |= files
        return {**extended_by_bases, **bases, path: content}

    def _base(self, name: Any, path: Path, extending: tuple[Path, ...]) -> Path:
        """Returns the file that `path` extends by a name."""
        if not is_plain_name(name):
            raise UserError(
                f"`extends: {name}` is not the name of a file", path, "Write the name without folder and .yaml"
            )
        folders = dict.fromkeys([path.parent, *self.folders])
        files = [folder / f"{name}.yaml" for folder in folders] if self.may_be_extended(name) else []
        candidates = [file for file in files if file.is_file()]
        base = next((file for file in candidates if file not in (*extending, path)), None)
        if base is not None:
            return base
        if candidates:
            raise UserError(f"`extends: {name}` is circular", path, "Remove it")
        stems = {file.stem for folder in folders for file in folder.glob("*.yaml")}
        known = sorted(stem for stem in stems - {path.stem} if self.may_be_extended(stem))
        what = f"`extends: {name}` names no file{did_you_mean(str(name), known)}"
        raise UserError(what, path, f"Known: {', '.join(known)}" if known else None)


def current_settings(content: dict[str, Any], former_names: Names, where: object) -> dict[str, Any]:
    """Gives settings their current names, so that one of an earlier version overrides the same one of a base.

    Args:
        content: facts or a recipe, or a part of them.
        former_names: `FACTS` or `RECIPE` of `earlier_versions`.
        where: the file or option that holds them, for the error message.

    Raises:
        UserError: a key is there under both names.
    """
    try:
        return earlier_versions.with_current_names(content, former_names)
    except ValueError as error:
        raise UserError(str(error), where, "Remove the former name") from None


def merge(base: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Merges `overrides` into a copy of `base`, key by key."""
    result = dict(base)
    for key, value in overrides.items():
        are_mappings = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if are_mappings else value
    return result


def validated(
    model: type[Model],
    content: Any,
    where: object | Callable[[str], object],
    elsewhere: tuple[type[BaseModel], str] | None = None,
) -> Model:
    """Validates `content` as a `model`.

    Args:
        model: the pydantic class that defines the keys.
        content: values by key, nested.
        where: the file, for the error message; or (flat key) -> the file that sets it.
        elsewhere: the class of another file, and the name of that file, for keys that belong there. Defaults to none.

    Returns:
        An instance of `model`.

    Raises:
        UserError: in one line, the key, what is wrong with it and, for an unknown key, the nearest known one or the
            file that it belongs in.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = describe_errors(error, model, elsewhere)
        locations = {key: where(key) if callable(where) else where for key in problems}
        first = next(iter(locations.values()))
        texts = [text for key, text in problems.items() if locations[key] == first]
        fix = "docs/reference.md explains all keys" if any(text.endswith("is missing") for text in texts) else None
        raise UserError(shorten_list(texts, max_shown=2, separator="; "), first, fix) from None


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens nested mappings: `{"training": {"epochs": 3}}` -> `{"training.epochs": 3}`."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        result |= flat(value, name) if isinstance(value, dict) else {name: value}
    return result
