"""YAML files of others are read within limits; what is wrong is one line that names the file and the line."""

import os

import pytest

from medfold.yaml_files import MAX_BYTES, MAX_NODES, parse_yaml, read_yaml
from tests.support.helpers import refused
from tests.support.yaml_bombs import LAUGHS, MERGED_LAUGHS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "more than 100,000 values. Shorten"),
        (MERGED_LAUGHS, "in line 6: more than 100,000 values. Shorten"),
        ("a: &a [*a]", "in line 1: an alias within the value that it stands for"),
        ("a: &a {b: *a}", "in line 1: an alias within the value that it stands for"),
        ("a: *nothing", "in line 1: found undefined alias"),
        ("x: 1\na: " + "[" * 60 + "]" * 60, "in line 2: nested more than 50 levels deep"),
        ("a: " + "{b: " * 60 + "1" + "}" * 60, "in line 1: nested more than 50 levels deep"),
        ("[" * 100_000, "nested more than 50 levels deep"),
        ("- " * 100 + "x", "nested more than 50 levels deep"),
        ("a: 1\nb: " + "9" * 5000, "in line 2: a number of more than 100 digits"),
        ("a: 0x" + "f" * 5000, "in line 1: a number of more than 100 digits"),
        ("a: 0." + "9" * 5000, "in line 1: a number of more than 100 digits"),
        ("a: 1\nb: 2020-13-45", "in line 2: a value that cannot be read"),
        ("a: !!int x", "in line 1: a value that cannot be read"),
        ('a: 1\nb: "\\udcff"', "in line 2: a value that cannot be read .an escape that is no character"),
        ("a: !!map x", "expected"),
        ("a: !!omap {b: 1}", "expected a sequence"),
        ("a: !!python/object/apply:os.system [echo]", "in line 1: could not determine a constructor"),
        ("a: !unknown x", "in line 1: could not determine a constructor"),
        ("{[a]: 1}", "in line 1: found unhashable key"),
        ("a: 1\n---\nb: 2", "in line 2: a second document. Remove the line ---"),
        ("a: \0", "special characters are not allowed"),
        ("a:\n\tb: 1", "a tab. Indent with spaces"),
        ("a: 1\na: 2", "in line 2: the key 'a' occurs twice. Keep one"),
        ("a: !!binary 'x'", "failed to decode base64"),
    ],
)
def test_hostile_or_odd_yaml_is_refused_in_one_line(text, message):
    with refused(message) as error:
        parse_yaml(text, "competition.yaml")
    assert str(error.value).startswith("competition.yaml: not valid YAML")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_honest_aliases_and_merge_keys_are_read():
    text = "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, z: 3}\nc: [*a, *a]"
    a = {"x": 1, "y": [1, 2]}
    assert parse_yaml(text, "") == {"a": a, "b": {**a, "z": 3}, "c": [a, a]}


def test_long_honest_lists_are_read():
    names = [f"name{number}" for number in range(2000)]
    assert parse_yaml(f"targets: [{', '.join(names)}]", "") == {"targets": names}
    assert MAX_NODES > 10_000


def test_empty_file_is_an_empty_mapping(tmp_path):
    (tmp_path / "a.yaml").write_text("# nothing yet\n")
    assert read_yaml(tmp_path / "a.yaml") == {}


@pytest.mark.parametrize("text", ["- 1", "text", "3", "null: [", "true"])
def test_other_than_a_mapping_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with refused("a.yaml"):
        read_yaml(tmp_path / "a.yaml")


def test_large_file_is_refused_before_it_is_parsed(tmp_path):
    (tmp_path / "a.yaml").write_text("a: x" + " " * MAX_BYTES)
    with refused("larger than 1 MB"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.yaml")
    with refused("not a file"):
        read_yaml(tmp_path / "a.yaml")


def test_missing_file_folder_and_other_encodings_are_refused(tmp_path):
    with refused("no such file"):
        read_yaml(tmp_path / "a.yaml")
    with refused("cannot be read"):
        read_yaml(tmp_path)
    (tmp_path / "b.yaml").write_bytes("a: grün".encode("utf-16"))
    with refused("not text in UTF-8"):
        read_yaml(tmp_path / "b.yaml")
