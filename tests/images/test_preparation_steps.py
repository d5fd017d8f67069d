"""Preparation steps: crops, contrast; each keeps the channels and is deterministic."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.competition import PreparationSettings
from medfold.images import preparation, steps_of
from medfold.images.preparation_steps import find_disc


def apply_step(name, pixels, **arguments):
    (function,) = steps_of(PreparationSettings(steps=[{name: arguments}]))
    return function(pixels)


def drawn(kind, shape, seed):
    """Draws a noisy image of a kind: noise, flat, dark or light box, disc."""
    rng, (height, width) = np.random.default_rng(seed), shape[:2]
    if kind == "noise":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    ground, bright = sorted(rng.integers(0, 256, 2))
    plain = np.full((height, width), ground if kind != "light" else bright, np.uint8)
    if kind != "flat":
        corners = rng.integers([0, 0], [width, height], (2, 2))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        plain[top : bottom + 1, left : right + 1] = bright if kind != "light" else ground
    if kind == "disc":
        plain[:] = ground
        cv2.circle(plain, (width // 2, height // 2), max(height, width) // 3, int(bright), -1)
    noise = rng.normal(0, rng.choice([0, 2, 10]), shape)
    return np.clip(plain[..., None] + noise, 0, 255).astype(np.uint8)


@given(
    name=st.sampled_from(preparation.STEPS.names()),
    kind=st.sampled_from(["noise", "flat", "dark", "light", "disc"]),
    height=st.one_of(st.integers(1, 70), st.sampled_from([520, 1100])),
    width=st.one_of(st.integers(1, 70), st.sampled_from([520, 1100])),
    channels=st.integers(1, 8),
    seed=st.integers(0, 1000),
)
def test_steps_keep_channels_and_are_deterministic(name, kind, height, width, channels, seed):
    pixels = drawn(kind, (height, width, channels), seed)
    before = pixels.copy()
    result = apply_step(name, pixels)
    assert result.dtype == np.uint8
    assert result.ndim == 3
    assert result.shape[2] == channels
    assert min(result.shape) > 0
    assert (pixels == before).all()
    assert (apply_step(name, pixels) == result).all()


def box(left, top, right, bottom, shape=(300, 400, 1), ground=0, noise=4, seed=0):
    """Draws an even background with a bright, uneven box in it."""
    rng = np.random.default_rng(seed)
    pixels = ground + rng.integers(0, noise + 1, shape)
    pixels[top:bottom, left:right] = rng.integers(90, 180, (bottom - top, right - left, shape[2]))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def close(found, expected, by):
    return np.abs(np.subtract(found, expected)).max() <= by


@pytest.mark.parametrize("ground", [0, 20, 240])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_crop_foreground_finds_box_on_any_background(ground, channels):
    pixels = box(80, 30, 300, 200, (300, 400, channels), ground, noise=12)
    result = apply_step("crop_foreground", pixels)
    assert (result == pixels[28:202, 78:302]).all()


def test_crop_foreground_uses_every_channel():
    pixels = np.full((100, 100, 3), 30, np.uint8)
    pixels[20:60, 30:90, 1] = 55
    assert apply_step("crop_foreground", pixels).shape[:2] == (42, 62)


def test_crop_foreground_ignores_dust_and_edge_lines():
    pixels = box(80, 30, 300, 200)
    pixels[250, 350] = pixels[10:12, 10:12] = pixels[270:275, 20:26] = 255
    pixels[0] = 255
    assert apply_step("crop_foreground", pixels).shape == (174, 224, 1)


def test_crop_foreground_removes_dark_side_bars():
    result = apply_step("crop_foreground", box(100, 0, 320, 300))
    assert result.shape == (300, 226, 1)


def test_crop_foreground_is_accurate_on_large_images():
    pixels = np.zeros((2000, 3000, 1), np.uint8)
    pixels[333:1500, 777:2500] = 100
    height, width, _ = apply_step("crop_foreground", pixels).shape
    assert 1167 <= height <= 1167 + 2 * (17 + 12)
    assert 1723 <= width <= 1723 + 2 * (17 + 12)


@pytest.mark.parametrize("kind", ["noise", "black", "white", "grain", "gradient", "uneven"])
def test_crop_foreground_keeps_images_without_border(kind):
    rng = np.random.default_rng(0)
    pixels = {
        "noise": rng.integers(0, 256, (90, 120, 3)),
        "black": np.zeros((90, 120, 3)),
        "white": np.full((90, 120, 3), 255),
        "grain": np.clip(rng.normal(5, 3, (90, 120, 3)), 0, 255),
        "gradient": np.linspace(0, 255, 120)[None, :, None] * np.ones((90, 1, 3)),
        "uneven": rng.integers(0, 60, (90, 120, 3)) + np.pad(np.full((50, 80, 1), 190), ((20, 20), (20, 20), (0, 0))),
    }[kind].astype(np.uint8)
    assert (apply_step("crop_foreground", pixels) == pixels).all()


@given(
    left=st.integers(12, 150), top=st.integers(12, 100), width=st.integers(20, 200), height=st.integers(20, 180),
    ground=st.integers(0, 15), seed=st.integers(0, 100),
)  # fmt: skip
def test_crop_foreground_is_idempotent(left, top, width, height, ground, seed):
    once = apply_step("crop_foreground", box(left, top, left + width, top + height, ground=ground, seed=seed))
    assert close(once.shape[:2], (height, width), 6)
    assert (apply_step("crop_foreground", once) == once).all()


def fundus(shape=(300, 400), centre=(150, 200), radius=120, level=90, noise=3, ground=2, channels=3, fall=0.5):
    """Draws a fundus: a disc that is darker at its edge, with an optic disc, on a dark background."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = np.hypot(y - centre[0], x - centre[1]) / radius
    light = level * (1 - fall * away**2) * (away <= 1)
    light += 0.7 * level * (np.hypot(y - centre[0], x - centre[1] - radius / 2) < radius / 8)
    pixels = light[..., None] * np.linspace(1, 0.3, channels) + ground
    return np.clip(pixels + rng.normal(0, noise, pixels.shape), 0, 255).astype(np.uint8)


def shadowed(pixels):
    return (pixels * np.clip(np.linspace(-0.3, 1.6, pixels.shape[1]), 0, 1)[:, None]).astype(np.uint8)


def covered(pixels):
    return np.where(np.arange(pixels.shape[1])[:, None] < 130, 2, pixels).astype(np.uint8)


def labelled(pixels):
    return cv2.rectangle(pixels.copy(), (0, 0), (60, 20), (255, 255, 255), -1)


def hazy(pixels):
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    haze = 16 * np.exp(-((x - 80) ** 2 + (y - 60) ** 2) / (2 * 60**2))
    return np.clip(pixels + haze[..., None], 0, 255).astype(np.uint8)


def notched(pixels):
    return cv2.rectangle(pixels.copy(), (310, 140), (334, 156), (80, 40, 20), -1)


DISCS = {
    "plain": lambda: fundus(),
    "grey": lambda: fundus(channels=1),
    "five channels": lambda: fundus(channels=5),
    "dark": lambda: fundus(level=12, noise=1, ground=0),
    "noisy": lambda: fundus(level=40, noise=8, ground=6),
    "grainy": lambda: fundus(level=70, noise=25, ground=30),
    "cut": lambda: fundus(shape=(200, 400), centre=(100, 200)),
    "dark and cut": lambda: fundus(shape=(190, 400), centre=(80, 200), level=14, noise=1, ground=0),
    "cut on all sides": lambda: fundus(shape=(200, 210), centre=(100, 105)),
    "shadowed": lambda: shadowed(fundus()),
    "dim at its edge": lambda: fundus(fall=0.8, level=70),
    "covered": lambda: covered(fundus()),
    "labelled": lambda: labelled(fundus()),
    "hazy": lambda: hazy(fundus()),
    "notched": lambda: notched(fundus()),
    "large": lambda: fundus(shape=(1500, 2000), centre=(750, 1000), radius=600),
}


@pytest.mark.parametrize("name", DISCS)
def test_circle_crop_finds_disc(name):
    pixels = DISCS[name]()
    height, width = pixels.shape[:2]
    scale = max(1, height / 300)
    radius, centre = 120 * scale, (80 if height == 190 else height / 2, width / 2)
    x, y, found = find_disc(pixels)
    assert close((y, x, found), (*centre, radius), 1.7)
    result = apply_step("circle_crop", pixels)
    assert close(result.shape[:2], (2 * radius, 2 * radius), 6 * scale)
    middle = result.shape[0] // 2
    assert close(middle, radius, 3 * scale)
    away = np.hypot(*(np.mgrid[: result.shape[0], : result.shape[1]] - middle))
    assert result[away > radius + 4 * scale].max() == 0
    inner = pixels[round(y) - 50 : round(y) + 50, round(x) - 50 : round(x) + 50]
    assert (result[middle - 50 : middle + 50, middle - 50 : middle + 50] == inner).all()


def test_circle_crop_of_cropped_disc_keeps_size():
    once = apply_step("circle_crop", fundus())
    assert close(apply_step("circle_crop", once).shape, once.shape, 3)


@pytest.mark.parametrize(
    "kind", ["black", "noise", "box", "hexagon", "ellipse", "half", "gradient", "part", "keyhole", "wheel"]
)
def test_circle_crop_keeps_images_without_disc(kind):
    pixels = np.random.default_rng(0).integers(0, 4, (300, 400, 3), dtype=np.uint8)
    if kind == "noise":
        pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    if kind == "box":
        pixels[50:250, 100:300] = 120
    if kind == "hexagon":
        corners = [200, 150] + 120 * np.stack([np.cos(np.arange(6) * np.pi / 3), np.sin(np.arange(6) * np.pi / 3)], 1)
        cv2.fillPoly(pixels, [corners.astype(np.int32)], (120, 120, 120))
    if kind == "keyhole":
        cv2.circle(pixels, (200, 120), 100, (120, 120, 120), -1)
        pixels[200:280, 180:220] = 120
    if kind == "wheel":
        for angle in range(0, 360, 72):
            cv2.ellipse(pixels, (200, 150), (120, 120), angle, 0, 40, (120, 120, 120), -1)
    if kind == "part":
        pixels = fundus(shape=(300, 150), centre=(150, -20))
    if kind == "ellipse":
        cv2.ellipse(pixels, (200, 150), (150, 110), 0, 0, 360, (120, 120, 120), -1)
    if kind == "half":
        pixels[:, 200:] = 120
    if kind == "gradient":
        pixels = np.tile(np.linspace(0, 255, 400).astype(np.uint8)[None, :, None], (300, 1, 3))
    assert (apply_step("circle_crop", pixels) == pixels).all()


def breast(shape=(400, 300), ground=4, noise=2, dim=0, implant=False, line=False, padded=False):
    """Draws a mammogram with two labels; returns its pixels, and (top, bottom, right) of the breast."""
    rng, (height, width) = np.random.default_rng(0), shape
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - height / 2) / (0.36 * height), x / (0.55 * width))
    tissue = (away < 1) * (30 + 100 * np.sqrt(np.clip(1 - away, 0, 1)))
    tissue[(x < 0.2 * width) & (y > height / 2)] -= dim
    if implant:
        tissue = np.where(away < 1, 40 + 180 * (away < 0.7), 0)
    pixels = ground + np.clip(tissue, 0, 255)
    pixels[round(0.04 * height) : round(0.1 * height), round(0.03 * width) : round(0.1 * width)] = 250
    pixels[round(0.16 * height) : round(0.22 * height), round(0.4 * width) : round(0.53 * width)] = 250
    if line:
        pixels[round(height / 2), :] = pixels[:2] = pixels[: round(height / 2), 20:23] = 200
    pixels = np.clip(pixels + rng.normal(0, noise, shape), 0, 255).astype(np.uint8)
    if padded:
        pixels[:, round(0.95 * width) :] = 0
    rows, columns = np.nonzero(away < 1)
    return pixels[..., None], (rows.min(), rows.max() + 1, columns.max() + 1)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ground": 30, "noise": 6},
        {"dim": 20},
        {"implant": True},
        {"line": True},
        {"ground": 25, "padded": True},
        {"shape": (2400, 1800)},
    ],
    ids=str,
)
def test_breast_crop_finds_breast_and_removes_labels(options, mirrored):
    pixels, (top, bottom, right) = breast(**options)
    given = pixels[:, ::-1] if mirrored else pixels
    result = apply_step("breast_crop", given)
    result = result[:, ::-1] if mirrored else result
    few = pixels.shape[0] / 400 * 4
    margin = 0.02 * (bottom - top) + max(1, pixels.shape[0] / 512)
    assert close(result.shape[:2], (bottom - top + 2 * margin, right + margin), 2 * few)
    # All of the tissue is there, and nothing else that is bright.
    assert (result > 240).sum() == 0
    start = round(top - margin)
    middle = (result.shape[0] // 2 - 40, result.shape[0] // 2 + 40)
    found = result[slice(*middle), :100].astype(int)
    assert (
        min(np.abs(found - pixels[start + middle[0] + by : start + middle[1] + by, :100]).max() for by in range(-9, 9))
        == 0
    )


def test_breast_crop_keeps_faint_skin():
    y, x = np.mgrid[:400, :300]
    fading = 130 * np.clip(1 - np.hypot((y - 200) / 150, x / 170), 0, 1)
    pixels = fading.astype(np.uint8)[..., None]
    assert np.count_nonzero(apply_step("breast_crop", pixels) > 10) == np.count_nonzero(pixels > 10)


@pytest.mark.parametrize("kind", ["black", "noise", "label", "full"])
def test_breast_crop_keeps_images_without_breast(kind):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256 if kind == "noise" else 4, (300, 200, 1), dtype=np.uint8)
    if kind == "label":
        pixels[20:40, 150:180] = 250
    if kind == "full":
        pixels[:, :195] += 100
    assert (apply_step("breast_crop", pixels) == pixels).all()


def contrast(pixels):
    return np.std(pixels.astype(float), axis=(0, 1))


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_clahe_raises_contrast(channels):
    x = np.sin(np.arange(200) / 5)
    pixels = (100 + 8 * x[:, None, None] * x[None, :, None] * np.ones(channels)).astype(np.uint8)
    result = apply_step("clahe", pixels)
    assert (contrast(result) > 1.3 * contrast(pixels)).all()
    assert (contrast(apply_step("clahe", pixels, clip=4.0)) > contrast(result)).all()
    assert (apply_step("clahe", pixels, tiles=2) != result).any()


def test_clahe_keeps_hues_and_treats_extra_channels_independently():
    rng = np.random.default_rng(0)
    light = rng.integers(60, 90, (64, 64, 1))
    orange = (light * np.array([1.5, 1.0, 0.5])).astype(np.uint8)
    shares = apply_step("clahe", orange).reshape(-1, 3).mean(axis=0)
    assert close(shares / shares.sum(), [0.5, 1 / 3, 1 / 6], 0.05)
    grey = np.repeat(light.astype(np.uint8), 3, axis=2)
    assert close(np.ptp(apply_step("clahe", grey).astype(int), axis=2), 0, 2)
    several = rng.integers(0, 256, (64, 64, 5), dtype=np.uint8)
    for channel in range(5):
        alone = apply_step("clahe", several[..., [channel]])[..., 0]
        assert (apply_step("clahe", several)[..., channel] == alone).all()
