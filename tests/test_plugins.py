"""The names that a plugins.py imports."""

import subprocess
import sys

import pytest

from medfold import plugins


@pytest.mark.parametrize("name", plugins.__all__)
def test_every_name_is_there(name):
    assert getattr(plugins, name).__name__ == name


def test_former_name_is_the_function_of_today():
    assert plugins.prediction_map is plugins.transform_step


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="medfold.plugins has no 'metrics'. It has FittedTransform, StrictModel, "):
        _ = plugins.metrics


@pytest.mark.parametrize("name", ["metric", "ensemble_method", "source"])
def test_plugin_without_a_net_imports_no_keras(name):
    code = f"import sys; from medfold.plugins import {name}; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
