"""The browser of the report's tests."""

import os

import pytest

from tests.support.browser import Page, missing


def browser_or_leave() -> type[Page]:
    """Page, if it can be opened; else the test is left out, or failed where a browser is promised, as in CI."""
    if lack := missing():
        leave = pytest.fail if os.environ.get("MEDFOLD_NEEDS_BROWSER") else pytest.skip
        leave(lack)
    return Page


@pytest.fixture(scope="session")
def browser() -> type[Page]:
    """Opens pages: `with browser.open(path, width=390, dark=True) as page`."""
    return browser_or_leave()
