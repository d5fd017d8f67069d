import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold import files
from medfold.competition.recipe import Recipe
from medfold.errors import UserError
from medfold.runs.run_folder import done_folds, find_run, is_fold_done, open_run, predictions_table, read_run
from medfold.scoring.out_of_fold import oof_by_unit, oof_score
from tests.support.helpers import competition, finished_run

ORIGIN = {"seed": 0, "recipe": {"tta": True, "training": {"epochs": 3}}, "folds": "f", "store": "s", "pretrained": None}


def origin(small, **changes):
    return {**ORIGIN, "facts": small.competition.model_dump(mode="json"), "commit": "x", **changes}


def test_a_run_keeps_what_it_was_begun_with(small):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small))
    open_run(paths, origin(small, commit="another"))  # for the record only
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
def test_a_fold_of_another_recipe_is_refused(small, changes, message):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small))
    with pytest.raises(UserError, match=message):
        open_run(paths, origin(small, **changes))


def test_a_run_of_an_earlier_version_has_the_defaults_of_new_keys(small):
    paths = small.paths.run("baseline")
    open_run(paths, origin(small, recipe={"training": {"epochs": 3}}))
    now = Recipe.model_validate({"training": {"epochs": 3}})
    open_run(paths, origin(small, recipe=now.model_dump(mode="json")))
    other = Recipe.model_validate({"training": {"epochs": 3, "mixup": 0.4}})
    with pytest.raises(UserError, match=r"recipe.training.mixup was 0.0, now 0.4"):
        open_run(paths, origin(small, recipe=other.model_dump(mode="json")))


def test_done_is_decided_by_hashes(small):
    fold = small.paths.run("baseline").fold(0)
    assert not is_fold_done(fold)
    files.write_text("id\n", fold.oof)
    files.write_json({"oof.csv": files.sha256(fold.oof)}, fold.done)
    assert is_fold_done(fold)
    files.write_text("id\nx\n", fold.oof)
    assert not is_fold_done(fold)


def test_names_of_runs_are_folder_names(small):
    for name in ("", "../x", "a/b", ".hidden"):
        with pytest.raises(UserError, match="plain folder name"):
            find_run(small.paths, name)


def test_an_ordinal_table_has_the_expected_grade():
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


def test_the_score_is_of_the_whole_table_joined_by_id(scored):
    facts, truth, targets, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof.sample(frac=1, random_state=1), truth, targets), optimistic=False)
    assert result["value"] == pytest.approx(15 / 16)
    assert result["per_fold"] == {"0": 1.0, "1": 0.75}
    assert (result["units"], result["folds_done"]) == (8, [0, 1])
    assert result["low"] <= result["value"] <= result["high"]


def test_the_score_is_of_units_where_they_are_more_than_an_image(scored):
    _, truth, _, oof = scored
    units = truth.assign(unit=list("xxyyzzvv"), group=[0, 0, 1, 1, 2, 2, 3, 3])
    facts = competition(score={"metric": "auc", "unit": "{side}", "aggregate": "max"})
    sick = np.array([0, 1, 0, 0, 0, 0, 1, 1])
    result = oof_score(facts, oof_by_unit(facts, oof, units, sick), optimistic=False)
    # x 0.9 and v 0.7 are positive, y 0.8 and z 0.6 negative
    assert (result["value"], result["units"]) == (0.75, 4)
    assert result["per_fold"] == {"0": 1.0, "1": 1.0}


def test_one_fold_alone_is_scored_on_its_part(scored):
    facts, truth, targets, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof[oof["fold"] == 1], truth, targets), optimistic=True)
    assert (result["value"], result["folds_done"], result["optimistic"]) == (0.75, [1], True)


def test_undefined_is_null(scored):
    facts, truth, _, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof, truth, np.zeros(8, int)), optimistic=False)
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
def test_an_oof_table_that_does_not_fit_the_folds_is_refused(scored, change):
    facts, truth, targets, oof = scored
    with pytest.raises(UserError, match="does not match the folds table"):
        oof_score(facts, oof_by_unit(facts, change(oof), truth, targets), optimistic=False)


@given(st.integers(6, 30), st.integers(1, 3), st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_folds_changes_no_score(n, images, folds, random):
    facts = competition("binary", score={"metric": "auc", "unit": "{patient}", "also": ["log_loss"]})
    unit = [f"u{number // images}" for number in range(n)]
    truth = pd.DataFrame({"id": [f"i{number}" for number in range(n)], "unit": unit, "group": unit})
    truth["fold"] = [int(name[1:]) % folds for name in unit]
    targets = np.array([random.randrange(2) for _ in range(n)])
    oof = truth[["id", "fold"]].assign(target=[random.random() for _ in range(n)])

    def scored(order: list[int], rows: list[int]) -> tuple:
        found = oof_by_unit(facts, oof.iloc[rows], truth.iloc[order], targets[order])
        return oof_score(facts, found, optimistic=False), found.names.tolist(), found.predictions.tolist()

    plain = list(range(n))
    assert repr(scored(plain, plain)) == repr(scored(random.sample(plain, n), random.sample(plain, n)))


@pytest.mark.parametrize("name", ["a b", "a+b", "", "..", "a/b", ".a"])
def test_a_name_that_no_later_command_could_take_is_refused(small, name):
    with pytest.raises(UserError, match="a run's name must"):
        find_run(small.paths, name)


def test_a_marker_that_broke_off_makes_a_fold_undone(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content in ("{", "[]", "", "{}"):
        paths.fold(1).done.write_text(content)
        assert done_folds(paths, 3) == [0, 2]


def test_an_origin_of_something_else_is_one_line(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content, message in (("{", "run.json: not JSON, or cut off"), ("[1]", "run.json: recipe, facts or folds")):
        paths.metadata.write_text(content)
        with pytest.raises(UserError, match=message):
            read_run(paths)
