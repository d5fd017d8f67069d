"""YAML in the style of the shipped facts, with reasons and doubts as comments."""

import re
import textwrap
from typing import Any

import yaml

from medfold.scaffold.draft import Doubt
from medfold.text import printable

MAX_LINE_LENGTH = 120


def dump_yaml(values: dict[str, Any]) -> str:
    """Returns a mapping of at most two levels as YAML, in its order of keys."""
    return yaml.dump(values, sort_keys=False, allow_unicode=True, width=MAX_LINE_LENGTH - 10, Dumper=_Dumper)


def add_reasons(text: str, reasons: dict[str, str]) -> str:
    """Adds reasons as comments, behind the line of a key or, where it is too long, above it.

    Args:
        text: YAML of at most two levels, mappings as blocks.
        reasons: reason of each key, such as `labels.id`; reasons of keys that are not in the text are left out.
    """
    commented = []
    lines = text.splitlines()
    for line, following, key in zip(lines, [*lines[1:], ""], _keys_of_lines(lines), strict=True):
        indent = " " * (len(line) - len(line.lstrip()))
        reason = printable(reasons.get(key, ""))  # a value of a table may hold line breaks, which would end the comment
        is_single_line = not following.startswith(f"{indent}  ")
        if reason and is_single_line and len(line) + len(reason) + 3 <= MAX_LINE_LENGTH:
            line = f"{line} # {reason}"
        elif reason:
            commented.append(f"{indent}# {reason}")
        commented.append(line)
    return "\n".join(commented) + "\n"


def add_doubts(text: str, doubts: list[Doubt]) -> str:
    """Adds doubts as comments `# check <key>: ...`: above the line of the key, else at the top of its section or file.

    Args:
        text: YAML of at most two levels, mappings as blocks.
        doubts: the doubts about keys, and about the files as a whole.
    """
    lines = text.splitlines()
    for doubt in reversed(doubts):
        key = doubt.key
        section, dot, _ = key.partition(".")
        keys = _keys_of_lines(lines)
        is_in_section = bool(dot) and section in keys
        first_line = keys.index(section) + 1 if is_in_section else 0
        position = keys.index(key) if key and key in keys else first_line
        indent = "  " if is_in_section else ""
        lines[position:position] = textwrap.wrap(
            printable(f"check {doubt}"), MAX_LINE_LENGTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
    return "\n".join(lines) + "\n"


def _keys_of_lines(lines: list[str]) -> list[str]:
    """Returns the key of each line, such as `labels` or `labels.id`; "" for lines without one."""
    keys, section = [], ""
    for line in lines:
        indent, key = re.match(r"( {0,2})(?:(\w+):)?", line).groups()
        section = key if key and not indent else section
        keys.append((f"{section}.{key}" if indent else key) if key else "")
    return keys


class _Dumper(yaml.SafeDumper):
    """Dumper in the style of the shipped files: sections as blocks, the rest on one line, double quotes."""

    _depth = 0  # level of the mapping that is represented: 1 for the file, 2 for its sections

    def check_simple_key(self):
        """Allows an empty text as a simple key: {'': null}."""
        return getattr(self.event, "value", None) == "" or super().check_simple_key()

    def choose_scalar_style(self):
        """Prefers double quotes, except around a backslash, which they would escape; patterns always have them."""
        style = super().choose_scalar_style()
        needs_quotes = style == "'" or "{" in self.event.value
        return '"' if needs_quotes and "\\" not in self.event.value else style

    def represent_mapping(self, tag, mapping, flow_style=None):
        """Writes the section `source`, and mappings within sections, on one line."""
        self._depth += 1
        node = super().represent_mapping(tag, mapping, flow_style="kind" in mapping or self._depth > 2)
        self._depth -= 1
        return node

    def represent_sequence(self, tag, sequence, flow_style=None):
        return super().represent_sequence(tag, sequence, flow_style=True)
