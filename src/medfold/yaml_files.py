"""YAML files, which others may have written: read within limits, with errors that name the line."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from medfold.errors import CHECK_PATH, UserError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50  # brackets in brackets, sections in sections
MAX_NODES = 100_000  # keys and values, those behind an alias counted again at each use
MAX_NUMBER_LENGTH = 100  # digits
TEXT_KEYS = ("classes", "targets")  # keys of lists whose words are read as text


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses repeated keys and reads class and target names as text.

    Plain YAML would silently take the last of two equal keys, and read `no` as False, `01` as 1 and `1e5` as a number.
    A few lines of it may also stand for billions of values, by aliases of aliases.
    """

    def __init__(self, stream: str):
        super().__init__(stream)
        self._depth = 0
        self._num_nodes = 0
        self._sizes: dict[yaml.Node, int] = {}  # nodes below each one that is complete

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        mark = self.peek_event().start_mark
        is_alias = self.check_event(yaml.AliasEvent)
        before = self._num_nodes
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _problem(f"nested more than {MAX_DEPTH} levels deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias and node not in self._sizes:
            raise _problem("an alias within the value that it stands for", mark)
        self._num_nodes += self._sizes[node] if is_alias else 1
        if self._num_nodes > MAX_NODES:
            raise _problem(f"more than {MAX_NODES:,} values", mark)
        self._sizes.setdefault(node, self._num_nodes - before)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and any("\ud800" <= letter <= "\udfff" for letter in node.value):
            raise _problem("a value that cannot be read (an escape that is no character)", node.start_mark)
        is_number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if is_number and isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_NUMBER_LENGTH:
            raise _problem(f"a number of more than {MAX_NUMBER_LENGTH} digits", node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, OverflowError, AttributeError) as error:  # `2020-13-45`, `!!int x`, `!!map x`
            raise _problem(f"a value that cannot be read ({error})", node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _problem("a value that cannot be read (expected 'key: value' pairs)", node.start_mark)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise _problem(f"the key '{key.value}' occurs twice", key.start_mark)
                seen.add(key.value)
        for key, value in node.value:
            if key.value in TEXT_KEYS and isinstance(value, yaml.SequenceNode):
                for item in value.value:
                    if isinstance(item, yaml.ScalarNode):
                        item.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def _problem(text: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, text, mark)


def read_yaml(path: Path) -> dict[Hashable, Any]:
    """Reads a YAML file that holds a mapping; an empty file is an empty one.

    Raises:
        UserError: no such file, too large, not text, not YAML, or not a mapping; the message names the line.
    """
    content = parse_yaml(read_text(path), path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError("expected 'key: value' lines", path, "Begin each line with a key and a colon")
    return content


def read_text(path: Path) -> str:
    """Reads a text file of the size of a YAML file at most.

    Raises:
        UserError: no such file, too large, or not text in UTF-8.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise UserError("not a file", path, "Replace it with a text file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UserError(f"larger than {MAX_BYTES // 10**6} MB", path, "Remove what does not belong there")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError("no such file", path, "Check the spelling, or restore the file") from None
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", path, CHECK_PATH) from None
    except UnicodeDecodeError:
        raise UserError("not text in UTF-8", path, "Save it as UTF-8") from None


def parse_yaml(text: str, where: object) -> Any:
    """Reads YAML text, within the limits of this module.

    Args:
        text: any text.
        where: the file or option that holds it, for the error message.

    Raises:
        UserError: not YAML, or beyond the limits of this module; the message names the line.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise _explained(error, where) from None
    except (RecursionError, ValueError, TypeError, AttributeError):  # a tag that does not fit its value
        what = "not valid YAML: a tag (!) or an anchor (&) does not fit its value, or brackets are nested too deeply"
        raise UserError(what, where, "Put text that begins with ! or & into quotes") from None


def _explained(error: yaml.YAMLError, where: object) -> UserError:
    """Returns the error for text that is not YAML: the line, what is wrong with it, and what to do."""
    mark = getattr(error, "problem_mark", None)
    line = f" in line {mark.line + 1}" if mark else ""
    problem = getattr(error, "problem", error)
    fix = "Check this line and the one before it: indentation, brackets, quotes" if mark else "Save it as plain text"
    if "occurs twice" in str(problem):
        fix = "Keep one of the two"
    elif "'\\t'" in str(problem):
        problem, fix = "a tab", "Indent with spaces"
    elif "unknown escape character" in str(problem):
        problem, fix = "a backslash in double quotes", "Put this text in single quotes: '(x\\d+)'"
    elif "mapping values are not allowed" in str(problem):
        problem, fix = "a second colon", "Put a text with a colon in quotes, or begin a new line after the value"
    elif "another document" in str(problem):
        problem, fix = "a second document", "Remove the line ---, and what does not belong there"
    elif str(problem).startswith(("a number of", "a value that", "an alias", "nested", "more than")):
        fix = "Shorten or correct this value"
    return UserError(f"not valid YAML{line}: {problem}", where, fix)
