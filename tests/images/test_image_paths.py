"""Syntax of image paths: files, members and channels."""

from medfold.images.image_paths import files_of_image, path_of_image, split_file_and_member


def test_path_is_split_at_channels_and_member(tmp_path):
    assert files_of_image(tmp_path, "red.png|green.png") == ["red.png", "green.png"]
    assert path_of_image(tmp_path, "red.png|green.png") == tmp_path / "red.png"
    assert split_file_and_member(tmp_path, "a.npz#x/3") == (tmp_path / "a.npz", "x/3")
    assert split_file_and_member(tmp_path, "a.png") == (tmp_path / "a.png", "")


def test_existing_file_with_separator_in_name_is_not_split(tmp_path):
    for name in ("red|green.png", "slice#3.png"):
        (tmp_path / name).touch()
    assert files_of_image(tmp_path, "red|green.png") == ["red|green.png"]
    assert split_file_and_member(tmp_path, "slice#3.png") == (tmp_path / "slice#3.png", "")
