"""A report with names in many writing systems, one of them long: in a browser, on a phone, printed."""

import re
import shutil
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest

from medfold.commands.report import report
from medfold.competition import Competition
from medfold.report import page as pages
from medfold.report.drawing import ConfusionTable, Drawing
from medfold.report.page import Section
from tests.support.browser import for_each
from tests.support.processes import finish
from tests.support.small_project import copy_project
from tests.support.writing_systems import CLASSES, COPIES, SITES

pytestmark = pytest.mark.slow
LONG = CLASSES[3]
PRINTED = {"width": 700, "height": 1000}  # the inner width of a sheet of paper


@pytest.fixture(scope="module")
def written(scripts_once):
    return scripts_once / "runs" / "scripts" / "noisy" / "report.html"


@pytest.fixture(scope="module")
def text(written):
    """The page without the bytes of its images."""
    return re.sub(r"data:image/jpeg;base64,[\w+/=]+", "data:image/jpeg", written.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(browser, written):
    with browser.open(written) as opened:
        yield opened


def figure(text: str, name: str) -> ElementTree.Element:
    """Parses a figure of the page."""
    found = re.search(rf'<figure id="figure-{name}".*?</figure>', text, re.DOTALL).group()
    return ElementTree.fromstring(re.sub(r"<img ([^>]*)>", r"<img \1/>", found))


def names_in(element: ElementTree.Element) -> list[str]:
    return [each.text for each in element.iter("bdi")]


def test_names_are_html_text_beside_figures(text):
    for name in ("roc", "pr"):
        assert names_in(figure(text, name)) == CLASSES
    assert names_in(figure(text, "confusion")) == CLASSES
    assert names_in(figure(text, "examples")) == CLASSES
    assert sorted(names_in(figure(text, "subgroups"))) == sorted(
        f"site {site}" for site in (f"\u2068{SITES[0]}\u2069", *SITES[1:])
    )
    assert len(re.findall(r"<text[ >]", text)) > 50
    drawn = {unescape(each) for each in re.findall(r"<text[^>]*>([^<]*)</text>", text)}
    assert [each for each in drawn if re.search(r"[^\x00-\x7f−]", each)] == []  # U+2212 is matplotlib's minus


def test_near_duplicate_captions_are_text(text):
    found = figure(text, "near-duplicates")
    captions = [[span.text for span in item.iter("span")] for item in found.iter("li")]
    assert len(captions) == 2 * COPIES
    copies = [lines for lines in captions if lines[0].startswith("复制_")]
    assert sorted(lines[0] for lines in copies) == [f"复制_{number}" for number in range(COPIES)]
    for id, facts in captions:
        number = int(id.split("_")[1])
        assert re.fullmatch(r"fold \d, (.*)", facts).group(1).strip("\u2068\u2069") == f"target {CLASSES[number]}"


def test_right_to_left_name_keeps_sentence_order(page, text):
    tiles = re.findall(r'data-text="([^"]*)"', text)
    assert any(re.match("\u2068תמונה_\\d+\u2069, true \u2068שפיר\u2069, predicted ", each) for each in tiles)
    # Positions of the words in the browser, which must be in the order of the sentence.
    script = """
        const spans = [...document.querySelectorAll('.tile span')];
        const span = spans.find(each => /תמונה.*true.*שפיר/.test(each.textContent));
        span.style.whiteSpace = 'nowrap';
        const node = span.firstChild;
        ['תמונה', 'true', 'שפיר', 'predicted', 'fold'].map(word => {
          const range = document.createRange(), at = node.data.indexOf(word);
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          return range.getBoundingClientRect().left;
        })
    """
    places = page.evaluate(script)
    assert places == sorted(places)


def test_each_name_has_its_own_direction(page):
    directions = page.evaluate(for_each("#figure-roc bdi", "each.matches(':dir(rtl)')"))
    assert directions == [True, True, False, False]


def test_long_name_is_truncated_with_full_title(page):
    css = "#figure-roc bdi[title]"
    assert page.evaluate(for_each(css, "each.title")) == [LONG]
    assert page.evaluate(for_each(css, "each.scrollWidth > each.clientWidth && each.clientHeight < 40")) == [True]
    for area in ("#figure-roc", "#figure-confusion", "#figure-subgroups", "#performance .scroll"):
        assert page.evaluate(for_each(f"{area} :is(bdi, th, td)[title]", "each.title || '-'")).count("-") == 0
    heads = page.evaluate(for_each("#folds th.long", "[each.title, each.scrollWidth > each.clientWidth]"))
    assert heads == [[LONG, True]]
    short = page.evaluate(
        for_each("bdi:not([title])", "each.scrollWidth <= each.clientWidth + 1 || each.clientWidth === 0")
    )
    assert short.count(False) == 0


def test_phone_shows_long_names_in_full(browser, written):
    with browser.open(written, width=390, height=844, touch=True) as phone:
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        css = ":is(.legend, .confusion, .strip) bdi[title]"
        assert len(phone.evaluate(for_each(css, "1"))) >= 3
        assert phone.evaluate(for_each(css, "getComputedStyle(each).whiteSpace")).count("nowrap") == 0
        inside = "each.getBoundingClientRect().right <= 390"
        assert phone.evaluate(for_each("figure, .legend li, .strip, .intervals", inside)).count(False) == 0
        assert phone.errors == []


def test_printed_page_shows_figures_and_tables_in_full(browser, written):
    with browser.open(written, **PRINTED, dark=True) as paper:
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        paper.cdp("Emulation.setEmulatedMedia", media="print", features=features)
        assert paper.evaluate("document.documentElement.scrollWidth") <= PRINTED["width"]
        inside = f"each.getBoundingClientRect().right <= {PRINTED['width']}"
        assert paper.evaluate(for_each("figure, table, pre, .tile, .legend li, svg, img", inside)).count(False) == 0
        whole = "each.scrollWidth <= each.clientWidth + 1"
        assert paper.evaluate(for_each(".scroll, pre, .long, .strip span", whole)).count(False) == 0
        assert not paper.visible("nav")
        # Readers with dark mode print black on white, too.
        assert paper.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert paper.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        shade = "getComputedStyle(each).printColorAdjust || getComputedStyle(each).webkitPrintColorAdjust"
        assert set(paper.evaluate(for_each(".confusion td", shade))) == {"exact"}
        pages = len(re.findall(rb"/Type\s*/Page\b", paper.pdf()))
        assert 5 <= pages <= 16


@pytest.mark.parametrize(
    "names",
    [
        ["Normal/Mild", "Moderate", "Twelve chars"],
        ["normal", "diseased"],
        [f"class {k}" for k in range(14)],
        ["x"] * 40,
    ],
)
@pytest.mark.parametrize(("media", "across"), [("print", PRINTED["width"]), ("screen", 1280)])
def test_confusion_table_of_any_size_fits_its_figure(browser, tmp_path, names, media, across):
    table = ConfusionTable(np.full((len(names), len(names)), 4321), names)
    section = Section("a", "A")
    section.figures(
        [Drawing("confusion", "t", "w", confusion=table, is_wide=table.is_wide)] + 2 * [Drawing("b", "t", "w")]
    )
    path = tmp_path / "page.html"
    path.write_text(pages.render(pages.Page("n", "t", "s", [], [], [section], "f")), encoding="utf-8")
    with browser.open(path, width=across) as page:
        page.cdp("Emulation.setEmulatedMedia", media=media)
        inside = "each.getBoundingClientRect().right <= each.closest('figure').getBoundingClientRect().right - 8"
        assert page.evaluate(for_each(".confusion", inside)) == [True]
        num_lines = set(page.evaluate(for_each(".confusion bdi", "each.getClientRects().length")))
        assert num_lines == {1}


def test_report_of_another_process_has_equal_bytes(scripts_once, written, tmp_path, monkeypatch):
    before = written.read_bytes()
    root = copy_project(scripts_once, tmp_path, monkeypatch)
    competition = Competition.open("scripts")
    path = competition.paths.run("noisy").report
    path.unlink()
    shutil.rmtree(competition.paths.data / "store")
    finish(root, "report --competition scripts --runs noisy")
    assert path.read_bytes() == before
    assert report(competition, ["noisy"]).read_bytes() == before
    both = scripts_once / "runs" / "scripts" / "louder+noisy.html"
    assert report(competition, ["louder", "noisy"]).read_bytes() == both.read_bytes()
