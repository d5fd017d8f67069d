"""YAML files with `extends`, validated by pydantic models, with errors that name the file and the key."""

from collections.abc import Sequence
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
    def _check_numbers_are_no_booleans(cls, value: Any, info: ValidationInfo) -> Any:
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


def load(path: Path, bases: Path) -> dict[str, Any]:
    """Reads a YAML mapping and merges it into the bases that it `extends`; keys get their current names before.

    `extends: x` means `x.yaml` beside the file or, if there is none, in `bases`. With `extends: [x, y]`, y overrides x.
    Mappings are merged key by key; any other value, including a list, replaces that of the base.

    Raises:
        UserError: no such file, not YAML, not a mapping, or circular `extends`.
    """
    return _load(path, bases, _former_names(path), ())


def load_bases(names: Sequence[str], path: Path, bases: Path) -> dict[str, Any]:
    """Loads the bases `names` as if a file at `path` extended them; the file need not exist.

    Raises:
        UserError: as `load`, for one of the bases.
    """
    return _load_bases(names, path, bases, _former_names(path), ())


def _load(path: Path, bases: Path, former_names: Names, seen: tuple[Path, ...]) -> dict[str, Any]:
    content = with_current_names(read_yaml(path), former_names, path)
    extended = content.pop("extends", None)
    names = extended if isinstance(extended, list) else [extended] if extended is not None else []
    return merge(_load_bases(names, path, bases, former_names, seen), content)


def _load_bases(
    names: Sequence[Any], path: Path, bases: Path, former_names: Names, seen: tuple[Path, ...]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in names:
        result = merge(result, _load(_base_file(name, path, bases, seen), bases, former_names, (*seen, path)))
    return result


def _base_file(base: Any, path: Path, bases: Path, seen: tuple[Path, ...]) -> Path:
    if not is_plain_name(base):
        raise UserError(f"`extends: {base}` is not the name of a file", path, "Write the name without folder and .yaml")
    candidates = [path.with_name(f"{base}.yaml"), bases / f"{base}.yaml"]
    base_file = next((file for file in candidates if file.is_file() and file not in (*seen, path)), None)
    if base_file is None:
        is_circular = any(file in (*seen, path) for file in candidates)
        stems = {file.stem for folder in (path.parent, bases) for file in folder.glob("*.yaml")}
        if not _holds_facts(path.stem):  # a recipe, which cannot extend facts
            stems = {stem for stem in stems if not _holds_facts(stem)}
        known = sorted(stems - {path.stem})
        if is_circular:
            raise UserError(f"`extends: {base}` is circular", path, "Remove it")
        what = f"`extends: {base}` names no file{did_you_mean(str(base), known)}"
        raise UserError(what, path, f"Known: {', '.join(known)}" if known else None)
    return base_file


def _holds_facts(name: str) -> bool:
    """Returns True for competition.yaml and the shared facts that it extends, by their names."""
    return name == "competition" or name.endswith("_facts")


def _former_names(path: Path) -> Names:
    return earlier_versions.FACTS if _holds_facts(path.stem) else earlier_versions.RECIPE


def with_current_names(content: dict[str, Any], former_names: Names, where: object) -> dict[str, Any]:
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
        raise UserError(str(error), where) from None


def merge(base: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Merges `overrides` into a copy of `base`, key by key."""
    result = dict(base)
    for key, value in overrides.items():
        are_mappings = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if are_mappings else value
    return result


def validated(
    model: type[Model], content: Any, where: object, elsewhere: tuple[type[BaseModel], str] | None = None
) -> Model:
    """Validates `content` as a `model`.

    Args:
        model: the pydantic class that defines the keys.
        content: values by key, as `load` returns them.
        where: the file, for the error message.
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
        fix = "docs/reference.md explains all keys" if any(text.endswith("is missing") for text in problems) else None
        raise UserError(shorten_list(problems, max_shown=2, separator="; "), where, fix) from None


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens nested mappings: `{"training": {"epochs": 3}}` -> `{"training.epochs": 3}`."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        result |= flat(value, name) if isinstance(value, dict) else {name: value}
    return result
