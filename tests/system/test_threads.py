"""Work in a thread whose results a generator yields."""

import threading

import pytest

from medfold.system.threads import items_from_thread


def test_items_arrive_in_order():
    assert list(items_from_thread(lambda put: [put(number) for number in range(5)], 60)) == list(range(5))


def test_pause_is_reported_until_the_next_item():
    go_on = threading.Event()

    def work(put):
        put("first")
        assert go_on.wait(60)
        put("last")

    items = items_from_thread(work, 0.01)
    assert [next(items), next(items), next(items)] == ["first", None, None]
    go_on.set()
    assert [item for item in items if item is not None] == ["last"]


def test_error_comes_after_the_items():
    def work(put):
        put(1)
        raise ValueError("bad pixels")

    items = items_from_thread(work, 60)
    assert next(items) == 1
    with pytest.raises(ValueError, match="bad pixels"):
        next(items)
