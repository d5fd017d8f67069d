"""YAML files with `extends`, validated by pydantic models, with errors that name the file and the key."""

import re
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from medfold.earlier_versions import SETTINGS, with_current_names
from medfold.errors import CHECK_PATH, UserError, count_of, did_you_mean, shorten_list


class StrictModel(BaseModel):
    """Base of all sections of configuration files: unknown keys are errors, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _check_numbers_are_no_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name].annotation
        types = set(get_args(annotation) or (annotation,))
        if isinstance(value, bool) and types & {int, float} and bool not in types:
            raise ValueError("expected a number" if float in types else "expected a whole number")
        return value


_TEXT_KEYS = ("classes", "targets")  # keys of lists whose words are read as text


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses repeated keys and reads class and target names as text.

    Plain YAML would silently take the last of two equal keys, and read `no` as False, `01` as 1 and `1e5` as a number.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    problem = f"the key '{key.value}' occurs twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        for key, value in node.value:
            if key.value in _TEXT_KEYS and isinstance(value, yaml.SequenceNode):
                for item in value.value:
                    if isinstance(item, yaml.ScalarNode):
                        item.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


Model = TypeVar("Model", bound=BaseModel)


def load(path: Path, bases: Path) -> dict[str, Any]:
    """Reads a YAML mapping and merges it into the bases that it `extends`; keys get their current names before.

    `extends: x` means `x.yaml` beside the file or, if there is none, in `bases`. With `extends: [x, y]`, y overrides x.
    Mappings are merged key by key; any other value, including a list, replaces that of the base.

    Raises:
        UserError: no such file, not YAML, not a mapping, or circular `extends`.
    """
    return _load(path, bases, ())


def load_bases(names: Sequence[str], path: Path, bases: Path) -> dict[str, Any]:
    """Loads the bases `names` as if a file at `path` extended them; the file need not exist.

    Raises:
        UserError: as `load`, for one of the bases.
    """
    return _load_bases(names, path, bases, ())


def _load(path: Path, bases: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except FileNotFoundError:
        raise UserError("no such file", path, "Check the spelling, or restore the file") from None
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", path, CHECK_PATH) from None
    except UnicodeDecodeError:
        raise UserError("not text in UTF-8", path, "Save it as UTF-8") from None
    except (RecursionError, ValueError) as error:  # nested too deeply, or an impossible date
        raise UserError(f"not valid YAML: {error}", path, "Check nested brackets, and dates") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", error)
        fix = (
            "Check this line and the one before it: indentation, brackets, quotes" if mark else "Save it as plain text"
        )
        if "occurs twice" in str(problem):
            fix = "Keep one of the two"
        elif "'\\t'" in str(problem):
            problem, fix = "a tab", "Indent with spaces"
        elif "mapping values are not allowed" in str(problem):
            problem, fix = "a second colon", "Put a text with a colon in quotes, or begin a new line after the value"
        raise UserError(f"not valid YAML{line}: {problem}", path, fix) from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise UserError("expected 'key: value' lines", path, "Begin each line with a key and a colon")
    content = renamed(content, path)
    extended = content.pop("extends", None)
    names = extended if isinstance(extended, list) else [extended] if extended is not None else []
    return merge(_load_bases(names, path, bases, seen), content)


def _load_bases(names: Sequence[Any], path: Path, bases: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in names:
        result = merge(result, _load(_base_file(name, path, bases, seen), bases, (*seen, path)))
    return result


def _base_file(base: Any, path: Path, bases: Path, seen: tuple[Path, ...]) -> Path:
    candidates = [path.with_name(f"{base}.yaml"), bases / f"{base}.yaml"]
    base_file = next((file for file in candidates if file.is_file() and file not in (*seen, path)), None)
    if base_file is None:
        is_circular = any(file in (*seen, path) for file in candidates)
        known = sorted({file.stem for folder in (path.parent, bases) for file in folder.glob("*.yaml")} - {path.stem})
        raise UserError(
            f"`extends: {base}` "
            + ("is circular" if is_circular else f"names no file{did_you_mean(str(base), known)}"),
            path,
            f"Known: {', '.join(known)}" if known else None,
        )
    return base_file


def renamed(content: dict[str, Any], where: object) -> dict[str, Any]:
    """Gives settings their current names, so that one of an earlier version overrides the same one of a base.

    Args:
        content: facts or a recipe, or a part of them.
        where: the file or option that holds them, for the error message.

    Raises:
        UserError: a key is there under both names.
    """
    try:
        return with_current_names(content, SETTINGS)
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


def describe_errors(
    error: ValidationError, model: type[BaseModel] = StrictModel, elsewhere: tuple[type[BaseModel], str] | None = None
) -> list[str]:
    """Describes each key that pydantic refused: the key, what was expected and what was received.

    Args:
        error: raised by pydantic.
        model: the class with the keys, for hints about unknown ones. Defaults to one without keys.
        elsewhere: as in `validated`. Defaults to none.
    """
    return [_describe_problem(model, key, of_key, elsewhere) for key, of_key in _problems_by_key(error).items()]


# What was expected, by the type of pydantic's error, formatted with its context. Other types keep pydantic's message.
_EXPECTED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type"), "'key: value' pairs"),
    "string_type": "text",
    "string_pattern_mismatch": "text of the form {pattern}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
_LENGTHS = {  # limit, the name of its number in the context, what is counted
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}
_NOT_OF_THE_KEY = re.compile(r"\[key\]|(function|tagged)-.*|(list|tuple|dict|literal)\[.*|int|float|bool|str")


def _problems_by_key(error: ValidationError) -> dict[tuple[Any, ...], list[Any]]:
    """Groups pydantic's problems by key: for a key that allows several types, there is a problem for each type."""
    by_key: dict[tuple[Any, ...], list[Any]] = {}
    for problem in error.errors():
        key = tuple(part for part in problem["loc"] if not _NOT_OF_THE_KEY.fullmatch(str(part)))
        if _is_missing_item(problem):
            key = key[:-1]
        by_key.setdefault(key, []).append(problem)

    def is_explained_deeper(key: tuple[Any, ...]) -> bool:
        """Returns True if another type fits this far and has a problem within the value."""
        is_one_of_several_types = len(by_key[key][0]["loc"]) > len(key)
        return is_one_of_several_types and any(other[: len(key)] == key and other != key for other in by_key)

    return {key: problems for key, problems in by_key.items() if not is_explained_deeper(key)}


def _is_missing_item(problem: Any) -> bool:
    """Returns True if a list is too short for a pair of values, which pydantic calls missing."""
    return problem["type"] == "missing" and isinstance(problem["loc"][-1], int)


def _describe_problem(
    model: type[BaseModel],
    location: tuple[Any, ...],
    problems: list[Any],
    elsewhere: tuple[type[BaseModel], str] | None,
) -> str:
    """Describes the problems of one key in a line: the key, what was expected and what was received."""
    first = problems[0]
    key = ".".join(str(part) for part in location)
    if first["type"] == "extra_forbidden":
        if elsewhere and key in _all_keys(elsewhere[0]):
            return f"unknown key '{key}': it belongs in {elsewhere[1]}"
        known = _fields(model, location[:-1])
        hint = _key_in_another_section(model, str(location[-1])) or did_you_mean(str(location[-1]), known)
        return f"unknown key '{key}'{hint or (f' (known: {shorten_list(known, 12)})' if known else '')}"
    if first["type"] == "missing" and not _is_missing_item(first):
        return f"'{key}' is missing"
    received = first["input"]
    expected = [text for problem in problems if (text := _expected(problem))]
    if expected:
        message = f"expected {' or '.join(dict.fromkeys(expected))}"
        message += f"{';' if ', ' in message else ','} received {_received(received)}"
        if expected == ["a list"] and isinstance(received, str | int | float):
            message += f"; write [{received}]"
    else:
        message = first["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        is_quoted = repr(received) in message or (isinstance(received, str) and f"'{received}'" in message)
        if isinstance(received, str | int | float) and not is_quoted:
            message += f", received {_received(received)}"
    return f"'{key}': {message}" if key else message


def _expected(problem: Any) -> str | None:
    """Describes what pydantic expected; None for problems that pydantic's own message describes best."""
    kind = problem["type"]
    context = problem.get("ctx", {})
    if kind in _LENGTHS:
        limit, name, counted = _LENGTHS[kind]
        return f"{limit} {count_of(context[name], counted)}"
    if kind == "literal_error":
        values = context["expected"].replace("'", "").replace(" or ", ", ")
        return f"one of {values}" if ", " in values else values
    if _is_missing_item(problem):
        return f"at least {count_of(problem['loc'][-1] + 1, 'item')}"
    context = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
    return _EXPECTED[kind].format_map(context) if kind in _EXPECTED else None


def _received(value: Any) -> str:
    """Returns a received value as text: as in YAML where Python's spelling differs, and not longer than a line."""
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    if isinstance(value, dict):
        return "'key: value' pairs"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fields(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _all_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yields the keys of a file, as `training` and `training.epochs`."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _all_keys(field.annotation, f"{prefix}{name}.")


def _key_in_another_section(model: type[BaseModel], name: str) -> str:
    """Returns a hint for the last part of a key, or for its initials: 'epochs' and 'lr' are keys of `training`."""

    def matches(key: str) -> bool:
        last = key.rpartition(".")[2]
        return name == last or ("_" in last and name == "".join(word[0] for word in last.split("_")))

    keys = [f"'{key}'" for key in _all_keys(model) if matches(key)]
    return f" (did you mean {' or '.join(keys)}?)" if keys else ""


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens nested mappings: `{"training": {"epochs": 3}}` -> `{"training.epochs": 3}`."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        result |= flat(value, name) if isinstance(value, dict) else {name: value}
    return result
