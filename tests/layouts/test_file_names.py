"""Raw data with unusual file names and files: links, pipes, special characters, accents, masks."""

import os
import unicodedata
import zipfile
from pathlib import Path

import pytest

from tests.layouts.clinic import make_project, medfold
from tests.support.helpers import REPOSITORY, picture


@pytest.fixture
def bare(tmp_path, monkeypatch):
    root = tmp_path / "my project"
    make_project(root, REPOSITORY)
    monkeypatch.chdir(root)
    return root


def rename_all(change) -> None:
    """Renames the training images."""
    for path in list(Path("given/train").iterdir()):
        path.rename(path.with_name(change(path.name)))


def change_ids(change) -> None:
    text = Path("given/train.csv").read_text()
    Path("given/train.csv").write_text(text.replace("\ni", f"\n{change('i')}"))


def download_and_fold(*given: str) -> str:
    said = ""
    for words in (("download", "-c", "clinic", "--from", *given), ("folds", "-c", "clinic")):
        ended = medfold(*words)
        assert ended.code == 0, ended.errors
        said += ended.said
    assert "16 training and 4 test images" in said
    return said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_linked_folder_and_links_within_it_are_read(bare):
    """A collection often lies on another disk, and is linked; its files may be links to each other."""
    Path("elsewhere").mkdir()
    Path("given").rename("elsewhere/given")
    Path("given").symlink_to("elsewhere/given")
    image = sorted(Path("given/train").iterdir())[0]
    image.rename(Path("given/moved.png"))
    image.symlink_to("../moved.png")
    download_and_fold("given")
    assert not any(path.is_symlink() for path in Path("data/clinic/raw").rglob("*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_broken_links_are_refused_by_name(bare):
    Path("given/train/dangling.png").symlink_to("/nowhere/x.png")
    ended = medfold("download", "-c", "clinic", "--from", "given")
    assert ended.code == 2
    assert ended.errors.startswith(
        "medfold: given: has links to nothing: train/dangling.png. Replace each with the file"
    )
    assert not Path("data/clinic/raw").exists()


SLOW_SIGNS = [pytest.param(sign, marks=pytest.mark.slow) for sign in ("a#b#", "ä ", "%20", "(1) ", "'", "&")]


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["#", *SLOW_SIGNS])
def test_file_names_with_special_characters_are_read(bare, sign):
    rename_all(lambda name: sign + name)
    change_ids(lambda id: sign + id)
    ended = medfold("new", "-c", "fresh", "--from", "given")
    assert "16 training and 4 test images, with these facts" in ended.said, (ended.said, ended.errors)
    download_and_fold("given")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="| is no letter of a name there")
def test_file_names_with_a_vertical_bar_are_read(bare):
    rename_all(lambda name: f"a|{name}")
    change_ids(lambda id: f"a|{id}")
    download_and_fold("given")


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        ("NFD", "NFC"),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in (("NFC", "NFC"), ("NFC", "NFD"), ("NFD", "NFD"))),
    ],
)
def test_unicode_normal_forms_of_a_name_are_equal(bare, files, ids):
    rename_all(lambda name: unicodedata.normalize(files, "é") + name)
    change_ids(lambda id: unicodedata.normalize(ids, "é") + id)
    ended = medfold("new", "-c", "fresh", "--from", "given")
    assert "16 training and 4 test images, with these facts" in ended.said, (ended.said, ended.errors)
    download_and_fold("given")


def test_zip_with_unflagged_utf8_names_is_read(bare):
    change_ids(lambda id: f"é{id}")
    with zipfile.ZipFile("packed.zip", "w") as archive:
        for path in sorted(Path("given").rglob("*")):
            if path.is_file():
                name = path.relative_to("given").as_posix()
                archive.write(path, name.replace("train/i", "train/éi"))
    content = bytearray(Path("packed.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = content.find(mark)
        while place >= 0:
            content[place + at] &= ~0x08
            place = content.find(mark, place + 4)
    Path("packed.zip").write_bytes(bytes(content))
    download_and_fold("packed.zip")


@pytest.mark.slow
def test_masks_among_the_images_are_reported_until_excluded(bare):
    facts = Path("competition/clinic/competition.yaml")
    labels = "labels: {layout: folders, targets: [finding]}\n"
    text = facts.read_text()
    start, end = text.index("labels:"), text.index("images:")
    text = text[:start] + labels + text[end:].replace('train: "train/{id}.png"', 'train: "class/{label}/{id}.png"')
    text = text.replace("method: stratified_group", "method: stratified")
    facts.write_text(text)
    for number in range(16):
        label = ("healthy", "sick")[number // 2 % 2]
        for name in (f"i{number:02}.png", f"i{number:02}_mask.png"):
            picture(Path("given/class") / label / name, seed=number + 50 * ("mask" in name), shape=(20, 18))
    medfold("download", "-c", "clinic", "--from", "given")
    told = "16 images are named like masks of others: images.exclude: ['*_mask.*'] leaves them out"
    said = medfold("folds", "-c", "clinic").said
    assert f"masks among the images           {told}" in said
    assert said.count(told) == 1
    facts.write_text(text.replace("channels: 1", 'channels: 1, exclude: ["*_mask.*"]'))
    ended = medfold("folds", "-c", "clinic", "--force")
    assert ended.code == 0, ended.errors
    assert "masks among" not in ended.said
