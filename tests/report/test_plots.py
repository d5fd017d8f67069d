"""Figures: valid SVG and HTML in the colours and the font of the page, with names as text."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from medfold.report import page as pages
from medfold.report import plots
from medfold.report.curves import Curve, OperatingPoint
from medfold.report.drawing import ConfusionTable, Drawing, Interval, IntervalTable
from medfold.report.page import Page, Section

LABELS = ['a <b> & "c"', "Größe $1 or $2", "3_x^2"]
LINE = Curve(np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.7, 1.0]))
HISTORIES = {fold: pd.DataFrame({"loss": [0.9, 0.5 + fold / 10]}) for fold in (0, 2)}
RELIABLE = {label: (LINE, np.array([5, 1, 9])) for label in LABELS}
ROWS = [
    Interval("sex F", 0.8, 0.7, 0.9),
    Interval("sex <M>", 0.7, np.nan, np.nan),
    Interval("few", np.nan, np.nan, np.nan),
]
# Plots: (function of the figure's name, texts in its SVG or legend).
PLOTS = {
    "curves": (
        lambda name: plots.curves(dict.fromkeys(LABELS, LINE), "x <axis>", "y", name, True, [LINE]),
        ["x <axis>", "y", "0.2", *LABELS],
    ),
    "one curve": (lambda name: plots.curves({"hidden": LINE}, "x", "y", name), ["x", "y"]),
    "reliability": (lambda name: plots.reliability(RELIABLE, name), ["predicted", "observed", *LABELS]),
    "learning": (
        lambda name: plots.learning(HISTORIES, "loss", "log $loss$", name),
        ["epoch", "log $loss$", "fold 0", "fold 2", "1", "2"],
    ),
    "histogram": (
        lambda name: plots.histogram({label: np.array([0, 0.31, 1.0]) for label in LABELS}, "prediction", name),
        ["prediction", "share", *LABELS],
    ),
}
# Tables drawn as figures: (content, texts in them).
TABLES = {
    "confusion": (
        {"confusion": ConfusionTable(np.array([[1234, 5, 0], [6, 78, 9], [0, 0, 0]]), LABELS)},
        ["true", "decided", "1,234", "78", *LABELS],
    ),
    "intervals": (
        {"intervals": IntervalTable(ROWS, "mean $AUC$", 0.75)},
        ["mean $AUC$", "sex F", "sex <M>", "few"],
    ),
}


def rendered(**content) -> str:
    """Renders a figure as HTML."""
    section = Section("a", "A")
    section.figures([Drawing("roc", "title", "words", **content)])
    text = pages.render(Page("n", "t", "s", [], [], [section], "f"))
    return re.search(r"<figure.*?</figure>", text, re.DOTALL).group()


@pytest.fixture(params=PLOTS)
def plot(request):
    return PLOTS[request.param]


@pytest.fixture(params=[*PLOTS, *TABLES])
def figure(request):
    """HTML of a figure, and the texts in it."""
    if request.param in TABLES:
        content, texts = TABLES[request.param]
    else:
        make, texts = PLOTS[request.param]
        content = make("roc")._asdict()
    return rendered(**content), texts


def test_figure_is_valid_xml_with_readable_text(figure):
    text, texts = figure
    root = ElementTree.fromstring(text)
    found = ["".join(element.itertext()).strip() for element in root.iter()]
    for each in texts:
        assert each in found
    assert "hidden" not in found
    assert all(each.get("aria-hidden") == "true" for each in root.iter("svg"))


def test_plot_has_no_fixed_size(plot):
    root = ElementTree.fromstring(plot[0]("roc").svg)
    assert root.tag == "svg"
    assert root.get("aria-hidden") == "true"
    assert {"width", "height"}.isdisjoint(root.attrib)
    assert len(root.get("viewBox").split()) == 4


def test_names_are_in_the_legend_not_the_plot(plot):
    make, texts = plot
    drawn = make("roc")
    named = [each for each in texts if each in LABELS or each.startswith("fold")]
    assert [entry.name for entry in drawn.legend] == named
    words = ["".join(each.itertext()).strip() for each in ElementTree.fromstring(drawn.svg).iter("text")]
    assert set(words) & {*named, "hidden"} == set()


def test_figure_uses_colours_and_font_of_the_page(figure):
    text = figure[0]
    for element in ElementTree.fromstring(text).iter():
        style = dict(each.split(": ") for each in element.get("style", "").split("; ") if each)
        for what in ("fill", "stroke", "color", "background"):
            assert element.get(what) is None
            assert re.fullmatch(r"none|var\(--(ink|muted|grid|series\d|fill\d)\)", style.get(what, "none"))
    assert [stand_in for stand_in in plots.VARIABLES if stand_in in text] == []
    assert set(re.findall(r"font-family: ([^;\"]*)", text)) <= {"inherit"}
    assert "<style" not in text
    assert ("var(--ink)" in text) == ('class="plot"' in text) == ("font-family: inherit" in text)


def test_figure_references_nothing_outside(figure):
    text = figure[0]
    for word in ("http", "xlink", "<image", "<script", "<metadata", "<?xml", "<!DOCTYPE", "@import"):
        assert word not in text
    for address in re.findall(r'href="([^"]*)"', text) + re.findall(r"url\(([^)]*)\)", text):
        assert address.startswith("#roc-")


def test_plot_ids_are_unique_and_referenced_ids_exist(plot):
    text = plot[0]("roc").svg
    ids = [element.get("id") for element in ElementTree.fromstring(text).iter() if element.get("id")]
    assert {"roc-figure_1", "roc-axes_1"} <= {*ids}
    assert all(each.startswith("roc-") for each in ids)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'href="#([^"]*)"', text), *re.findall(r"url\(#([^)]*)\)", text)} <= {*ids}
    others = {element.get("id") for element in ElementTree.fromstring(plot[0]("pr").svg).iter()}
    assert others & set(ids) == set()


def test_equal_input_gives_equal_plot(plot):
    first = plot[0]("roc")
    PLOTS["curves"][0]("between")
    assert plot[0]("roc") == first


@pytest.mark.parametrize("name", TABLES)
def test_equal_tables_render_equally(name):
    assert rendered(**TABLES[name][0]) == rendered(**TABLES[name][0])


def test_series_differ_in_colour_or_dash():
    many = plots.curves({f"class {number}": LINE for number in range(12)}, "x", "y", "roc")
    for number in range(8):
        assert f"stroke: var(--series{number})" in many.svg
    for text in (many.svg, "".join(entry.sample for entry in many.legend)):
        lines = re.findall(r'style="([^"]*stroke: var\(--series0\)[^"]*)"', text)
        assert ["stroke-dasharray" in line for line in lines if "stroke-width: 1.8" in line] == [False, True]


def test_confusion_is_shaded_by_row_share():
    def fills(counts):
        text = rendered(confusion=ConfusionTable(np.array(counts), ["a", "b"]))
        return re.findall(r"background: var\(--fill(\d)\)", text)

    assert fills([[100, 0], [0, 1]]) == ["8", "0", "0", "8"]
    assert fills([[3, 1], [1, 1]]) == ["6", "2", "4", "4"]
    assert fills([[0, 0], [0, 7]]) == ["0", "0", "0", "8"]


def test_confusion_of_many_classes_omits_counts():
    labels = [f"class {number}" for number in range(15)]
    root = ElementTree.fromstring(rendered(confusion=ConfusionTable(np.full((15, 15), 4321), labels)))
    texts = [each.text for each in root.iter("bdi")] + [each.get("title") for each in root.iter("th")]
    assert "4,321" not in ["".join(each.itertext()) for each in root.iter()]
    assert texts.count("class 14") == 2


@pytest.mark.parametrize(
    "labels", [["short"] * 12, ["short", "恶性肿瘤（腺癌）恶性肿瘤（腺癌）"], ["a name of 22 characters"] * 2]
)
def test_confusion_columns_are_numbered_if_names_do_not_fit(labels):
    count = len(labels)
    root = ElementTree.fromstring(rendered(confusion=ConfusionTable(np.eye(count, dtype=int), labels)))
    columns = [each for each in root.iter("th") if each.get("scope") == "col"][1:]
    assert [each.text for each in columns] == [str(number + 1) for number in range(count)]
    assert [each.get("title") for each in columns] == labels
    rows = ["".join(each.itertext()) for each in root.iter("th") if each.get("scope") == "row"]
    assert rows == [f"{number + 1} {label}" for number, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "wide"),
    [(["0", "1"], False), (["normal", "diseased"], False), (["Normal/Mild", "Moderate", "Severe"], True)],
)
def test_confusion_columns_are_named_if_names_fit(labels, wide):
    table = ConfusionTable(np.eye(len(labels), dtype=int), labels)
    root = ElementTree.fromstring(rendered(confusion=table))
    columns = [each for each in root.iter("th") if each.get("scope") == "col"][1:]
    assert ["".join(each.itertext()) for each in columns] == labels
    assert table.is_wide == wide


def test_intervals_are_drawn_to_scale():
    table = IntervalTable(ROWS, "AUC", 0.75)
    root = ElementTree.fromstring(rendered(intervals=table))
    places = {text: float(table.position(tick).rstrip("%")) for tick, text in table.ticks}
    assert {"0.75", "0.80", "0.85", "0.90"} <= set(places)
    assert 0 < places["0.75"] < places["0.80"] < places["0.90"] < 100
    ranges = [each for each in root.iter("line") if each.get("class") == "range"]
    assert [(each.get("x1"), each.get("x2")) for each in ranges] == [(table.position(0.7), table.position(0.9))]
    assert [each.get("cx") for each in root.iter("circle")] == [table.position(0.8), table.position(0.7)]
    whole = {each.get("x1") for each in root.iter("line") if each.get("class") == "whole"}
    assert whole == {table.position(0.75)}
    assert float(table.position(0.75)[:-1]) == pytest.approx(places["0.75"])


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.5, 0.5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((-1000.0, 3000.0), ["-1000", "0", "1000", "2000", "3000"]),
        ((0.00012, 0.00019), ["0.00012", "0.00014", "0.00016", "0.00018"]),
    ],
)
def test_ticks_have_as_many_digits_as_needed(values, texts):
    table = IntervalTable([Interval("a", value, np.nan, np.nan) for value in values], "score", values[0])
    assert [text for _, text in table.ticks] == texts


def test_operating_points_are_converted_to_roc_coordinates():
    points = [OperatingPoint("a", 0.5, 0.9, 0.6, 0.1, 0.2), OperatingPoint("b", 0.4, 0.95, 0.3, 0.1, 0.2)]
    x, y = plots.roc_points(points)
    np.testing.assert_allclose(x, [0.4, 0.7])
    np.testing.assert_allclose(y, [0.9, 0.95])


@pytest.mark.filterwarnings("error")
def test_long_names_are_truncated_with_full_title():
    long = "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])"
    for content, count in (
        (plots.curves({long: LINE, "short": LINE}, "x", "y", "roc")._asdict(), 1),
        ({"intervals": IntervalTable([Interval(long, 0.8, 0.7, 0.9)], "AUC", 0.75)}, 1),
        ({"confusion": ConfusionTable(np.eye(2, dtype=int), [long, long + "x"])}, 4),
    ):
        text = rendered(**content)
        assert "JPEG Lossless, Non-Hierarchical" in text
        assert text.count(f'title="{long}') == count
        assert 'title="short"' not in text


@pytest.mark.filterwarnings("error")
def test_letters_without_a_matplotlib_font_stay_text():
    assert ">损失<" in plots.learning(HISTORIES, "loss", "损失", "roc").svg
