"""Registries: built-in names first, plugins run at the first other name, and no name twice."""

import math
import os
import subprocess
import sys

import pytest

from medfold import registry
from medfold.registry import Registry
from tests.support.helpers import REPOSITORY, refused


@pytest.fixture
def things():
    registry.set_plugin_loader(lambda: None)
    made = Registry("thing")
    made.register("stone", 1, "medfold.stones")
    yield made
    registry.set_plugin_loader(lambda: None)


def test_plugins_run_once_at_the_first_unknown_name(things):
    runs = []

    def run():
        runs.append(1)
        things.register("feather", 2, "plugins")

    registry.set_plugin_loader(run)
    assert things["stone"] == 1
    assert runs == []
    assert things["feather"] == 2
    assert things.find("feather", "key") == 2
    with refused(r"key: unknown thing 'fether' \(did you mean 'feather'\?\)"):
        things.find("fether", "key")
    assert runs == [1]
    assert things.all() == [1, 2]
    assert not things.is_built_in("feather")


def test_new_plugin_loader_removes_the_former_plugins(things):
    registry.set_plugin_loader(lambda: things.register("feather", 2, "plugins"))
    assert "feather" in things
    registry.set_plugin_loader(lambda: None)
    assert "feather" not in things
    assert things.names() == ["stone"]


def test_taken_name_is_refused(things):
    with refused("thing 'stone' exists already"):
        things.register("stone", 2, "medfold.stones")
    registry.set_plugin_loader(lambda: things.register("stone", 3, "plugins"))
    with refused("thing 'stone' exists already"):
        things.find("feather", "key")


def test_lazy_name_is_built_in_and_imported_when_used(things):
    things.register_lazily("pi", "math", "pi")
    things.register_lazily("nothing", "medfold.no_such_module", "read")
    assert things.is_built_in("nothing")
    assert things.names() == ["pi", "nothing", "stone"]
    assert things["pi"] == math.pi
    with pytest.raises(ModuleNotFoundError):
        things.find("nothing", "key")
    registry.set_plugin_loader(lambda: things.register("pi", 3, "plugins"))
    with refused("thing 'pi' exists already"):
        things.names()


def test_plugins_can_look_up_built_in_names(things):
    registry.set_plugin_loader(lambda: things.register("pair", (things["stone"], "other" in things), "plugins"))
    assert things["pair"] == (1, False)


@pytest.mark.slow
def test_built_in_names_imported_by_plugins_stay_built_in():
    code = (
        "from medfold import registry\n"
        "import importlib\n"
        "registry.set_plugin_loader(lambda: importlib.import_module('medfold.images.preparation_steps'))\n"
        "'unknown' in registry.Registry('thing')  # runs the plugins\n"
        "registry.set_plugin_loader(lambda: None)\n"
        "from medfold.images.preparation import STEPS\n"
        "print(*map(STEPS.is_built_in, ('clahe', 'circle_crop', 'unknown')))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (ended.returncode, ended.stdout) == (0, "True True False\n"), ended.stderr
