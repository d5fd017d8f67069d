"""What pydantic refused in a configuration file, in plain words: the key, what was expected and what was received."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from medfold.text import count_of, did_you_mean, shorten_list, shorten_text


def describe_errors(
    error: ValidationError, model: type[BaseModel] = BaseModel, elsewhere: tuple[type[BaseModel], str] | None = None
) -> dict[str, str]:
    """Describes each key that pydantic refused: the key, what was expected and what was received.

    Args:
        error: the error that pydantic raised.
        model: the class with the keys, for hints about unknown ones. Defaults to one without keys.
        elsewhere: the class of another file, and the name of that file, for keys that belong there. Defaults to none.

    Returns:
        Texts by key, such as `training.epochs`; the key of a problem of the whole is empty.
    """
    by_key = _problems_by_key(error)
    described = {
        ".".join(str(part) for part in key): _describe_problem(model, key, problems, elsewhere)
        for key, problems in by_key.items()
    }
    # A misspelt key that is required would be reported twice: as unknown, and as missing.
    for missing in [key for key, text in described.items() if text == _missing(key)]:
        hint = f"(did you mean '{missing}'?)"
        for key, text in described.items():
            if text.endswith(hint):
                described[key] = text.replace(hint, f"(did you mean '{missing}', which is required?)")
                described.pop(missing)
                break
    return described


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
        """Returns True if a different type fits this far and has a problem within the value."""
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
        return _unknown_key(model, location, elsewhere)
    if first["type"] == "missing" and not _is_missing_item(first):
        return _missing(key)
    if first["type"] == "invalid_key":
        section = ".".join(str(part) for part in location[:-1])
        hint = "; a number has a point, not a comma: 0.01" if isinstance(first["input"], int) else ""
        return f"'{section}': expected text as a key, received {_received(first['input'])}{hint}"
    expected = [text for problem in problems if (text := _expected(problem))]
    if expected:
        message = _unexpected_value(expected, first["input"])
    else:
        message = _message_of(first)
        if message.startswith(f"'{key}."):  # it names the key within this section
            return message
    return f"'{key}': {message}" if key else message


def _unknown_key(
    model: type[BaseModel], location: tuple[Any, ...], elsewhere: tuple[type[BaseModel], str] | None
) -> str:
    """Describes an unknown key: the file it belongs in, a similar key, or the known ones."""
    key = ".".join(str(part) for part in location)
    if elsewhere and key in _all_keys(elsewhere[0]):
        return f"unknown key '{key}': it belongs in {elsewhere[1]}"
    known = _fields(model, location[:-1])
    name = str(location[-1])
    section = key.removesuffix(name)
    hint = _key_in_another_section(model, name) or did_you_mean(name, known, prefix=section)
    if elsewhere and not hint and (keys := _keys_ending_in(elsewhere[0], name)):
        return f"unknown key '{key}': {' or '.join(keys)} belongs in {elsewhere[1]}"
    return f"unknown key '{key}'{hint or (f' (known: {shorten_list(known, 12)})' if known else '')}"


def _unexpected_value(expected: list[str], received: Any) -> str:
    """Describes a value of a wrong type or range, and how to write what was probably meant."""
    options = " or ".join(dict.fromkeys(expected))
    message = f"expected {options}{';' if ', ' in options else ','} received {_received(received)}"
    if expected == ["a list"] and isinstance(received, str | int | float):
        return f"{message}; write [{received}]"
    if "a number" in expected and isinstance(received, str) and re.fullmatch(r"-?\d+,\d+", received):
        return f"{message}; write {received.replace(',', '.')}"
    return message


def _message_of(problem: Any) -> str:
    """Returns the message of a validator, with the received value unless it quotes it."""
    received = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    is_quoted = repr(received) in message or (isinstance(received, str) and f"'{received}'" in message)
    if isinstance(received, str | int | float) and not is_quoted:
        message += f", received {_received(received)}"
    return message


def _missing(key: str) -> str:
    return f"'{key}' is missing"


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
    return shorten_text(repr(value))


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


def _keys_ending_in(model: type[BaseModel], name: str) -> list[str]:
    return [f"'{key}'" for key in _all_keys(model) if key.endswith(f".{name}")]
