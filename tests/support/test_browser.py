"""The browser helper of tests/support: it must detect what is wrong with a page, or other tests prove nothing."""

import re

import pytest
from PIL import Image
from selenium.common.exceptions import ElementClickInterceptedException

from tests.support.browser import browser_or_skip

pytestmark = pytest.mark.slow
DIALOG = (
    "<button id=open onclick='box.showModal()'>more</button>"
    "<dialog id=box><p id=text>words</p><button id=close onclick='box.close()'>close</button></dialog>"
)


@pytest.fixture
def written(tmp_path):
    """Writes a page, into a folder with a space in its name."""

    def write(body: str, head: str = ""):
        path = tmp_path / "a run" / "report 1.html"
        path.parent.mkdir(exist_ok=True)
        viewport = '<meta name="viewport" content="width=device-width">'
        path.write_text(
            f"<!doctype html><html><head><meta charset=utf-8>{viewport}{head}</head><body>{body}</body></html>"
        )
        return path

    return write


def media_matches(query: str) -> str:
    return f"matchMedia('({query})').matches"


def test_valid_page_has_no_messages_or_requests(browser, written):
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    with browser.open(written(f"<img src={dot}><a href='#end'>end</a><p id=end>äß</p>")) as page:
        page.click("a")
        assert page.evaluate("location.hash") == "#end"
        assert page.evaluate("document.images[0].naturalWidth") == 1
        assert page.messages == []
        assert page.outside == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("console.error('oh no')", "oh no"),
        ("null.x", "TypeError"),
        ("Promise.reject(new Error('late'))", "late"),
        ("let = ", "SyntaxError"),
    ],
)
def test_script_errors_are_reported(browser, written, script, expected):
    with browser.open(written(f"<script>{script}</script>")) as page:
        (error,) = page.errors
        assert expected in error


def test_warning_is_a_message_but_not_an_error(browser, written):
    with browser.open(written("<script>console.warn('mind this')</script>")) as page:
        assert page.errors == []
        ((level, text),) = page.messages
        assert level == "WARNING"
        assert "mind this" in text


def test_error_after_a_click_is_reported_once(browser, written):
    with browser.open(written("<button onclick='console.error(\"clicked\")'>b</button>")) as page:
        assert page.errors == []
        page.click("button")
        assert len(page.errors) == 1
        assert len(page.errors) == 1


def test_requests_to_other_addresses_are_reported(browser, written):
    head = "<link rel=stylesheet href='style.css'>"
    path = written("<img src='http://127.0.0.1:9/x.png'><img src='https://pictures.invalid/y.png'>", head)
    style = path.with_name("style.css")
    style.write_text("body {margin: 0}")
    with browser.open(path) as page:
        assert sorted(page.outside) == [
            style.as_uri(),
            "http://127.0.0.1:9/x.png",
            "https://pictures.invalid/y.png",
        ]
        assert len(page.errors) == 2  # the stylesheet exists and loads, and is reported all the same


def test_request_of_a_script_is_reported(browser, written):
    button = "<button onclick='fetch(\"http://127.0.0.1:9/late\").catch(() => 0)'>b</button>"
    with browser.open(written(button)) as page:
        assert page.outside == []
        page.click("button")
        assert page.outside == ["http://127.0.0.1:9/late"]


@pytest.mark.parametrize("dark", [False, True])
def test_dark_option_sets_colour_scheme(browser, written, dark):
    style = "<style>body {background: white} @media (prefers-color-scheme: dark) {body {background: black}}</style>"
    with browser.open(written("", style), dark=dark) as page:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == ("rgb(0, 0, 0)" if dark else "rgb(255, 255, 255)")
        assert page.evaluate(media_matches("prefers-reduced-motion: reduce"))


@pytest.mark.parametrize(("width", "narrow"), [(390, True), (601, False)])
def test_width_option_sets_media_query(browser, written, width, narrow):
    with browser.open(written("", "<style>body {margin: 0}</style>"), width=width) as page:
        assert page.evaluate(media_matches("max-width: 600px")) is narrow
        assert page.size_of("body").width == width


@pytest.mark.parametrize("touch", [False, True])
def test_touch_option_sets_coarse_pointer_and_keeps_width(browser, written, touch):
    with browser.open(written(""), width=390, height=844, touch=touch) as page:
        assert page.evaluate(media_matches("pointer: coarse")) is touch
        assert page.evaluate("[innerWidth, innerHeight]") == [390, 844]


def test_screenshot_covers_page_or_screens(browser, written, tmp_path):
    style = "<style>body {margin: 0; background: blue} div {height: 1700px; background: red}</style>"

    def take_screenshot(**options):
        page.screenshot(tmp_path / "shot.png", **options)
        return Image.open(tmp_path / "shot.png").convert("RGB")

    with browser.open(written("<div></div><p style='margin: 0; height: 300px'></p>", style), 500, 800) as page:
        whole = take_screenshot()
        assert (tmp_path / "shot.png").read_bytes().startswith(b"\x89PNG")
        assert whole.size == (500, 2000)
        assert whole.getpixel((250, 1690)) == (255, 0, 0)
        assert whole.getpixel((250, 1990)) == (0, 0, 255)
        assert take_screenshot(full=False).size == (500, 800)
        assert take_screenshot(full=False, screens=2).size == (500, 1600)
        assert take_screenshot(full=False, screens=9).size == (500, 2000)
        page.evaluate("scrollTo(0, 1200)")
        screen = take_screenshot(full=False)
        assert screen.getpixel((250, 490)) == (255, 0, 0)
        assert screen.getpixel((250, 510)) == (0, 0, 255)
        assert page.evaluate("scrollY") == 1200


def test_dialog_opens_by_click(browser, written):
    with browser.open(written(DIALOG)) as page:
        assert not page.visible("#text")
        page.click("#open")
        assert page.visible("#text")
        with pytest.raises(ElementClickInterceptedException):
            page.click("#open")  # a modal dialog is above it
        page.click("#close")
        assert not page.visible("#text")


@pytest.mark.parametrize("key", ["Enter", " "])
def test_dialog_opens_by_keyboard(browser, written, key):
    with browser.open(written(DIALOG)) as page:
        page.press("Tab")
        assert page.evaluate("document.activeElement.id") == "open"
        page.press(key)
        assert page.visible("#text")
        page.press("Escape")
        assert not page.visible("#text")


def test_press_sends_named_keys(browser, written):
    recorder = "<script>keys = []; addEventListener('keydown', e => keys.push([e.key, e.shiftKey]))</script>"
    with browser.open(written(recorder)) as page:
        for key in ("ArrowRight", "a", "+", "Shift+Tab", "PageDown"):
            page.press(key)
        pressed = [key for key in page.evaluate("keys") if key[0] != "Shift"]
        assert pressed == [["ArrowRight", False], ["a", False], ["+", True], ["Tab", True], ["PageDown", False]]
        with pytest.raises(AttributeError):
            page.press("NoSuchKey")


def test_visible_detects_hidden_elements(browser, written):
    hidden = ["display: none", "visibility: hidden", "opacity: 0", "height: 0; overflow: hidden"]
    words = "".join(f"<p style='{style}'>words</p>" for style in ["", *hidden])
    with browser.open(written(f"{words}<details><summary>more</summary><i>words</i></details>")) as page:
        assert [page.visible(f"p:nth-of-type({1 + place})") for place in range(5)] == [True] + 4 * [False]
        assert not page.visible("i")
        page.click("summary")
        assert page.visible("i")


def test_selector_without_element_is_reported(browser, written):
    with browser.open(written("")) as page:
        for method in (page.visible, page.size_of, page.click):
            with pytest.raises(LookupError, match="#misspelt"):
                method("#misspelt")


def test_size_of_returns_bounding_box(browser, written):
    place = "position: absolute; left: 10px; top: 20px; width: 44px; height: 30.5px"
    with browser.open(written(f"<p style='margin: 0; {place}'></p>")) as page:
        assert page.size_of("p") == (10, 20, 44, 30.5)


def test_evaluate_returns_value_or_raises(browser, written):
    with browser.open(written("")) as page:
        assert page.evaluate("const a = 2; a + 1") == 3
        assert page.evaluate("({b: [a, null]})") == {"b": [2, None]}
        assert page.evaluate("Promise.resolve('later')") == "later"
        with pytest.raises(RuntimeError, match="TypeError"):
            page.evaluate("null.x")


def test_pdf_follows_page_breaks(browser, written):
    style = "<style>@media print {p {break-after: page}}</style>"
    with browser.open(written("<p>one</p><p>two</p><div>three</div>", style)) as page:
        printed = page.pdf()
        assert printed.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 3


def test_pages_share_no_storage(browser, written):
    path = written("")
    with browser.open(path) as page:
        page.evaluate("localStorage.theme = 'dark'")
        assert page.evaluate("localStorage.theme") == "dark"
    with browser.open(path) as page:
        assert page.evaluate("localStorage.theme") is None


def test_missing_page_is_reported(browser, tmp_path):
    with pytest.raises(FileNotFoundError), browser.open(tmp_path / "none.html"):
        pass


def test_missing_browser_skips_tests(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MEDFOLD_NEEDS_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no chromium and no chromedriver .* apt-get install chromium"):
        browser_or_skip()


def test_missing_required_browser_fails_tests(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MEDFOLD_NEEDS_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="no chromium and no chromedriver"):
        browser_or_skip()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_browsers_of_every_name_are_not_refused(monkeypatch, tmp_path, name):
    for program in (name, "chromedriver"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MEDFOLD_NEEDS_BROWSER", "1")
    browser_or_skip()
