"""Run folders: metadata, done folds, names; the out-of-fold score of a run."""

import numpy as np
import pandas as pd
import pytest

from medfold import files
from medfold.competition.recipe import Recipe
from medfold.errors import UserError
from medfold.runs.run_folder import (
    find_run,
    is_fold_trained,
    open_run,
    predictions_table,
    read_run,
    require_trained_folds,
    trained_folds,
)
from tests.support.helpers import competition, finished_run

ORIGIN = {"seed": 0, "recipe": {"tta": True, "training": {"epochs": 3}}, "folds": "f", "store": "s", "pretrained": None}


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
        ({"folds": "g"}, "started on another folds table"),
        ({"store": "t"}, "store was s, now t"),
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


def test_fold_is_done_only_if_hashes_match(small):
    fold = small.paths.run("baseline").fold(0)
    assert not is_fold_trained(fold)
    files.write_text("id\n", fold.oof)
    files.write_json({"oof.csv": files.sha256(fold.oof)}, fold.done)
    assert is_fold_trained(fold)
    files.write_text("id\nx\n", fold.oof)
    assert not is_fold_trained(fold)


@pytest.mark.parametrize(("run", "recipe"), [("baseline", ""), ("simple_cnn", " RECIPE=simple_cnn"), ("mine", "")])
def test_untrained_run_is_trained_by_the_recipe_of_its_name(small, run, recipe):
    paths = small.paths.run(run)
    for check in (lambda: read_run(paths), lambda: require_trained_folds(paths, 3)):
        with pytest.raises(UserError, match=f"Run: make train COMPETITION=small{recipe}$"):
            check()


def test_run_name_must_be_a_folder_name(small):
    for name in ("", "../x", "a/b", ".hidden"):
        with pytest.raises(UserError, match="plain folder name"):
            find_run(small.paths, name)


def test_ordinal_predictions_include_expected_grade():
    facts = competition("ordinal")
    table = predictions_table(facts, pd.Series(["x", "y"]), np.array([[0.2, 0.3, 0.5], [1, 0, 0]]), fold=1)
    assert list(table.columns) == ["id", "fold", "0", "1", "2", "expected"]
    assert table["expected"].tolist() == pytest.approx([1.3, 0.0])


@pytest.mark.parametrize("name", ["a b", "a+b", "", "..", "a/b", ".a"])
def test_run_name_with_special_characters_raises(small, name):
    with pytest.raises(UserError, match="a run's name must"):
        find_run(small.paths, name)


def test_fold_with_invalid_done_file_is_not_done(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content in ("{", "[]", "", "{}"):
        paths.fold(1).done.write_text(content)
        assert trained_folds(paths, 3) == [0, 2]


def test_invalid_run_json_raises(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content, message in (("{", "run.json: not JSON, or cut off"), ("[1]", "run.json: recipe, facts or folds")):
        paths.metadata.write_text(content)
        with pytest.raises(UserError, match=message):
            read_run(paths)
