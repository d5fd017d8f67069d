"""Names and paths of others stay in the folder they belong to."""

import pytest

from medfold.system.path_checks import (
    allow_links_into,
    check_path_below,
    check_plain_name,
    is_plain_name,
    path_inside,
)
from tests.support.helpers import refused

OUTSIDE = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "..",
    "a/..",
    "~/x",
    "~root/x",
    "C:/x",
    "C:x",
    "a\\..\\x",
    "\\\\server\\x",
]
ODD = ["a\0b", "a\nb", "a\x1b[2Jb", "a\x7f", "x" * 300]


@pytest.mark.parametrize("path", OUTSIDE + ODD)
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(ValueError, match=r"below raw/|backslash|control character|more than 255"):
        check_path_below(path, "raw/")
    assert not is_plain_name(path)


@pytest.mark.parametrize("path", ["", "a", "a/b.csv", "a b/ü[1]$'\".csv", "a..b/c", ".hidden/x", "images.h5#1"])
def test_paths_below_are_kept(path):
    assert check_path_below(path) == path


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", ".", "..", "a\\b"])
def test_names_that_are_not_plain_are_refused(name):
    with pytest.raises(ValueError, match=r"not a plain name"):
        check_plain_name(name)


@pytest.mark.parametrize("value", [None, 3, ["a"], {"a": 1}, b"a"])
def test_only_text_is_a_plain_name(value):
    assert not is_plain_name(value)


@pytest.mark.parametrize("name", ["train.csv", "a b", "ü", "x[1]$'"])
def test_plain_names_are_kept(name):
    assert check_plain_name(name) == name
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "link", "folder/secret", "a\0b"])
def test_files_outside_are_refused(tmp_path, name):
    raw = tmp_path / "raw"
    raw.mkdir()
    (tmp_path / "secret").write_text("x")
    (raw / "link").symlink_to(tmp_path / "secret")
    (raw / "folder").symlink_to(tmp_path)
    with refused("leads out of|not a path"):
        path_inside(raw, name)


def test_links_within_the_folder_and_to_the_folder_are_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "x.png").write_text("x")
    (tmp_path / "raw").symlink_to(tmp_path / "disk")
    (tmp_path / "raw" / "y.png").symlink_to("x.png")
    assert path_inside(tmp_path / "raw", "y.png").read_text() == "x"
    assert path_inside(tmp_path / "raw", "missing/x.png") == tmp_path / "raw" / "missing" / "x.png"


def test_links_into_a_mounted_folder_are_followed_where_allowed(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "mount").mkdir()
    (tmp_path / "mount" / "x.png").write_text("x")
    (tmp_path / "raw" / "x.png").symlink_to(tmp_path / "mount" / "x.png")
    with refused("leads out of"):
        path_inside(tmp_path / "raw", "x.png")
    allow_links_into(tmp_path / "mount")
    assert path_inside(tmp_path / "raw", "x.png").read_text() == "x"
