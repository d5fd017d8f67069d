"""Links and special files in a given folder: those that lead out of it, loop, or are no files are refused by name."""

import os

import pytest

from medfold.data.sources.links import check_links
from tests.support.helpers import refused

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights there")


@pytest.fixture
def given(tmp_path):
    """A folder with images, beside files that do not belong to it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    folder = tmp_path / "given"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "a.png").write_bytes(b"a")
    return folder


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("train/b.png", "../../outside/secret.txt", "links out of this folder"),
        ("train.csv", "/etc/passwd", "links out of this folder"),
        ("masks", "../outside", "links out of this folder"),
        ("masks", "/", "links out of this folder"),
        ("null.png", "/dev/zero", "links out of this folder"),
        ("train/b.png", "nothing.png", "links to nothing"),
        ("train/b.png", "b.png", "links to nothing"),
        ("train/up", "..", "links to a folder that contains them"),
        ("train/same", ".", "links to a folder that contains them"),
    ],
)
def test_links_that_are_not_data_of_the_folder_are_refused(given, name, target, reason):
    (given / name).symlink_to(target)
    with refused(f"given: has {reason}: {name}. Replace each with the file itself, or remove it"):
        check_links(given)


def test_folders_that_link_to_each_other_are_refused(given):
    for one, other in (("x", "y"), ("y", "x")):
        (given / one).mkdir(exist_ok=True)
        (given / other).mkdir(exist_ok=True)
        (given / one / "next").symlink_to(f"../{other}")
    with refused("x/next/next"):
        check_links(given)


def test_links_that_multiply_files_are_refused(given):
    for level in range(3):
        (given / f"d{level}").mkdir()
        for name in "ab":
            (given / f"d{level}" / name).symlink_to(f"../d{level + 1}")
    (given / "d3").mkdir()
    with refused("links to folders within linked folders: "):
        check_links(given)


def test_pipes_are_refused(given):
    os.mkfifo(given / "train" / "pipe.csv")
    with refused("pipes, devices or sockets: train/pipe.csv"):
        check_links(given)


def test_links_within_a_folder_are_accepted_and_hidden_names_are_not_looked_at(given):
    (given / "b.png").symlink_to("train/a.png")
    (given / "again").symlink_to("train")
    (given / ".git").mkdir()
    (given / ".git" / "hook").symlink_to("/nowhere")
    (given / ".token").symlink_to("../outside/secret.txt")
    check_links(given)
    linked = given.with_name("linked")
    linked.symlink_to("given")
    check_links(linked)
