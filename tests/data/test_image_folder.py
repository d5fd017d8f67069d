"""New images for prediction: an image, or the images of a folder."""

from medfold.competition import ImageFacts
from medfold.data.image_folder import find_new_images, join_channel_files
from tests.support.helpers import picture, refused

FACTS = ImageFacts(train="train/{id}.png", test="test/{id}.png")


def test_new_images_lists_images_of_all_subfolders_sorted(tmp_path):
    for name in ("b.png", "a.JPG", "deep/c.tif"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    assert find_new_images(tmp_path, FACTS) == (tmp_path, ["a.JPG", "b.png", "deep/c.tif"])


def test_new_images_accepts_a_single_file(tmp_path):
    picture(tmp_path / "a.png")
    assert find_new_images(tmp_path / "a.png", FACTS) == (tmp_path, ["a.png"])


def test_missing_path_or_folder_without_images_is_refused(tmp_path):
    with refused("IMAGES=.*nowhere: no such file or folder"):
        find_new_images(tmp_path / "nowhere", FACTS)
    (tmp_path.parent / "table.csv").write_text("id")
    with refused("table.csv: not an image. Give an image .*.png.* or a folder of images"):
        find_new_images(tmp_path.parent / "table.csv", FACTS)
    (tmp_path.parent / "README.MD").write_text("text")
    with refused("README.MD: not an image. Give an image"):
        find_new_images(tmp_path.parent / "README.MD", FACTS)
    with refused("contains no images.*It is empty"):
        find_new_images(tmp_path, FACTS)
    (tmp_path / "notes.txt").write_text("no image")
    with refused("no images.*It holds notes.txt"):
        find_new_images(tmp_path, FACTS)


def test_join_channel_files_gives_one_entry_per_image():
    facts = ImageFacts(train="train/{id}_{channel}.png", test="t", channels=["red", "green"])
    found = ["a_green.png", "a_red.png", "deep/b_red.png", "deep/b_green.png"]
    assert join_channel_files(found, facts) == ["a_red.png|a_green.png", "deep/b_red.png|deep/b_green.png"]
    assert join_channel_files(found, ImageFacts(train="a", test="b")) == found
    with refused(r"no image is named \.\.\._red.png. Add the missing files: an image has 2, one per channel"):
        join_channel_files(["a.png"], facts)
