"""Hashes of values."""

from medfold.system.hashes import fingerprint


def test_equal_values_have_equal_fingerprints():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint("x", 6)) == 6
