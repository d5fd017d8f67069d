"""run.json keeps what a run was started with; a fold that was started differently is refused."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.runs.fold_state import require_trained_folds
from medfold.runs.run_json import read_run_json, record_run_start
from medfold.system import json_files
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
    return {**ORIGIN, "facts": small.facts.model_dump(mode="json"), "commit": "x", **changes}


def test_start_is_recorded_once(small):
    paths = small.paths.run("baseline")
    record_run_start(paths, origin(small))
    record_run_start(paths, origin(small, commit="another"))  # the commit is recorded, not compared
    assert read_run_json(paths)["commit"] == "x"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"tta": True, "training": {"epochs": 4}}}, "recipe.training.epochs was 3, now 4"),
        ({"folds_fingerprint": "g"}, "started on another folds table"),
        ({"store_key": "t"}, "differently: the raw images, or how medfold prepares them, have changed. Give"),
        ({"pretrained_hash": "p"}, "differently: the file of backbone.weights has changed. Give"),
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
        return {**ORIGIN, "facts": facts, "recipe": {"preparation": {"size": size}}, "store_key": store_key}

    paths = small.paths.run("baseline")
    record_run_start(paths, started("s", 32, None))
    with refused(f"this run was started differently: {change}. Give"):
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
    ("run", "fix"),
    [
        ("baseline", "Run: make train COMPETITION=small"),
        ("simple_cnn", "Run: make train COMPETITION=small RECIPE=simple_cnn"),
        ("baseline-s2", "Run: make train COMPETITION=small SEEDS=2"),
        ("simple_cnn-s1", "Run: make train COMPETITION=small RECIPE=simple_cnn SEEDS=1"),
        ("mine", "No run is trained yet. To train one of that name: make train COMPETITION=small RUN=mine"),
        ("mine-s1", "No run is trained yet. To train one of that name: make train COMPETITION=small RUN=mine-s1"),
    ],
)
def test_untrained_run_is_trained_by_the_command_of_its_name(small, run, fix):
    paths = small.paths.run(run)
    for check in (lambda: read_run_json(paths), lambda: require_trained_folds(paths, 3)):
        with refused(f"run '{run}' is not trained. {fix}$"):
            check()


def test_run_without_a_finished_fold_is_trained_by_its_own_command(small):
    paths = small.paths.run("mine")
    record_run_start(paths, origin(small, command="make train COMPETITION=small RECIPE=simple_cnn RUN=mine"))
    fix = "Run: make train COMPETITION=small RECIPE=simple_cnn RUN=mine"
    with refused(f"run 'mine' has no trained fold. {fix}$"):
        require_trained_folds(paths, 3)


def test_invalid_run_json_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content, message in (("{", "run.json: not JSON, or cut off"), ("[1]", "run.json: no key 'recipe'")):
        paths.metadata.write_text(content)
        with refused(message):
            read_run_json(paths)


@pytest.mark.parametrize("key", ["seed", "recipe", "folds_fingerprint", "facts.folds", "facts.images.symmetry"])
def test_run_json_without_a_key_is_refused(folded, key):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    content = parent = json_files.read(paths.metadata)
    *parents, last = key.split(".")
    for name in parents:
        parent = parent[name]
    del parent[last]
    json_files.write(content, paths.metadata, sealed=True)
    with refused(f"run.json: no key '{key}.*'. Restore it from a backup"):
        read_run_json(paths)
    with refused(f"run.json: no key '{key}"):
        record_run_start(paths, origin(folded))


def test_run_json_with_fingerprints_of_other_images_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    json_files.write({**json_files.read(paths.metadata), "images_fingerprints": {"test": "0"}}, paths.metadata)
    with refused(r"run.json: the value of 'images_fingerprints.train' is missing"):
        read_run_json(paths)


def test_run_json_without_a_value_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    json_files.write({**json_files.read(paths.metadata), "recipe": None}, paths.metadata)
    with refused(r"run.json: no key 'recipe'\. Restore it from a backup"):
        read_run_json(paths)


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
    with refused(f"this run was started differently: {change}. Give"):
        record_run_start(paths, origin(small, plugins_hash=now))


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("basline", r"Trained so far: baseline\. Choose one of them$"),
        ("simple_cnn", r"Trained so far: baseline\. Run: make train COMPETITION=small RECIPE=simple_cnn$"),
        ("baseline-s1", r"Trained so far: baseline\. Run: make train COMPETITION=small SEEDS=1$"),
        ("baseline-96px", r"Trained so far: baseline\. Choose one of them$"),
    ],
)
def test_run_that_is_not_trained_is_one_of_a_recipe_or_mistyped(folded, name, fix):
    finished_run(folded, "baseline")
    with refused(fix):
        read_run_json(folded.paths.run(name))
