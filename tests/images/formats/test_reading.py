"""Readers of pictures and arrays, against Pillow and tifffile as independent ones."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from medfold.competition.facts_sections import ImageFacts
from medfold.errors import UserError
from medfold.images.formats import pixel_values, truncation
from medfold.images.formats.reading import image_endings, list_members, read_image, read_image_with_headers
from tests.support.dicom_files import dataset, save
from tests.support.helpers import REPOSITORY, picture

RNG = np.random.default_rng(0)


def images(channels: int | list[str] = 1, **facts) -> ImageFacts:
    return ImageFacts(train="{id}.png", channels=channels, **facts)


def read(path: Path, channels: int = 1, member: str = "", **facts) -> np.ndarray:
    """What formats.read makes of a file; without the axis of a single channel."""
    found = read_image(path.parent, path.name + member, images(channels, **facts))
    assert found.dtype == np.uint8
    assert found.shape[2] == channels
    return found[..., 0] if channels == 1 else found


def spread(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(np.clip((values.astype(np.float64) - low) / (float(high) - float(low)), 0, 1) * 255).astype(np.uint8)


GREY = cv2.resize(RNG.integers(0, 256, (6, 5), dtype=np.uint8), (41, 30), interpolation=cv2.INTER_CUBIC)
COLOUR = cv2.resize(RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8), (41, 30), interpolation=cv2.INTER_CUBIC)
ALPHA = RNG.integers(0, 256, GREY.shape, dtype=np.uint8)
DEEP = GREY.astype(np.uint16) * 200 + np.arange(41, dtype=np.uint16)
FLOAT = GREY.astype(np.float32) * 1.5 - 300


def test_suffixes_are_those_of_single_images():
    assert {".png", ".jpeg", ".tif", ".webp", ".bmp", ".dcm", ".npy"} <= set(image_endings())
    assert not {".npz", ".h5", ".hdf5"} & set(image_endings())


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "b.PNG"])
def test_lossless_pictures_come_back(tmp_path, name):
    expected = picture(tmp_path / name)
    assert (read(tmp_path / name) == expected).all()


def test_colour_is_red_green_blue(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue first
    for name in ("a.png", "a.tif", "a.bmp", "a.webp"):
        cv2.imwrite(str(tmp_path / name), red, [cv2.IMWRITE_WEBP_QUALITY, 101])
        assert read(tmp_path / name, 3)[0, 0].tolist() == [255, 0, 0]
        assert read(tmp_path / name, 1)[0, 0] == 76


def test_grey_of_colour_is_its_luma(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])  # Rec. 601
    assert np.abs(read(tmp_path / "a.png") - luma).max() < 0.51
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(read(tmp_path / "a.jpg") - luma).max() < 3


def test_pixels_and_headers_come_together(tmp_path):
    expected = picture(tmp_path / "a.png")
    look = read_image_with_headers(tmp_path, "a.png", images())
    assert (look.pixels[..., 0] == expected).all()
    assert look.headers == {}


def test_grey_is_repeated_and_other_numbers_of_channels_are_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", 3) == GREY[..., None]).all()
    with pytest.raises(UserError, match="1 channel, expected 2"):
        read(tmp_path / "a.png", 2)
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="3 channels, expected 2"):
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
def test_pictures_are_what_pillow_sees(tmp_path, case):
    image, kind, options = raster_cases()[case]
    data = io.BytesIO()
    image.save(data, kind, **options)
    (tmp_path / "a.png").write_bytes(data.getvalue())
    difference = read(tmp_path / "a.png", 3).astype(int) - by_pillow(data.getvalue())
    assert np.abs(difference).max() <= (2 if kind == "JPEG" else 0)


def test_cmyk_jpegs_without_the_mark_of_adobe_are_not_inverted(tmp_path):
    data = io.BytesIO()
    Image.fromarray(COLOUR).convert("CMYK").save(data, "JPEG", quality=95)
    plain = data.getvalue()
    start = plain.index(b"\xff\xee")
    unmarked = plain[:start] + plain[start + 16 :]
    (tmp_path / "a.jpg").write_bytes(unmarked)
    assert np.abs(read(tmp_path / "a.jpg", 3).astype(int) - by_pillow(unmarked)).max() <= 2


@pytest.mark.parametrize("kind", ["PCX", "IM"])
def test_what_opencv_cannot_read_pillow_may(tmp_path, kind):
    values = DEEP if kind == "IM" else COLOUR
    Image.fromarray(values).save(tmp_path / "a.png", kind)
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED) is None
    expected = spread(DEEP, DEEP.min(), DEEP.max()) if kind == "IM" else COLOUR
    assert (read(tmp_path / "a.png", 1 if kind == "IM" else 3) == expected).all()


@pytest.mark.parametrize(("name", "kind"), [("a.png", "JPEG"), ("a.jpg", "PNG"), ("a.tif", "PNG"), ("a.bmp", "TIFF")])
def test_a_picture_is_told_by_its_first_bytes(tmp_path, name, kind):
    Image.fromarray(GREY).save(tmp_path / name, kind)
    assert np.abs(read(tmp_path / name).astype(int) - GREY).max() <= (9 if kind == "JPEG" else 0)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
@pytest.mark.parametrize("range", [None, (1000, 30000)])
def test_deeper_pixels_are_scaled(tmp_path, name, range):
    np.save(tmp_path / name, DEEP) if name == "a.npy" else cv2.imwrite(str(tmp_path / name), DEEP)
    assert (read(tmp_path / name, range=range) == spread(DEEP, *(range or (DEEP.min(), DEEP.max())))).all()


def test_deep_colours_are_scaled_together(tmp_path):
    deep = COLOUR.astype(np.uint16) * 100 + 7
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    assert (read(tmp_path / "a.png", 3) == spread(deep, deep.min(), deep.max())).all()


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "uint32", "int64", "float16", "float32", "float64", "bool", ">u2"]
)
def test_numbers_of_every_type_are_scaled(tmp_path, dtype):
    values = GREY > 100 if dtype == "bool" else (GREY.astype(np.float64) - 100).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    low, high = values.min().item(), values.max().item()
    assert (read(tmp_path / "a.npy") == spread(values, low, high)).all()


def test_images_of_one_value_are_black(tmp_path):
    for value in (np.uint16(700), np.float32(-3)):
        np.save(tmp_path / "a.npy", np.full((3, 4), value))
        assert read(tmp_path / "a.npy").max() == 0


def test_windows_are_channels_of_values_with_a_sign(tmp_path):
    np.save(tmp_path / "a.npy", FLOAT)
    found = read(tmp_path / "a.npy", 2, windows=["brain", (0, 200)])
    assert (found == np.stack([spread(FLOAT, 0, 80), spread(FLOAT, -100, 100)], axis=-1)).all()
    np.save(tmp_path / "a.npy", GREY)
    with pytest.raises(UserError, match="'images.windows' are for Hounsfield units"):
        read(tmp_path / "a.npy", 1, windows=["brain"])


# What tifffile writes: the values, its options, and what should come out.
PALETTE = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
TIFFS = {
    "bytes": (GREY, {"photometric": "minisblack"}, GREY),
    "16 bits": (DEEP, {"photometric": "minisblack"}, DEEP),
    "big endian": (DEEP, {"photometric": "minisblack", "byteorder": ">"}, DEEP),
    "signed": (DEEP.astype(np.int32) - 30000, {"photometric": "minisblack"}, DEEP),
    "32 bits": (DEEP.astype(np.uint32) * 70000, {"photometric": "minisblack"}, DEEP),
    "half": (FLOAT.astype(np.float16), {"photometric": "minisblack"}, FLOAT.astype(np.float16)),
    "float": (FLOAT, {"photometric": "minisblack"}, FLOAT),
    "double": (FLOAT.astype(np.float64), {"photometric": "minisblack"}, FLOAT),
    "deflate": (DEEP, {"photometric": "minisblack", "compression": "zlib", "predictor": True}, DEEP),
    "tiles": (np.tile(DEEP, (3, 3)), {"photometric": "minisblack", "tile": (32, 32)}, np.tile(DEEP, (3, 3))),
    "BigTIFF": (DEEP, {"photometric": "minisblack", "bigtiff": True}, DEEP),
    "white is zero": (GREY, {"photometric": "miniswhite"}, 255 - GREY),
    "white is zero in 16 bits": (DEEP, {"photometric": "miniswhite"}, 65535 - DEEP),
    "one bit": (GREY > 100, {"photometric": "minisblack"}, GREY > 100),
    "one bit, white is zero": (GREY > 100, {"photometric": "miniswhite"}, GREY <= 100),
    "grey with alpha": (
        np.dstack([GREY, ALPHA]),
        {"photometric": "minisblack", "extrasamples": ["unassalpha"], "planarconfig": "contig"},
        GREY,
    ),
    "colour": (COLOUR, {"photometric": "rgb"}, COLOUR),
    "deflated colour": (COLOUR, {"photometric": "rgb", "compression": "zlib"}, COLOUR),
    "deep colour": (COLOUR.astype(np.uint16) * 257, {"photometric": "rgb"}, COLOUR),
    "colour by plane": (np.moveaxis(COLOUR, 2, 0), {"photometric": "rgb", "planarconfig": "separate"}, COLOUR),
    "deep colour by plane": (
        np.moveaxis(COLOUR, 2, 0).astype(np.uint16) * 257,
        {"photometric": "rgb", "planarconfig": "separate"},
        COLOUR,
    ),
    "colour with alpha": (np.dstack([COLOUR, ALPHA]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, COLOUR),
    "palette": (GREY, {"photometric": "palette", "colormap": PALETTE}, (PALETTE.T[GREY] >> 8).astype(np.uint8)),
    "palette in BigTIFF": (
        GREY,
        {"photometric": "palette", "colormap": PALETTE, "bigtiff": True},
        (PALETTE.T[GREY] >> 8).astype(np.uint8),
    ),
}


@pytest.mark.parametrize("case", TIFFS)
def test_tiffs_of_every_kind(tmp_path, case):
    values, options, expected = TIFFS[case]
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None, **options)
    found = read(tmp_path / "a.tif", 3 if expected.ndim == 3 else 1)
    deep = expected.dtype != np.uint8 or values.dtype == np.uint16
    assert (found == (spread(expected, expected.min(), expected.max()) if deep else expected)).all()


LIBTIFF = [
    *[(kind, how) for kind in ("grey", "colour", "deep", "float", "alpha", "CMYK") for how in ("tiff_lzw", "packbits")],
    *[(kind, "tiff_adobe_deflate") for kind in ("grey", "colour", "deep", "float", "alpha", "CMYK")],
    ("grey", "jpeg"),
    ("colour", "jpeg"),
    ("1 bit", "group4"),
]


@pytest.mark.parametrize(("kind", "compression"), LIBTIFF)
def test_compressed_tiffs_of_libtiff(tmp_path, kind, compression):
    colours = {"alpha": np.dstack([COLOUR, ALPHA]), "colour": COLOUR, "CMYK": COLOUR}
    values = (colours | {"grey": GREY, "deep": DEEP, "float": FLOAT, "1 bit": GREY > 100})[kind]
    image = Image.fromarray(values)
    (image.convert("CMYK") if kind == "CMYK" else image).save(tmp_path / "a.tif", compression=compression)
    expected = values[..., :3] if values.ndim == 3 else values
    if expected.dtype != np.uint8:
        expected = spread(expected, expected.min(), expected.max())
    found = read(tmp_path / "a.tif", 3 if expected.ndim == 3 else 1)
    assert np.abs(found.astype(int) - expected).max() <= (9 if compression == "jpeg" else 0)


def test_deep_colours_in_lzw(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), COLOUR[..., ::-1].astype(np.uint16) * 257)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].compression == 5
    assert (read(tmp_path / "a.tif", 3) == spread(COLOUR, COLOUR.min(), COLOUR.max())).all()


@pytest.mark.parametrize("values", [GREY, DEEP], ids=["bytes", "16 bits"])
def test_white_as_zero_is_inverted_in_compressed_tiffs(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "black.tif", compression="tiff_lzw")
    black = (tmp_path / "black.tif").read_bytes()
    entry = b"\x06\x01\x03\x00\x01\x00\x00\x00"  # photometric interpretation, one short
    assert black.count(entry + b"\x01") == 1
    (tmp_path / "white.tif").write_bytes(black.replace(entry + b"\x01", entry + b"\x00"))
    assert (read(tmp_path / "white.tif") == 255 - read(tmp_path / "black.tif")).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["OpenCV", "tifffile", "16 bits"])
def test_tiffs_are_upright(tmp_path, orientation, kind):
    values = DEEP if kind == "16 bits" else COLOUR
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={274: orientation})
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO((tmp_path / "a.tif").read_bytes()))))
    if kind == "tifffile":  # OpenCV is not asked for BigTIFF
        tag = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", bigtiff=True, metadata=None, extratags=tag)
    expected = spread(upright, upright.min(), upright.max()) if kind == "16 bits" else upright
    assert (read(tmp_path / "a.tif", 1 if kind == "16 bits" else 3) == expected).all()


@pytest.mark.parametrize("kind", ["plain", "LZW", "LZW with alpha"])
def test_pages_of_tiffs_are_frames(tmp_path, kind):
    alpha = kind == "LZW with alpha"
    pages = [np.dstack([COLOUR // (n + 1), ALPHA]) if alpha else GREY // (n + 1) for n in range(3)]
    first, *others = [Image.fromarray(page) for page in pages]
    options = {} if kind == "plain" else {"compression": "tiff_lzw"}
    first.save(tmp_path / "a.tif", save_all=True, append_images=others, **options)
    for frame, number in (("first", 0), ("middle", 1), ("last", 2), (2, 2)):
        found = read(tmp_path / "a.tif", 3 if alpha else 1, frame=frame)
        assert (found == (pages[number][..., :3] if alpha else pages[number])).all()
    with pytest.raises(UserError, match="no frame 3, it has 3 .0 to 2."):
        read(tmp_path / "a.tif", 1, frame=3)


def test_pages_of_several_sizes_make_no_montage(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, photometric="minisblack")
        file.write(GREY[:9], photometric="minisblack")
    assert read(tmp_path / "a.tif", frame="last").shape == (9, 41)
    with pytest.raises(UserError, match="pages of several sizes"):
        read(tmp_path / "a.tif", frame="montage")


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.h5"])
@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (5, 2, 3), (9, 3, 3), (10, 3, 4)])
def test_a_montage_is_nearly_square(tmp_path, name, count, rows, columns):
    stack = RNG.integers(0, 256, (count, 7, 6), dtype=np.uint8)
    if name == "a.npy":
        np.save(tmp_path / name, stack)
    elif name == "a.tif":
        tifffile.imwrite(tmp_path / name, stack, photometric="minisblack")
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file["x"] = stack
    found = read(tmp_path / name, member="#x" if name == "a.h5" else "", frame="montage")
    assert found.shape == (7 * rows, 6 * columns)
    for number in range(rows * columns):
        top, left = number // columns * 7, number % columns * 6
        expected = stack[number] if number < count else 0
        assert (found[top : top + 7, left : left + 6] == expected).all()


def test_a_montage_of_deep_frames_has_one_scale(tmp_path):
    stack = np.stack([DEEP // 4, DEEP])
    np.save(tmp_path / "a.npy", stack)
    expected = spread(stack, stack.min(), stack.max())
    assert (read(tmp_path / "a.npy", frame="montage") == np.hstack(list(expected))).all()


@pytest.mark.parametrize("frame", ["first", "middle", "last", 0, 2])
def test_an_array_is_an_image_or_a_stack(tmp_path, frame):
    for shape, channels in (((5, 8, 6), 1), ((5, 8, 6, 3), 3)):
        stack = RNG.integers(0, 256, shape, dtype=np.uint8)
        np.save(tmp_path / "a.npy", stack)
        number = {"first": 0, "middle": 2, "last": 4}.get(frame, frame)
        assert (read(tmp_path / "a.npy", channels, frame=frame) == stack[number]).all()
        np.save(tmp_path / "a.npy", stack[0])
        assert (read(tmp_path / "a.npy", channels) == stack[0]).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_an_image_that_is_no_stack_has_one_frame(tmp_path, name):
    np.save(tmp_path / name, GREY) if name == "a.npy" else Image.fromarray(GREY).save(tmp_path / name)
    for frame in ("first", "middle", "last", "montage", 0):
        assert (read(tmp_path / name, frame=frame) == GREY).all()
    with pytest.raises(UserError, match="no frame 2, it has 1 .0 to 0."):
        read(tmp_path / name, frame=2)


def test_arrays_are_read_by_member(tmp_path):
    stack = RNG.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", test_images=stack)
    assert (read(tmp_path / "x.npz", 3, "#test_images/2") == stack[2]).all()


@pytest.fixture
def hdf5(tmp_path) -> Path:
    """A file with images of every kind."""
    path = tmp_path / "a.hdf5"
    encoded = {kind: cv2.imencode(kind, COLOUR[..., ::-1])[1].tobytes() for kind in (".png", ".jpg")}
    with h5py.File(path, "w") as file:
        file["ISIC_0015670"] = np.void(encoded[".png"])
        file["text"] = np.bytes_(encoded[".png"])
        file["vector"] = np.frombuffer(encoded[".png"], np.uint8)
        file["jpeg"] = np.void(encoded[".jpg"])
        file["pixels"] = COLOUR
        file["deep"] = DEEP
        file.create_dataset("stack", data=np.stack([GREY, 255 - GREY]), chunks=(1, 30, 41), compression="gzip")
        file["group/stack"] = np.stack([COLOUR, 255 - COLOUR])
        vectors = file.create_dataset("vectors", 2, h5py.vlen_dtype(np.uint8))
        vectors[1] = np.frombuffer(encoded[".png"], np.uint8)
    return path


@pytest.mark.parametrize(
    "member", ["ISIC_0015670", "text", "vector", "pixels", "group/stack/0", "group/stack", "vectors/1"]
)
def test_hdf5_holds_pictures_and_pixels(hdf5, member):
    assert (read(hdf5, 3, f"#{member}") == COLOUR).all()


def test_hdf5_frames_and_rows(hdf5):
    assert (read(hdf5, 1, "#stack/1") == 255 - GREY).all()
    assert (read(hdf5, 1, "#stack", frame="last") == 255 - GREY).all()
    assert (read(hdf5, 1, "#deep") == spread(DEEP, DEEP.min(), DEEP.max())).all()
    assert np.abs(read(hdf5, 3, "#jpeg").astype(int) - COLOUR).mean() < 5


def test_hdf5_members_are_the_data_sets_at_the_top(hdf5):
    assert sorted(list_members(hdf5)) == [
        "ISIC_0015670", "deep", "jpeg", "pixels", "stack", "text", "vector", "vectors",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("", "the name of one is missing"),
        ("#gone", "no data set 'gone' in it"),
        ("#group", "no data set 'group' in it"),
        ("#stack/2", "no row '2' in data set 'stack' of shape .2, 30, 41."),
        ("#stack/-1", "no row '-1'"),
        ("#stack/x", "no row 'x'"),
        ("#vectors/0", "the file is empty"),
    ],
)
def test_hdf5_members_that_are_not_there(hdf5, member, message):
    with pytest.raises(UserError, match=message):
        read(hdf5, 3, member)


def test_hdf5_is_read_by_several_threads(hdf5):
    wrong = []

    def work():
        for _ in range(20):
            if not (read(hdf5, 3, "#ISIC_0015670") == COLOUR).all() or not (read(hdf5, 1, "#stack/0") == GREY).all():
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_several_files_are_channels_of_one_image(tmp_path):
    grey = {name: picture(tmp_path / name, seed) for seed, name in enumerate(("red.png", "green.tif", "blue.bmp"))}
    picture(tmp_path / "colour.png", shape=(12, 10, 3))
    facts = images(["red", "green", "blue"])
    found = read_image(tmp_path, "red.png|green.tif|blue.bmp", facts)
    assert (found == np.stack(list(grey.values()), axis=-1)).all()
    turned = read_image(tmp_path, "blue.bmp|green.tif|colour.png", facts)
    assert (turned[..., 0] == grey["blue.bmp"]).all()
    assert (turned[..., 2] == read_image(tmp_path, "colour.png", images())[..., 0]).all()


def test_several_files_of_one_image_must_fit(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", shape=(12, 11))
    with pytest.raises(UserError, match="b.png: 12x11 pixels, but a.png of the same image has 12x10"):
        read_image(tmp_path, "a.png|b.png", images(2))
    with pytest.raises(UserError, match="2 files, but 'images.channels' are 3"):
        read_image(tmp_path, "a.png|b.png", images(3))
    with pytest.raises(UserError, match="gone.png: unreadable image"):
        read_image(tmp_path, "a.png|gone.png", images(2))
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 12, 10), np.uint8))
    assert read_image(tmp_path, "a.png|x.npz#a/1", images(2)).shape == (12, 10, 2)


def jpeg(exif: bytes = b"", **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(COLOUR).save(data, "JPEG", exif=exif, **options)
    return data.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("behind", [b"", b"\0\0\0", b"\xff\xff", b"a trailer", jpeg()])
def test_whole_jpegs_end_whatever_stands_behind(progressive, behind):
    assert not truncation.is_truncated(np.frombuffer(jpeg(progressive=progressive) + behind, np.uint8))


@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_that_are_cut_off_anywhere_do_not_end(progressive):
    thumbnail = b"Exif\0\0" + jpeg()  # it has an end marker of its own
    whole = jpeg(thumbnail, progressive=progressive)
    for length in range(3, len(whole) - 1, 7):
        assert (
            truncation.is_truncated(np.frombuffer(whole[:length], np.uint8))
            or whole[length - 2 : length] == b"\xff\xd9"
        )
    assert truncation.is_truncated(np.frombuffer(whole[:-2] + b"\0" * 50, np.uint8))


@pytest.mark.parametrize("behind", [b"", b"\0\0", b"a trailer"])
def test_pngs_end_with_their_last_chunk(tmp_path, behind):
    picture(tmp_path / "a.png", shape=(64, 64))
    whole = (tmp_path / "a.png").read_bytes()
    assert not truncation.is_truncated(np.frombuffer(whole + behind, np.uint8))
    for length in (40, len(whole) // 2, len(whole) - 13):
        assert truncation.is_truncated(np.frombuffer(whole[:length] + behind, np.uint8))


def test_what_is_declared_too_large_takes_no_memory():
    with pytest.raises(pixel_values.ImageError, match="declares 32769x32768 pixels, more than 2\\*\\*30"):
        pixel_values.check_size(32769, 32768)
    with pytest.raises(pixel_values.ImageError, match="declares 9000 frames of 1000x1000, more than 8 GB"):
        pixel_values.check_size(1000, 1000, 9000)
    pixel_values.check_size(32768, 32768)
    assert pixel_values.chosen_frames(10**12, images(frame="montage")) == range(10**12)


def test_nothing_is_printed_about_broken_files(tmp_path):
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
            "from medfold.images.formats import reading",
            "if sys.argv[2] == 'loud': os.dup2 = lambda *_: None",
            "for name in ('a.jpg', 'b.jpg', 'c.tif', 'd.png', 'e.dcm'):",
            "    try: reading.read_image(Path(sys.argv[1]), name, ImageFacts(train='x'))",
            "    except UserError: pass",
            "print('still heard', file=sys.stderr)",
        ]
    )

    def heard(how: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
        arguments = [sys.executable, "-c", code, str(tmp_path), how]
        return subprocess.run(arguments, stderr=subprocess.PIPE, text=True, env=environment, check=True).stderr

    assert heard("quiet") == "still heard\n"
    assert "Corrupt JPEG data" in heard("loud")  # there was something to hear


def test_a_dicom_file_is_read_whatever_it_is_called(tmp_path):
    made = dataset(RNG.integers(0, 4096, (16, 18), np.uint16), 12)
    save(tmp_path / "a.dcm", made)
    for name in ("a.png", "1.2.840", "a.IMA"):
        (tmp_path / name).write_bytes((tmp_path / "a.dcm").read_bytes())
        found = read_image(tmp_path, name, ImageFacts(train="x", channels=1))
        np.testing.assert_array_equal(found, read_image(tmp_path, "a.dcm", ImageFacts(train="x", channels=1)))
    (tmp_path / "b.png").write_bytes(b"x" * 200)
    with pytest.raises(UserError, match="b.png: unreadable image .not a picture"):
        read_image(tmp_path, "b.png", ImageFacts(train="x"))
