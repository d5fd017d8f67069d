"""Run folders: metadata, done folds, names; the out-of-fold score of a run."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from medfold.scoring.out_of_fold import oof_by_unit, oof_score
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


@pytest.fixture
def scored():
    facts = competition()
    truth = pd.DataFrame({"id": list("abcdefgh"), "group": [0, 0, 1, 2, 3, 4, 5, 6], "fold": [0] * 4 + [1] * 4})
    truth["unit"] = truth["id"]
    targets = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    oof = pd.DataFrame({"id": list("abcdefgh"), "fold": [0] * 4 + [1] * 4})
    return facts, truth, targets, oof.assign(target=[0.1, 0.9, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7])


def test_oof_score_joins_predictions_by_id(scored):
    facts, truth, targets, oof = scored
    result = oof_score(
        facts, oof_by_unit(facts, oof.sample(frac=1, random_state=1), truth, targets), is_optimistic=False
    )
    assert result["value"] == pytest.approx(15 / 16)
    assert result["per_fold"] == {"0": 1.0, "1": 0.75}
    assert (result["units"], result["folds_done"]) == (8, [0, 1])
    assert result["low"] <= result["value"] <= result["high"]


def test_oof_score_aggregates_images_of_a_unit(scored):
    _, truth, _, oof = scored
    units = truth.assign(unit=list("xxyyzzvv"), group=[0, 0, 1, 1, 2, 2, 3, 3])
    facts = competition(score={"metric": "auc", "unit": "{side}", "aggregate": "max"})
    sick = np.array([0, 1, 0, 0, 0, 0, 1, 1])
    result = oof_score(facts, oof_by_unit(facts, oof, units, sick), is_optimistic=False)
    # x 0.9 and v 0.7 are positive, y 0.8 and z 0.6 negative
    assert (result["value"], result["units"]) == (0.75, 4)
    assert result["per_fold"] == {"0": 1.0, "1": 1.0}


def test_oof_score_of_one_fold_covers_that_fold(scored):
    facts, truth, targets, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof[oof["fold"] == 1], truth, targets), is_optimistic=True)
    assert (result["value"], result["folds_done"], result["optimistic"]) == (0.75, [1], True)


def test_undefined_oof_score_is_none(scored):
    facts, truth, _, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof, truth, np.zeros(8, int)), is_optimistic=False)
    assert result["value"] is result["low"] is result["per_fold"]["0"] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda oof: oof.iloc[1:],
        lambda oof: pd.concat([oof, oof.iloc[:1]]),
        lambda oof: oof.assign(fold=[1, *oof["fold"][1:]]),
        lambda oof: oof.assign(id=["z", *oof["id"][1:]]),
    ],
)
def test_oof_table_not_matching_folds_raises(scored, change):
    facts, truth, targets, oof = scored
    with pytest.raises(UserError, match="does not match the folds table"):
        oof_score(facts, oof_by_unit(facts, change(oof), truth, targets), is_optimistic=False)


@given(st.integers(6, 30), st.integers(1, 3), st.integers(1, 4), st.randoms(use_true_random=False))
def test_oof_score_does_not_depend_on_row_order(n, images, folds, random):
    facts = competition("binary", score={"metric": "auc", "unit": "{patient}", "also": ["log_loss"]})
    unit = [f"u{number // images}" for number in range(n)]
    truth = pd.DataFrame({"id": [f"i{number}" for number in range(n)], "unit": unit, "group": unit})
    truth["fold"] = [int(name[1:]) % folds for name in unit]
    targets = np.array([random.randrange(2) for _ in range(n)])
    oof = truth[["id", "fold"]].assign(target=[random.random() for _ in range(n)])

    def scored(order: list[int], rows: list[int]) -> tuple:
        found = oof_by_unit(facts, oof.iloc[rows], truth.iloc[order], targets[order])
        return oof_score(facts, found, is_optimistic=False), found.unit_ids.tolist(), found.predictions.tolist()

    plain = list(range(n))
    assert repr(scored(plain, plain)) == repr(scored(random.sample(plain, n), random.sample(plain, n)))


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
