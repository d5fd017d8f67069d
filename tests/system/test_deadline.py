"""The time at which a training must stop."""

import time

import pytest

from medfold.system.deadline import STOP_AT, deadline_passed


@pytest.mark.parametrize(("seconds", "passed"), [(None, False), (3600, False), (-1, True)])
def test_deadline_is_a_time_since_1970(monkeypatch, seconds, passed):
    monkeypatch.delenv(STOP_AT, raising=False)
    if seconds is not None:
        monkeypatch.setenv(STOP_AT, str(time.time() + seconds))
    assert deadline_passed() is passed
