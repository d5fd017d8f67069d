"""A fold that is started otherwise than the first fold of its run is refused, and what differs is named."""

import pytest

from medfold.competition import Recipe
from medfold.runs import RunMetadata
from medfold.system import json_files
from medfold.training.same_start import record_run_start
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused

ORIGIN = {
    "seed": 0,
    "recipe": {"tta": True, "training": {"epochs": 3}},
    "folds_fingerprint": "f",
    "store_key": "s",
    "pretrained_hash": None,
}


def origin(small, **changes):
    return RunMetadata(**{**ORIGIN, "facts": small.facts.model_dump(mode="json"), "commit": "x", **changes})


def test_start_is_recorded_once(small):
    paths = small.paths.run("baseline")
    record_run_start(paths, origin(small))
    written = paths.metadata.read_bytes()
    record_run_start(paths, origin(small, commit="another"))  # the commit is recorded, not compared
    assert json_files.read(paths.metadata)["commit"] == "x"
    assert paths.metadata.read_bytes() == written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"tta": True, "training": {"epochs": 4}}}, "recipe.training.epochs was 3, now 4"),
        ({"folds_fingerprint": "g"}, "started on a different folds table"),
        (
            {"store_key": "t"},
            "differently: the raw images, or how medfold prepares them, have changed. Undo this change",
        ),
        ({"pretrained_hash": "p"}, "differently: the file of backbone.weights has changed. Undo this change"),
        ({"seed": 1}, "seed was 0, now 1"),
    ],
)
def test_start_with_other_settings_is_refused(small, changes, message):
    paths = small.paths.run("baseline")
    record_run_start(paths, origin(small))
    with refused(message):
        record_run_start(paths, origin(small, **changes))


@pytest.mark.parametrize(
    ("key", "now", "change"),
    [
        ("facts", [0, 255], r"images\.range was None, now \[0, 255\]"),
        ("recipe", 64, r"recipe\.preparation\.size was 32, now 64"),
    ],
)
def test_other_prepared_images_are_explained_by_the_setting_that_changed(small, key, now, change):
    def started(store_key, size, value_range):
        facts = small.facts.model_dump(mode="json")
        facts["images"]["range"] = value_range
        recipe = {"preparation": {"size": size}}
        return RunMetadata(**{**ORIGIN, "facts": facts, "recipe": recipe, "store_key": store_key})

    paths = small.paths.run("baseline")
    record_run_start(paths, started("s", 32, None))
    with refused(f"this run was started differently: {change}. Undo this change"):
        record_run_start(paths, started("t", now if key == "recipe" else 32, now if key == "facts" else None))


def test_missing_recipe_keys_of_older_runs_take_defaults(small):
    paths = small.paths.run("baseline")
    record_run_start(paths, origin(small, recipe={"training": {"epochs": 3}}))
    now = Recipe.model_validate({"training": {"epochs": 3}})
    record_run_start(paths, origin(small, recipe=now.model_dump(mode="json")))
    other = Recipe.model_validate({"training": {"epochs": 3, "mixup": 0.4}})
    with refused(r"recipe.training.mixup was 0.0, now 0.4"):
        record_run_start(paths, origin(small, recipe=other.model_dump(mode="json")))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (None, "d77e", "plugins.py was absent, now it is there"),
        ("d77e", None, "plugins.py was there, now it is absent"),
        ("d77e", "a1b2", "plugins.py has changed"),
    ],
)
def test_changed_plugins_are_described_without_hashes(small, before, now, change):
    paths = small.paths.run("baseline")
    record_run_start(paths, origin(small, plugins_hash=before))
    with refused(f"this run was started differently: {change}. Undo this change"):
        record_run_start(paths, origin(small, plugins_hash=now))


def test_damaged_run_json_refuses_another_fold(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    content = json_files.read(paths.metadata)
    del content["seed"]
    json_files.write(content, paths.metadata, sealed=True)
    with refused("run.json: the value of 'seed' is missing"):
        record_run_start(paths, origin(folded))
