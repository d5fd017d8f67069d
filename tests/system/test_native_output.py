"""Silenced output of native code, and silenced packages."""

import logging
import os
import subprocess
import sys
import warnings

import pytest

from medfold.system.native_output import silence_library, silence_native_output


@pytest.mark.parametrize("fails", [False, True])
def test_silenced_output_is_shown_only_on_error(fails):
    code = (
        "import os\nfrom medfold.system.native_output import silence_native_output\n"
        "with silence_native_output(show_on_error=True):\n"
        f"    os.write(2, b'noise')\n    assert not {fails}\nos.write(2, b'after')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert ("noise" in result.stderr) is fails
    assert ("after" in result.stderr) is not fails


def test_stderr_is_restored_when_the_last_block_ends(capfd):
    first, second = silence_native_output(), silence_native_output()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(2, b"lost")
    second.__exit__(None, None, None)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_silenced_library_neither_logs_nor_warns(capfd):
    silence_library("noisy_library")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        silence_library("noisy_library")
        for module in ("noisy_library.decoder", "other"):
            warnings.warn_explicit("odd file", UserWarning, "file.py", 1, module)
    assert len(shown) == 1
    logging.getLogger("noisy_library.decoder").critical("odd file")
    assert capfd.readouterr().err == ""
