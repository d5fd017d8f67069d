import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from medfold.training.allocator import keep_freed_memory
if {told}:
    assert keep_freed_memory()
def work(_):
    for _ in range(200):
        parts = [np.ones(25_000) for _ in range(20)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
with ThreadPoolExecutor(1) as pool:
    list(pool.map(work, range(1)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_is_not_faulted_in_again():
    told, untold = (
        int(subprocess.run([sys.executable, "-c", CODE.format(told=told)], capture_output=True, check=True).stdout)
        for told in (True, False)
    )
    assert told < untold / 5
