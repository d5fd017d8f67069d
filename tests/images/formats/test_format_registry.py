"""Selection of the module that reads an image."""

import pytest

from medfold import registry
from medfold.images.formats.format_registry import (
    FORMAT_MODULES,
    find_reader,
    image_extension,
    image_extensions,
    image_format,
    image_stem,
    may_be_dicom,
)
from tests.support.helpers import refused
from tests.support.noise_images import read_content


def test_image_extensions_exclude_multi_image_formats():
    assert {".png", ".jpeg", ".tif", ".webp", ".bmp", ".dcm", ".npy"} <= set(image_extensions())
    assert not {".npz", ".h5", ".hdf5"} & set(image_extensions())


@pytest.mark.parametrize(("module", "extensions"), FORMAT_MODULES.items())
def test_each_extension_has_a_module_that_reads(tmp_path, module, extensions):
    for extension in extensions:
        reader = find_reader(tmp_path / f"a{extension.upper()}")
        assert reader.__module__ == f"medfold.images.formats.{module}"
        assert callable(reader)


@pytest.fixture
def plugins():
    yield registry
    registry.set_plugin_loader(lambda: None)


def read_pixels(path, member, image_facts):
    """Reads nothing."""


def test_format_of_plugins_reads_its_extension_in_any_case(tmp_path, plugins):
    assert may_be_dicom(".pixels")
    plugins.set_plugin_loader(lambda: image_format(".Pixels")(read_pixels))
    (tmp_path / "a.PIXELS").touch()
    assert find_reader(tmp_path / "a.PIXELS") is read_pixels
    assert (image_extension("a.PIXELS"), image_stem("a.PIXELS")) == (".PIXELS", "a")
    assert ".pixels" in image_extensions()
    assert not may_be_dicom(".pixels")


def test_format_of_plugins_cannot_replace_a_built_in_one(plugins):
    plugins.set_plugin_loader(lambda: image_format(".png")(read_pixels))
    with refused(r"image format '\.png' exists already"):
        image_extension("a.pixels")


def test_file_with_dicom_prefix_is_dicom_whatever_its_name(tmp_path):
    (tmp_path / "1.2.840").write_bytes(bytes(128) + b"DICM")
    assert find_reader(tmp_path / "1.2.840").__module__ == "medfold.images.formats.dicom"


def test_unsupported_and_unknown_formats_raise(tmp_path):
    (tmp_path / "a.nii.gz").touch()
    with refused(r"NIfTI is not supported.*Save its slices"):
        find_reader(tmp_path / "a.nii.gz")
    (tmp_path / "a.xyz").touch()
    with refused(r"unknown image format '\.xyz'"):
        find_reader(tmp_path / "a.xyz")


def test_only_known_extensions_are_cut_off():
    assert (image_extension("a/b.PNG"), image_stem("a/b.PNG")) == (".PNG", "b")
    assert (image_extension("a/1.2.840.5"), image_stem("a/1.2.840.5")) == ("", "1.2.840.5")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.heic", "HEIC is not supported. Save it as PNG or JPEG"),
        ("a.nii", "NIfTI is not supported"),
        ("a.nii.gz", "NIfTI is not supported"),
        ("a.xyz", "unknown image format '.xyz'. Known: .png"),
    ],
)
def test_unsupported_formats_raise_with_their_name(tmp_path, name, message):
    with refused(message):
        read_content(tmp_path, name, bytes(200))
