"""Decoding images of any format: colours, channels, several files per image, recognised formats."""

import io
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from medfold.competition import ImageFacts
from medfold.images.formats.decoding import read_image, read_image_with_headers
from tests.support.dicom_files import dataset, save
from tests.support.helpers import REPOSITORY, picture, refused
from tests.support.image_files import ALPHA, COLOUR, GREY, images, jpeg, noise, read


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "b.PNG"])
def test_lossless_images_keep_pixels(tmp_path, name):
    expected = picture(tmp_path / name)
    assert (read(tmp_path / name) == expected).all()


def test_colour_channels_are_in_rgb_order(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue first
    for name in ("a.png", "a.tif", "a.bmp", "a.webp"):
        cv2.imwrite(str(tmp_path / name), red, [cv2.IMWRITE_WEBP_QUALITY, 101])
        assert read(tmp_path / name, 3)[0, 0].tolist() == [255, 0, 0]
        assert read(tmp_path / name, 1)[0, 0] == 76


def test_grey_of_colour_image_is_rec_601_luma(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])  # Rec. 601
    assert np.abs(read(tmp_path / "a.png") - luma).max() < 0.51
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(read(tmp_path / "a.jpg") - luma).max() < 3


def test_read_image_with_headers_returns_pixels_and_headers(tmp_path):
    expected = picture(tmp_path / "a.png")
    look = read_image_with_headers(tmp_path, "a.png", images())
    assert (look.pixels[..., 0] == expected).all()
    assert look.headers == {}


def test_grey_is_repeated_and_wrong_channel_counts_raise(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", 3) == GREY[..., None]).all()
    with refused("1 channel, expected 2"):
        read(tmp_path / "a.png", 2)
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    with refused("3 channels, expected 2"):
        read(tmp_path / "a.png", 2)


def with_orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def raster_cases() -> dict[str, tuple[Image.Image, str, dict]]:
    """Pictures that Pillow writes: the picture, the format and the options."""
    grey, colour, alpha = Image.fromarray(GREY), Image.fromarray(COLOUR), Image.fromarray(ALPHA)
    cases = {
        "palette": (colour.quantize(64), "PNG", {}),
        "palette of 4 bits": (colour.quantize(16), "PNG", {"bits": 4}),
        "palette with a transparent colour": (colour.quantize(64), "PNG", {"transparency": 3}),
        "colour with alpha": (Image.merge("RGBA", [*colour.split(), alpha]), "PNG", {}),
        "grey with alpha": (Image.merge("LA", [grey, alpha]), "PNG", {}),
        "grey with a transparent value": (grey, "PNG", {"transparency": int(GREY[0, 0])}),
        "1 bit": (grey.convert("1"), "PNG", {}),
        "turned PNG": (colour, "PNG", {"exif": with_orientation(6)}),
        "grey JPEG": (grey, "JPEG", {}),
        "JPEG": (colour, "JPEG", {"quality": 95}),
        "progressive JPEG": (colour, "JPEG", {"progressive": True}),
        "JPEG of red, green, blue": (colour, "JPEG", {"keep_rgb": True, "quality": 95}),
        "JPEG of CMYK, inverted": (colour.convert("CMYK"), "JPEG", {"quality": 95}),
        "BMP with alpha": (Image.merge("RGBA", [*colour.split(), alpha]), "BMP", {}),
        "BMP with palette": (colour.quantize(64), "BMP", {}),
        "BMP of 1 bit": (grey.convert("1"), "BMP", {}),
        "WebP": (colour, "WEBP", {"lossless": True}),
        "lossy WebP": (colour, "WEBP", {}),
        "WebP with alpha": (Image.merge("RGBA", [*colour.split(), alpha]), "WEBP", {"lossless": True, "exact": True}),
        "turned WebP": (colour, "WEBP", {"lossless": True, "exif": with_orientation(8)}),
    }
    turned = {f"JPEG turned {number}": (colour, "JPEG", {"exif": with_orientation(number)}) for number in range(2, 9)}
    return cases | turned


def by_pillow(data: bytes) -> np.ndarray:
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB").convert("RGB"))


@pytest.mark.parametrize("case", raster_cases())
def test_raster_images_match_pillow(tmp_path, case):
    image, kind, options = raster_cases()[case]
    data = io.BytesIO()
    image.save(data, kind, **options)
    (tmp_path / "a.png").write_bytes(data.getvalue())
    difference = read(tmp_path / "a.png", 3).astype(int) - by_pillow(data.getvalue())
    assert np.abs(difference).max() <= (2 if kind == "JPEG" else 0)


def test_cmyk_jpeg_without_adobe_marker_is_not_inverted(tmp_path):
    data = io.BytesIO()
    Image.fromarray(COLOUR).convert("CMYK").save(data, "JPEG", quality=95)
    plain = data.getvalue()
    start = plain.index(b"\xff\xee")
    unmarked = plain[:start] + plain[start + 16 :]
    (tmp_path / "a.jpg").write_bytes(unmarked)
    assert np.abs(read(tmp_path / "a.jpg", 3).astype(int) - by_pillow(unmarked)).max() <= 2


@pytest.mark.parametrize("kind", ["PCX", "TGA"])
def test_pillow_reads_formats_unknown_to_opencv(tmp_path, kind):
    Image.fromarray(COLOUR).save(tmp_path / "a.png", kind)
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED) is None
    assert (read(tmp_path / "a.png", 3) == COLOUR).all()


@pytest.mark.parametrize("kind", ["EPS", "PDF", "IM", "ICNS", "MSP"])
def test_formats_that_are_not_of_images_are_not_opened(tmp_path, kind):
    """Pillow would start Ghostscript to read an EPS, whatever the extension of its file."""
    Image.fromarray(GREY if kind != "MSP" else GREY > 100).convert("1" if kind == "MSP" else "L").save(
        tmp_path / "a.png", kind
    )
    with refused("not a picture, or one whose beginning is damaged"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(("name", "kind"), [("a.png", "JPEG"), ("a.jpg", "PNG"), ("a.tif", "PNG"), ("a.bmp", "TIFF")])
def test_format_is_recognised_by_first_bytes(tmp_path, name, kind):
    Image.fromarray(GREY).save(tmp_path / name, kind)
    assert np.abs(read(tmp_path / name).astype(int) - GREY).max() <= (9 if kind == "JPEG" else 0)


def test_files_become_channels_of_one_image(tmp_path):
    grey = {name: picture(tmp_path / name, seed) for seed, name in enumerate(("red.png", "green.tif", "blue.bmp"))}
    picture(tmp_path / "colour.png", shape=(12, 10, 3))
    facts = images(["red", "green", "blue"])
    found = read_image(tmp_path, "red.png|green.tif|blue.bmp", facts)
    assert (found == np.stack(list(grey.values()), axis=-1)).all()
    turned = read_image(tmp_path, "blue.bmp|green.tif|colour.png", facts)
    assert (turned[..., 0] == grey["blue.bmp"]).all()
    assert (turned[..., 2] == read_image(tmp_path, "colour.png", images())[..., 0]).all()


def test_mismatched_files_of_one_image_raise(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", shape=(12, 11))
    with refused("b.png: 12x11 pixels, but a.png of the same image has 12x10"):
        read_image(tmp_path, "a.png|b.png", images(2))
    with refused("2 files, but 'images.channels' is 3"):
        read_image(tmp_path, "a.png|b.png", images(3))
    with refused("gone.png: unreadable image"):
        read_image(tmp_path, "a.png|gone.png", images(2))
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 12, 10), np.uint8))
    assert read_image(tmp_path, "a.png|x.npz#a/1", images(2)).shape == (12, 10, 2)


@pytest.mark.slow
def test_decoder_output_about_broken_files_is_silenced(tmp_path):
    whole = jpeg()
    damaged = bytearray(whole)
    damaged[-60:-40] = b"\xff\x00" * 10
    (tmp_path / "a.jpg").write_bytes(damaged)
    (tmp_path / "b.jpg").write_bytes(whole[:-20] + b"rubbish" + whole[-2:])
    Image.fromarray(COLOUR).save(tmp_path / "c.tif", compression="tiff_lzw")
    (tmp_path / "c.tif").write_bytes((tmp_path / "c.tif").read_bytes()[:-30])
    picture(tmp_path / "d.png", shape=(64, 64))
    png = bytearray((tmp_path / "d.png").read_bytes())
    png[200:220] = b"x" * 20
    (tmp_path / "d.png").write_bytes(png)
    padded = dataset(GREY)
    padded.PixelData += bytes(128)  # which pydicom warns of
    save(tmp_path / "e.dcm", padded)
    code = "\n".join(
        [
            "import os, sys; from pathlib import Path",
            "from medfold.competition import ImageFacts; from medfold.errors import UserError",
            "from medfold.images.formats import decoding",
            "def read_all():",
            "    for name in ('a.jpg', 'b.jpg', 'c.tif', 'd.png', 'e.dcm'):",
            "        try: decoding.read_image(Path(sys.argv[1]), name, ImageFacts(train='x'))",
            "        except UserError: pass",
            "read_all()",
            "print('end of output', file=sys.stderr, flush=True)",
            "os.dup2 = lambda *_: None",
            "read_all()",
        ]
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    output = subprocess.run(arguments, stderr=subprocess.PIPE, text=True, env=environment, check=True).stderr
    silenced, loud = output.split("end of output\n")
    assert silenced == ""
    assert "Corrupt JPEG data" in loud  # the decoders do write to stderr


def test_dicom_is_read_under_any_file_name(tmp_path):
    made = dataset(noise((16, 18), 4096, np.uint16), 12)
    save(tmp_path / "a.dcm", made)
    for name in ("a.png", "1.2.840", "a.IMA"):
        (tmp_path / name).write_bytes((tmp_path / "a.dcm").read_bytes())
        found = read_image(tmp_path, name, ImageFacts(train="x", channels=1))
        np.testing.assert_array_equal(found, read_image(tmp_path, "a.dcm", ImageFacts(train="x", channels=1)))
    (tmp_path / "b.png").write_bytes(b"x" * 200)
    with refused("b.png: unreadable image .not a picture"):
        read_image(tmp_path, "b.png", ImageFacts(train="x"))
