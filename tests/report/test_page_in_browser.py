"""The report of a trained net, with heat maps, in a browser."""

import re

import pytest

from medfold.commands.report import report
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.tables import read_csv
from tests.support.browser import for_each
from tests.support.helpers import replaced
from tests.support.small_project import SMALL, add_competition

pytestmark = pytest.mark.slow
# Findings so plain that a small net learns them in seconds, and has true positives.
COMPETITION = replaced(SMALL, ("k: 3", "k: 2"))
RECIPE = "\n".join(
    [
        "preparation: {size: 32}",
        "backbone: {name: resnet9, width: 8}",
        "augment: none",
        "training: {epochs: 8, batch_size: 8, learning_rate: 0.005}",
    ]
)
FOCUSED_ELEMENT = "document.activeElement"


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The report of a run of the small phantom, with all folds trained."""
    root = tmp_path_factory.mktemp("trained project")
    add_competition(root, "small", COMPETITION, RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        competition = Competition.open("small")
        train(competition)
        return report(competition, ["baseline"])


@pytest.fixture(scope="module")
def page(browser, reported):
    """The page, opened once for all tests that only read it."""
    with browser.open(reported) as opened:
        yield opened


@pytest.fixture
def fresh_page(browser, reported):
    """The page in a browser of its own, for a test that clicks or types."""
    with browser.open(reported) as opened:
        yield opened


def loaded(page) -> list[bool]:
    """Waits for both images of the dialog; returns whether each is decoded."""
    images = "[...document.querySelectorAll('dialog img')]"
    return page.evaluate(
        f"Promise.all({images}.map(each => each.decode().then(() => each.naturalWidth > 0, () => false)))"
    )


def test_heat_maps_and_pointing_game_are_reported(reported):
    text = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "data:image/jpeg", reported.read_text(encoding="utf-8"))
    assert "Heat maps (" in text
    assert "no heat maps" not in text
    correlation = float(re.search(r"its weights in random order: (-?[\d.]+) \(1: the same maps", text).group(1))
    assert -1 <= correlation <= 1
    project_root = reported.parents[3]
    oof = read_csv(project_root / "runs" / "small" / "baseline" / "oof.csv")
    truth = read_csv(next(project_root.rglob("train.csv"))).set_index("id")["target"]
    found = int(((oof["target"] > 0.5) & (oof["id"].map(truth) == 1)).sum())
    pointing = re.search(r"Pointing game.*? in (\d+)% of (\d+) true positives \(a random point: (\d+)%\)\.", text)
    assert int(pointing.group(2)) == found > 10
    assert int(pointing.group(1)) > int(pointing.group(3)) > 0
    tiles = re.findall(r'data-map="([^"]*)"', text)
    assert len(tiles) > 20
    assert set(tiles) == {"Heat map of the evidence for a positive"}
    assert 'id="learning"' in text


def test_second_report_has_equal_bytes(reported, monkeypatch):
    before = reported.read_bytes()
    monkeypatch.chdir(reported.parents[3])
    assert report(Competition.open("small"), ["baseline"]).read_bytes() == before


def test_page_has_no_errors_or_outside_requests(page):
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.errors == []
    assert page.outside == []


def test_every_figure_and_image_is_drawn(page):
    figures = page.evaluate(for_each("figure", "each.id"))
    assert {"figure-roc", "figure-loss", "figure-examples", "figure-subgroups"} <= set(figures)
    for name in figures:
        assert page.visible(f"#{name}")
        assert min(page.size_of(f"#{name} :is(svg, img, table)")[2:]) > 60
        assert page.visible(f"#{name} figcaption")
    drawn = "each.complete && each.naturalWidth > 0 && each.clientWidth > 60"
    assert page.evaluate(for_each("main img", drawn)).count(False) == 0
    assert page.evaluate(for_each(".plot text", "each.getBBox().width > 0")).count(False) == 0


def test_lines_have_the_colours_of_the_page(page):
    used = "getComputedStyle(each).stroke"
    strokes = set(page.evaluate(for_each("#figure-roc path", used)))
    assert "rgb(11, 92, 173)" in strokes
    assert page.evaluate(for_each("#figure-roc text", "getComputedStyle(each).fill")).count("rgb(22, 32, 42)") > 5


def test_navigation_links_lead_to_sections(page):
    targets = page.evaluate(for_each("nav a", "each.getAttribute('href')"))
    assert len(targets) >= 8
    for target in targets:
        assert page.visible(f"section{target}")
    assert page.evaluate("[...document.querySelectorAll('[id]')].length") == page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size"
    )


def test_link_scrolls_to_section_below_navigation(fresh_page):
    fresh_page.click("nav a[href='#performance']")
    assert fresh_page.evaluate("location.hash") == "#performance"
    box, bar = fresh_page.size_of("#performance h2"), fresh_page.size_of("nav")
    assert bar.y + bar.height - 1 <= box.y < 300


def test_click_on_tile_shows_image_beside_map(fresh_page):
    assert not fresh_page.evaluate("document.querySelector('dialog').open")
    fresh_page.click(".tile")
    assert fresh_page.evaluate("document.querySelector('dialog').open")
    assert fresh_page.visible("dialog")
    assert loaded(fresh_page) == [True, True]
    sources = fresh_page.evaluate(for_each("dialog img", "each.src"))
    assert sources == fresh_page.evaluate(
        "(tile => [tile.dataset.plain, tile.querySelector('img').src])(document.querySelector('.tile'))"
    )
    shown_text = fresh_page.evaluate("document.querySelector('dialog p').textContent")
    assert shown_text == fresh_page.evaluate("document.querySelector('.tile').dataset.text")
    assert all(fresh_page.evaluate(for_each("dialog img", "each.alt")))
    left, right = fresh_page.size_of("dialog img"), fresh_page.size_of("dialog img:last-child")
    assert (left.y, left.width, left.height) == pytest.approx((right.y, right.width, right.height), abs=1)
    assert left.x + left.width < right.x
    assert fresh_page.errors == []


def test_heat_maps_differ_from_images(page):
    differ = page.evaluate(for_each(".tile", "each.dataset.plain !== each.querySelector('img').src"))
    assert sum(differ) >= 8  # many negatives have no evidence for a positive, and so no heat


def test_arrows_switch_between_images(fresh_page):
    texts = fresh_page.evaluate(for_each(".tile", "each.dataset.text"))
    shown_text = "document.querySelector('dialog p').textContent"
    fresh_page.click(".tile")
    seen = [fresh_page.evaluate(shown_text)]
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"):
        fresh_page.press(key)
        seen.append(fresh_page.evaluate(shown_text))
    assert seen == [texts[k] for k in (0, 1, 2, 1, 0, -1, 0)]
    fresh_page.click("dialog .after")
    assert fresh_page.evaluate(shown_text) == texts[1]
    fresh_page.click("dialog .before")
    assert fresh_page.evaluate(shown_text) == texts[0]
    assert loaded(fresh_page) == [True, True]


def test_escape_closes_dialog_and_restores_focus(fresh_page):
    fresh_page.click(".tile")
    fresh_page.press("Escape")
    assert not fresh_page.evaluate("document.querySelector('dialog').open")
    assert fresh_page.evaluate(f"{FOCUSED_ELEMENT} === document.querySelector('.tile')")
    fresh_page.press("Enter")
    assert fresh_page.evaluate("document.querySelector('dialog').open")
    fresh_page.press("ArrowRight")
    fresh_page.click("dialog .close")
    assert fresh_page.evaluate(f"{FOCUSED_ELEMENT} === document.querySelectorAll('.tile')[1]")


def test_open_dialog_keeps_focus(fresh_page):
    fresh_page.click(".tile")
    for _ in range(7):
        fresh_page.press("Tab")
        assert fresh_page.evaluate(f"{FOCUSED_ELEMENT} === document.body || !!{FOCUSED_ELEMENT}.closest('dialog')")


def test_skip_link_is_first_in_tab_order(fresh_page):
    fresh_page.press("Tab")
    assert fresh_page.evaluate(f"{FOCUSED_ELEMENT}.getAttribute('href')") == "#main"
    assert fresh_page.size_of(".skip").x >= 0
    fresh_page.press("Tab")
    assert fresh_page.evaluate(f"{FOCUSED_ELEMENT}.closest('nav') !== null")
    assert fresh_page.size_of(".skip").x < 0


def test_every_tile_can_be_reached_by_keyboard(page):
    assert set(page.evaluate(for_each(".tile", "each.tabIndex"))) == {0}


def test_page_is_dark_in_dark_mode(browser, reported, page):
    background = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('#figure-roc text')).fill"
    with browser.open(reported, dark=True) as dark:
        assert page.evaluate(background) == "rgb(255, 255, 255)"
        assert dark.evaluate(background) == "rgb(18, 24, 30)"
        assert (page.evaluate(line), dark.evaluate(line)) == ("rgb(22, 32, 42)", "rgb(232, 237, 242)")
        assert dark.errors == []


def test_page_fits_phone_screen(browser, reported):
    with browser.open(reported, width=390, height=844, touch=True) as page:
        assert page.evaluate("innerWidth") == 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        inside = "each.getBoundingClientRect().right <= 390"
        wide = "figure, .card, .tile, h1, h2, main > section > p, .scroll"
        assert page.evaluate(for_each(wide, inside)).count(False) == 0
        page.click(".tile")
        assert loaded(page) == [True, True]
        box = page.size_of("dialog")
        assert box.x >= 0
        assert box.x + box.width <= 390
        assert page.visible("dialog .close")
        assert page.errors == []


def test_page_can_be_printed(fresh_page):
    printed = fresh_page.pdf()
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 30
