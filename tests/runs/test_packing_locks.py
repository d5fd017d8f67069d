"""The lock of runs that are packed: a second process is refused at once."""

from medfold.runs.packing_locks import packing_lock
from tests.support.helpers import refused


def test_second_packing_of_the_same_runs_is_refused(small):
    with packing_lock(small.paths, ["a", "b"]):
        with refused("these runs are being packed or submitted"), packing_lock(small.paths, ["a", "b"]):
            pass
        with packing_lock(small.paths, ["a"]):
            pass
