"""The sample table of every look-alike: ids, labels, groups, images and units equal the known ones."""

from typing import Any

import pandas as pd

from medfold.tables import read_csv
from tests.lookalikes import LOOKALIKES
from tests.support.helpers import shipped

HOLDOUT = 0.2


def test_sample_table_equals_the_known_truth(lookalike):
    truth, table = lookalike.truth, lookalike.table
    train, test = lookalike.part("train"), lookalike.part("test")
    if truth["test"] is None:
        assert sorted(table["id"]) == sorted(truth["train"])
        assert abs(len(test) / len(table) - HOLDOUT) < 0.1
        assert set(train["group"]).isdisjoint(test["group"])
    else:
        assert list(train["id"]) == truth["train"]
        assert list(test["id"]) == truth["test"]
    assert dict(zip(table["id"], table["image"], strict=True)) == {id: truth["images"][id] for id in table["id"]}
    labels = train[truth["targets"]].to_dict("index")
    assert labels == {id: truth["labels"][id] for id in train["id"]}
    assert partition(train["group"]) == partition(known_groups(truth, train["id"]))


def test_units_and_hidden_labels_equal_the_known_truth(lookalike):
    truth, competition, test = lookalike.truth, lookalike.competition, lookalike.part("test")
    unit_of = truth.get("unit_of", {id: id for id in lookalike.table["id"]})
    assert list(lookalike.table["unit"]) == [unit_of[id] for id in lookalike.table["id"]]
    assert competition.facts.submission.id == truth["id_column"]
    units = list(test["id"]) if truth["units"] is None else truth["units"]
    assert list(dict.fromkeys(test["unit"])) == units
    if competition.facts.upload == "none":
        solution = read_csv(competition.paths.solution, id=str, **dict.fromkeys(truth["targets"], str))
        answers = truth["answers"] or {id: truth["labels"][id] for id in units}
        assert solution.set_index("id")[truth["targets"]].to_dict("index") == answers
    else:
        assert not competition.paths.solution.exists()


def test_every_shipped_competition_has_a_lookalike():
    assert set(shipped()) - {"phantom-chest"} == set(LOOKALIKES)


def known_groups(truth: dict[str, Any], ids: pd.Series) -> pd.Series:
    """The group of each image; its id if no group is known."""
    return pd.Series([(truth["groups"] or {}).get(id, id) for id in ids], index=ids.to_numpy())


def partition(groups: pd.Series) -> set[frozenset[str]]:
    """The sets of ids of one group, whatever the names of the groups."""
    return {frozenset(members) for members in groups.groupby(groups.to_numpy()).groups.values()}
