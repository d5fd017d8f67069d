"""run.json keeps what a run was started with; a fold that was started differently is refused."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.errors import UserError
from medfold.runs.fold_state import require_trained_folds
from medfold.runs.run_json import open_run, read_run
from tests.support.finished_runs import finished_run

ORIGIN = {
    "seed": 0,
    "recipe": {"tta": True, "training": {"epochs": 3}},
    "folds_fingerprint": "f",
    "store_key": "s",
    "pretrained_hash": None,
}


def origin(small, **changes):
    return {**ORIGIN, "facts": small.competition.model_dump(mode="json"), "commit": "x", **changes}


def test_open_run_keeps_original_metadata(small):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small))
    open_run(paths, origin(small, commit="another"))  # the commit is recorded, not compared
    assert read_run(paths)["commit"] == "x"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"tta": True, "training": {"epochs": 4}}}, "recipe.training.epochs was 3, now 4"),
        ({"folds_fingerprint": "g"}, "started on another folds table"),
        ({"store_key": "t"}, "store_key was s, now t"),
        ({"seed": 1}, "seed was 0, now 1"),
    ],
)
def test_open_run_with_other_settings_raises(small, changes, message):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small))
    with pytest.raises(UserError, match=message):
        open_run(paths, origin(small, **changes))


def test_missing_recipe_keys_of_older_runs_take_defaults(small):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small, recipe={"training": {"epochs": 3}}))
    now = Recipe.model_validate({"training": {"epochs": 3}})
    open_run(paths, origin(small, recipe=now.model_dump(mode="json")))
    other = Recipe.model_validate({"training": {"epochs": 3, "mixup": 0.4}})
    with pytest.raises(UserError, match=r"recipe.training.mixup was 0.0, now 0.4"):
        open_run(paths, origin(small, recipe=other.model_dump(mode="json")))


@pytest.mark.parametrize(("run", "recipe"), [("baseline", ""), ("simple_cnn", " RECIPE=simple_cnn"), ("mine", "")])
def test_untrained_run_is_trained_by_the_recipe_of_its_name(small, run, recipe):
    paths = small.paths.run(run)
    for check in (lambda: read_run(paths), lambda: require_trained_folds(paths, 3)):
        with pytest.raises(UserError, match=f"Run: make train COMPETITION=small{recipe}$"):
            check()


def test_invalid_run_json_raises(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content, message in (("{", "run.json: not JSON, or cut off"), ("[1]", "run.json: recipe, facts or folds")):
        paths.metadata.write_text(content)
        with pytest.raises(UserError, match=message):
            read_run(paths)


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
    open_run(paths, origin(small, plugins_hash=before))
    with pytest.raises(UserError, match=f"this run was started differently: {change}. Give"):
        open_run(paths, origin(small, plugins_hash=now))


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("basline", r"Trained so far: baseline\. Choose one of them$"),
        ("simple_cnn", r"Trained so far: baseline\. Run: make train COMPETITION=small RECIPE=simple_cnn$"),
        ("baseline-s1", r"Trained so far: baseline\. Run: make train COMPETITION=small$"),
    ],
)
def test_run_that_is_not_trained_is_one_of_a_recipe_or_mistyped(folded, name, fix):
    finished_run(folded, "baseline")
    with pytest.raises(UserError, match=fix):
        read_run(folded.paths.run(name))
