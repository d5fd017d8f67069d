"""Figures: sound SVG whose colours and type are the page's."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from medfold.report import plots
from medfold.report.curves import Curve, OperatingPoint

LABELS = ['a <b> & "c"', "Größe $1 or $2", "3_x^2"]
LINE = Curve(np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.7, 1.0]))
HISTORIES = {fold: pd.DataFrame({"loss": [0.9, 0.5 + fold / 10]}) for fold in (0, 2)}
RELIABLE = {label: (LINE, np.array([5, 1, 9])) for label in LABELS}
ROWS = [("sex F", 0.8, 0.7, 0.9), ("sex <M>", 0.7, np.nan, np.nan), ("few", np.nan, np.nan, np.nan)]
# Each figure by its function: name -> SVG, and texts that stand in it.
FIGURES = {
    "curves": (
        lambda name: plots.curves(dict.fromkeys(LABELS, LINE), "x <axis>", "y", name, True, [LINE]),
        ["x <axis>", "y", "0.2", *LABELS],
    ),
    "one curve": (lambda name: plots.curves({"hidden": LINE}, "x", "y", name), ["x", "y"]),
    "reliability": (lambda name: plots.reliability(RELIABLE, name), ["predicted", "came true", *LABELS]),
    "learning": (
        lambda name: plots.learning(HISTORIES, "loss", "log $loss$", name),
        ["epoch", "log $loss$", "fold 0", "fold 2", "1", "2"],
    ),
    "histogram": (
        lambda name: plots.histogram({label: np.array([0, 0.31, 1.0]) for label in LABELS}, "prediction", name),
        ["prediction", "share", *LABELS],
    ),
    "confusion": (
        lambda name: plots.table_of_confusion(np.array([[1234, 5, 0], [6, 78, 9], [0, 0, 0]]), LABELS, name),
        ["true", "decided", "1,234", "78", *LABELS],
    ),
    "intervals": (
        lambda name: plots.intervals(ROWS, "mean $AUC$", 0.75, name),
        ["mean $AUC$", "sex F", "sex <M>", "few"],
    ),
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]


def test_it_is_sound_xml_whose_text_is_text(figure):
    make, texts = figure
    root = ElementTree.fromstring(make("roc"))
    assert root.tag == "svg"
    assert root.get("aria-hidden") == "true"
    assert {"width", "height"}.isdisjoint(root.attrib)
    assert len(root.get("viewBox").split()) == 4
    found = ["".join(element.itertext()).strip() for element in root.iter("text")]
    for text in texts:
        assert text in found
    assert "hidden" not in found


def test_its_colours_and_type_are_those_of_the_page(figure):
    text = figure[0]("roc")
    for element in ElementTree.fromstring(text).iter():
        style = dict(each.split(": ") for each in element.get("style", "").split("; ") if each)
        for what in ("fill", "stroke", "color"):
            assert element.get(what) is None
            assert re.fullmatch(r"none|var\(--(ink|muted|grid|series\d|fill\d)\)", style.get(what, "none"))
    assert [stand_in for stand_in in plots.VARIABLES if stand_in in text] == []
    assert "var(--ink)" in text
    assert set(re.findall(r"font-family: ([^;\"]*)", text)) == {"inherit"}
    assert "<style" not in text


def test_it_asks_for_nothing_else(figure):
    text = figure[0]("roc")
    for word in ("http", "xlink", "<image", "<script", "<metadata", "<?xml", "<!DOCTYPE", "@import"):
        assert word not in text
    for address in re.findall(r'href="([^"]*)"', text) + re.findall(r"url\(([^)]*)\)", text):
        assert address.startswith("#roc-")


def test_ids_are_its_own_and_all_that_is_referred_to_is_there(figure):
    text = figure[0]("roc")
    ids = [element.get("id") for element in ElementTree.fromstring(text).iter() if element.get("id")]
    assert ids
    assert all(each.startswith("roc-") for each in ids)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'href="#([^"]*)"', text), *re.findall(r"url\(#([^)]*)\)", text)} <= {*ids}
    others = {element.get("id") for element in ElementTree.fromstring(figure[0]("pr")).iter()}
    assert others & set(ids) == set()


def test_equal_input_gives_equal_bytes(figure):
    first = figure[0]("roc")
    FIGURES["curves"][0]("between")
    assert figure[0]("roc") == first


def test_series_differ():
    many = plots.curves({f"class {number}": LINE for number in range(12)}, "x", "y", "roc")
    for number in range(8):
        assert f"stroke: var(--series{number})" in many
    lines = re.findall(r'style="([^"]*stroke: var\(--series0\)[^"]*)"', many)
    assert ["stroke-dasharray" in line for line in lines if "stroke-width: 1.8" in line] == [False, True] * 2


def test_confusion_is_shaded_by_the_share_of_the_row():
    def fills(counts):
        return re.findall(r"fill: var\(--fill(\d)\)", plots.table_of_confusion(np.array(counts), ["a", "b"], "roc"))

    assert fills([[100, 0], [0, 1]]) == ["8", "0", "0", "8"]
    assert fills([[3, 1], [1, 1]]) == ["6", "2", "4", "4"]
    assert fills([[0, 0], [0, 7]]) == ["0", "0", "0", "8"]


def test_many_classes_are_shaded_without_their_counts():
    labels = [f"class {number}" for number in range(15)]
    root = ElementTree.fromstring(plots.table_of_confusion(np.full((15, 15), 4321), labels, "roc"))
    texts = ["".join(each.itertext()).strip() for each in root.iter("text")]
    assert "4,321" not in texts
    assert texts.count("class 14") == 2


def test_operating_points_lie_on_the_curve():
    points = [OperatingPoint("a", 0.5, 0.9, 0.6, 0.1, 0.2), OperatingPoint("b", 0.4, 0.95, 0.3, 0.1, 0.2)]
    x, y = plots.at_points(points)
    np.testing.assert_allclose(x, [0.4, 0.7])
    np.testing.assert_allclose(y, [0.9, 0.95])


@pytest.mark.filterwarnings("error")
def test_long_labels_leave_room():
    long = "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])"
    for text in (
        plots.intervals([(long, 0.8, 0.7, 0.9)], "AUC", 0.75, "roc"),
        plots.table_of_confusion(np.eye(2, dtype=int), [long, long + "x"], "roc"),
    ):
        width = float(re.search(r'viewBox="0 0 ([\d.]+)', text).group(1))
        root = ElementTree.fromstring(text)
        (background,) = [each[0] for each in root.iter("g") if each.get("id") == "roc-patch_2"]
        xs = [float(x) for x in re.findall(r"[ML] ([\d.]+)", background.get("d"))]
        assert max(xs) - min(xs) > width / 5
        assert "JPEG Lossless, Non-Hierarchical" in text
