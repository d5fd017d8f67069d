"""Pauses that grow from one to the next."""

import pytest

from medfold.system import waiting


@pytest.fixture
def pauses(monkeypatch):
    """The lengths of all pauses, which take no time."""
    lengths = []
    monkeypatch.setattr(waiting.time, "sleep", lengths.append)
    return lengths


def test_pause_sleeps(pauses):
    waiting.pause(3)
    assert pauses == [3]


def test_pauses_grow_up_to_the_longest(pauses):
    growing = waiting.GrowingPause(first=2, factor=1.5, longest=4)
    announced = []
    for _ in range(4):
        announced.append(growing.seconds)
        growing.pause()
    assert pauses == announced == [2, 3, 4, 4]
