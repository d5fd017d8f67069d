"""The HTML of the page: escaping, self-containment, accessibility."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from medfold.report import page as pages
from medfold.report.drawing import (
    CaptionedImage,
    ConfusionTable,
    Drawing,
    ImageRow,
    Interval,
    IntervalTable,
    LegendEntry,
)
from medfold.report.page import Card, Page, Section, Tile

MARKUP = "<script>alert(1)</script> a\"b 'c' & </style>"
VOID = {"meta", "link", "img", "br", "input", "hr"}


class ParsedPage(HTMLParser):
    """Elements with attributes and text; fails if an element is not closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, text in self.open:
            text.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attributes, "".join(text)) for name, attributes, text in self.elements if name == tag]


def page_with_word(word: str = "word") -> Page:
    """Builds a page with a part of every kind, and the word in place of every text."""
    picture = pages.jpeg(np.zeros((4, 4, 3), np.uint8))
    first, second = Section("first", f"First {word}"), Section("second", f"Second {word}")
    first.text(word)
    first.heading(word)
    first.list([word, "other"])
    first.code(word)
    first.table(word, ["", word, "number"], [[word, word, "1.50"], ["row", "x", "-2 %"]], marked=[1])
    second.figures(
        [
            Drawing("one", word, word, svg='<svg class="plot" viewBox="0 0 1 1"></svg>'),
            Drawing("two", word, word, image=picture, is_wide=True),
        ]
    )
    second.gallery(word, word, [Tile(picture, picture, word, word), Tile(picture, picture, word)])
    return Page(word, word, word, [Card(word, word, word), Card("b", "2")], [word], [first, second], word)


@pytest.fixture(scope="module")
def page_with_markup() -> ParsedPage:
    return ParsedPage(pages.render(page_with_word(MARKUP)))


def test_page_texts_are_escaped(page_with_markup):
    plain = ParsedPage(pages.render(page_with_word()))
    assert [(tag, set(attributes)) for tag, attributes, _ in page_with_markup.elements] == [
        (tag, set(attributes)) for tag, attributes, _ in plain.elements
    ]
    assert len(page_with_markup.all("script")) == 1
    assert "alert" not in page_with_markup.all("script")[0][1]
    for tag in ("h1", "caption", "figcaption", "th", "td", "li", "pre", "h3", "footer", "title", "button", "b"):
        assert any(MARKUP in text for _, text in page_with_markup.all(tag)), tag
    for tag, attribute in (
        ("img", "alt"),
        ("button", "data-text"),
        ("button", "data-map"),
        ("figure", "aria-label"),
        ("div", "aria-label"),
    ):
        assert MARKUP in [attributes.get(attribute) for attributes, _ in page_with_markup.all(tag)], attribute


def figures_with_word(word: str) -> Page:
    """Builds a page with a figure of every kind, and the word in place of every name."""
    section = Section("first", "First")
    section.figures(
        [
            Drawing("a", "t", "w", svg="<svg></svg>", legend=[LegendEntry("<svg></svg>", word, word)]),
            Drawing("b", "t", "w", confusion=ConfusionTable(np.eye(2, dtype=int), [word, "other"])),
            Drawing("c", "t", "w", intervals=IntervalTable([Interval(word, 0.5, 0.4, 0.6)], word, 0.5)),
            Drawing("d", "t", "w", sheet=[ImageRow(word, [CaptionedImage("data:,", [word])])]),
        ]
    )
    section.table("c", [word, word], [[word, "1"]])
    return Page("n", "t", "s", [], [], [section], "f")


@pytest.mark.parametrize("length", [1, 5])
def test_figure_names_are_escaped(length):
    word = MARKUP * length  # short, or so long that it is truncated
    plain, page_with_markup = (ParsedPage(pages.render(figures_with_word(each))) for each in ("x" * len(word), word))
    assert [(tag, set(attributes)) for tag, attributes, _ in page_with_markup.elements] == [
        (tag, set(attributes)) for tag, attributes, _ in plain.elements
    ]
    assert len(page_with_markup.all("script")) == 1
    assert [text for _, text in page_with_markup.all("bdi")].count(word) == 4
    for tag in ("th", "td", "li", "span"):
        assert any(word in text for _, text in page_with_markup.all(tag)), tag
    titles = [attributes["title"] for _, attributes, _ in page_with_markup.elements if "title" in attributes]
    # The legend, a row and a column of the confusion table, an interval, a strip and its caption, three cells.
    assert titles.count(word) == (9 if length > 1 else 1)


def test_every_text_of_the_page_is_rendered():
    words = iter(f"word{number}" for number in range(99))
    first = Section("first", next(words))
    for add in (first.text, first.heading, first.code):
        add(next(words))
    first.list([next(words), next(words)])
    first.table(next(words), [next(words), next(words)], [[next(words), next(words)]])
    first.figures([Drawing("a", next(words), next(words), svg="<svg></svg>")])
    first.gallery(next(words), next(words), [Tile("data:,", "data:,", next(words))])
    card = Card(next(words), next(words), next(words))
    page = Page(next(words), next(words), next(words), [card], [next(words)], [first], next(words))
    text = pages.render(page)
    used = int(next(words).removeprefix("word"))
    assert [number for number in range(used) if not re.search(rf"\bword{number}\b", text)] == []


def test_page_fetches_nothing():
    text = pages.render(page_with_word())
    assert re.findall(r"https?:|//[\w.]+\.\w+|@import|url\((?!#)", text) == []
    seen = ParsedPage(text)
    for tag, attributes, _ in seen.elements:
        for name in ("src", "href", "data-plain", "action", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, name)
    policy = policy_of(seen)
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    assert "connect-src" not in policy


def policy_of(seen: ParsedPage) -> str:
    """Returns the Content-Security-Policy of a page."""
    (policy,) = [each["content"] for each, _ in seen.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    return policy


def test_only_the_script_of_the_page_may_run(page_with_markup):
    ((_, script),) = page_with_markup.all("script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    directives = dict(part.strip().split(" ", 1) for part in policy_of(page_with_markup).split(";"))
    assert directives["script-src"] == f"'sha256-{digest}'"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    names = {name for _, attributes, _ in page_with_markup.elements for name in attributes}
    assert [name for name in names if name.startswith("on")] == []


def test_page_is_accessible_to_screen_readers():
    seen = ParsedPage(pages.render(page_with_word()))
    assert len(seen.all("h1")) == len(seen.all("main")) == len(seen.all("nav")) == 1
    assert seen.all("html")[0][0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes, _ in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes, _ in seen.all("a")]
    assert links == ["#main", "#first", "#second"]
    assert {link[1:] for link in links} <= set(ids)
    for attributes, _ in seen.all("section"):
        assert attributes["aria-labelledby"] in ids
    assert all("alt" in attributes for attributes, _ in seen.all("img"))
    assert len(seen.all("table")) == len(seen.all("caption")) == 1
    assert [attributes["scope"] for attributes, _ in seen.all("th")] == ["col"] * 3 + ["row"] * 2
    assert [text for _, text in seen.all("td")] == ["word", "1.50", "x", "-2 %"]


def test_numbers_and_marked_rows_have_css_classes():
    seen = ParsedPage(pages.render(page_with_word()))
    assert [attributes.get("class") for attributes, _ in seen.all("td")] == [None, "n", None, "n"]
    assert [attributes.get("class") for attributes, _ in seen.all("th")] == [None, None, "n", None, None]
    assert [attributes.get("class") for attributes, _ in seen.all("tr")] == [None, None, "marked"]


def test_page_without_gallery_has_no_dialog():
    assert len(ParsedPage(pages.render(page_with_word())).all("dialog")) == 1
    page = page_with_word()
    page.sections.pop()
    assert ParsedPage(pages.render(page)).all("dialog") == []
    assert not page.has_gallery


def test_equal_pages_render_equally():
    assert pages.render(page_with_word()) == pages.render(page_with_word())
    assert pages.render(page_with_word()) != pages.render(page_with_word("other"))


def test_jpeg_encodes_image_as_data_url():
    across = np.linspace(0, 255, 64)
    pixels = np.stack(np.broadcast_arrays(across[None, :], across[:40, None], 30.0), axis=-1).astype(np.uint8)
    kind, data = pages.jpeg(pixels).split(",")
    assert kind == "data:image/jpeg;base64"
    read = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert read.shape == pixels.shape
    assert np.abs(read.astype(int) - pixels).mean() < 3
