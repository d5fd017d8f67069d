"""Line styles: lines differ without colour, and colours differ for colour-blind readers."""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from importlib.resources import files as resources

import numpy as np
import pytest

from medfold.report import plots
from medfold.report.curves import Curve
from medfold.report.line_styles import SERIES, legend_sample, line_style

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as seen with one kind of cones missing.
CONE_MATRICES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
MIN_DISTANCE = 15  # CIELAB distance at which thin lines of two colours can be distinguished


def palettes() -> dict[str, dict[str, str]]:
    """Reads the colour variables of the style sheet: light, dark and print."""
    css = (resources("medfold.report") / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), found, strict=True))


def linear(colour: str) -> np.ndarray:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    value = np.array([int(digits[k : k + 2], 16) for k in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB."""
    share = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(colour: str, other: str) -> float:
    low, high = sorted(TO_XYZ[1] @ linear(each) for each in (colour, other))
    return (high + 0.05) / (low + 0.05)


def drawn_lines(text: str) -> list[tuple[str, str]]:
    """Dash and outline of the marker of each line of a plot."""
    found, root = [], ElementTree.fromstring(text)
    markers = {each.get("id"): " ".join(each.get("d").split()) for each in root.iterfind(".//defs/path")}
    for group in root.iter("g"):
        line = next(
            (each for each in group if each.tag == "path" and "stroke: var(--series" in each.get("style", "")), None
        )
        if line is not None and (used := group.find(".//use")) is not None:
            dash = re.search(r"stroke-dasharray: ([^;]*)", line.get("style"))
            found.append((dash.group(1) if dash else "", markers[used.get("href")[1:]]))
    return found


def test_forty_lines_differ_in_dash_and_marker():
    styles = [line_style(number) for number in range(40)]
    assert len({(style.dash, style.marker) for style in styles}) == 40
    for one, next_one in itertools.pairwise(styles):
        assert one.dash != next_one.dash
        assert one.marker != next_one.marker
        assert one.colour != next_one.colour


def test_drawn_lines_differ_without_colour():
    line = Curve(np.linspace(0, 1, 50), np.linspace(0, 1, 50))
    found = drawn_lines(plots.curves({f"class {number}": line for number in range(12)}, "x", "y", "roc").svg)
    assert len(found) == len(set(found)) == 12


def test_legend_samples_differ_without_colour():
    without = [re.sub(r"var\(--series\d\)", "black", legend_sample(number)) for number in range(40)]
    assert len(set(without)) == 40
    square = "M17.25 8.75L22.75 8.75L22.75 3.25L17.25 3.25Z"  # a square of 5.5 points in the middle of 40 x 12
    assert f'd="{square}"' in legend_sample(1)


@pytest.mark.parametrize("mode", ["light", "dark", "print"])
@pytest.mark.parametrize("eyes", CONE_MATRICES)
def test_colours_differ_for_colour_blind_readers(mode, eyes):
    variables = palettes()[mode]
    colours = [variables[f"series{number}"] for number in range(len(SERIES))]
    seen = [lab(np.array(CONE_MATRICES[eyes]) @ linear(colour)) for colour in colours]
    for one, other in itertools.combinations(range(len(colours)), 2):
        assert np.linalg.norm(seen[one] - seen[other]) > MIN_DISTANCE, (colours[one], colours[other])


@pytest.mark.parametrize("mode", ["light", "dark", "print"])
def test_lines_and_text_have_enough_contrast(mode):
    variables = palettes()[mode]
    for number in range(len(SERIES)):
        assert contrast(variables[f"series{number}"], variables["panel"]) >= 3
    for ink, paper in (
        ("ink", "paper"),
        ("muted", "panel"),
        ("accent", "paper"),
        ("ink", "fill8"),
        ("warn", "warn-paper"),
    ):
        assert contrast(variables[ink], variables[paper]) >= 4.5, (ink, paper)


def test_simulation_detects_confusable_colours():
    """Folds 1 and 4 had these colours, which look alike in deuteranopia."""
    one, other = (lab(np.array(CONE_MATRICES["deuteranopia"]) @ linear(colour)) for colour in ("#c2410c", "#a16207"))
    assert np.linalg.norm(one - other) < 5
    assert np.linalg.norm(lab(linear("#c2410c")) - lab(linear("#a16207"))) > 25
