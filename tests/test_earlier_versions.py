"""Former names of files and keys: what earlier versions wrote is read."""

import pytest

from medfold import earlier_versions
from medfold.earlier_versions import FACTS, current_or_former, with_current_names, with_former_names
from tests.support import helpers

LISTS = {
    "labels": {"layout": "lists", "value": "v", "targets": ["a", "b"], "keep_columns": ["age"], "test_file": "t.csv"},
    "images": {"train": "{id}.png", "test": "{id}.png", "max_unreadable": 0.1, "expected_shape": [8, 8]},
    "score": {"metric": "mean_auc", "more_metrics": ["macro_f1"]},
    "submission": {"layout": "lists", "allow_empty_lists": True},
}
FORMER_LISTS = {
    "labels": {"shape": "lists", "value": "v", "targets": ["a", "b"], "keep": ["age"], "test": "t.csv"},
    "images": {"train": "{id}.png", "test": "{id}.png", "tolerate": 0.1, "shape": [8, 8]},
    "score": {"metric": "mean_auc", "also": ["macro_f1"]},
    "submission": {"shape": "lists", "empty": True},
}


def test_the_former_names_of_settings_are_read():
    assert helpers.competition_facts("multilabel", **FORMER_LISTS) == helpers.competition_facts("multilabel", **LISTS)
    assert with_former_names(LISTS, FACTS) == FORMER_LISTS
    assert with_current_names(FORMER_LISTS, FACTS) == LISTS


@pytest.mark.parametrize("section", ["labels", "submission"])
def test_a_layout_under_both_names_is_refused(section):
    both = {section: {**LISTS[section], "shape": "lists"}}
    with pytest.raises(ValueError, match=f"'{section}.shape' is the former name of '{section}.layout': remove one"):
        helpers.competition_facts("multilabel", **{**LISTS, **both})


@pytest.mark.parametrize(
    ("existing", "found"),
    [
        ([], "timing.json"),
        (["log.json"], "log.json"),
        (["timing.json"], "timing.json"),
        (["log.json", "timing.json"], "timing.json"),
    ],
)
def test_current_or_former_prefers_the_current_name(tmp_path, existing, found):
    for name in existing:
        (tmp_path / name).touch()
    assert current_or_former(tmp_path, "timing.json") == tmp_path / found


def test_keys_of_nested_objects_are_renamed_in_their_order():
    names = {"count": "n", "score": {"low": "from"}}
    former = {"n": 1, "score": {"from": 0, "high": 1}, "from": 2}
    current = {"count": 1, "score": {"low": 0, "high": 1}, "from": 2}
    assert list(with_current_names(former, names).items()) == list(current.items())
    assert list(with_former_names(current, names).items()) == list(former.items())
    assert with_current_names({"score": None}, names) == with_former_names({"score": None}, names) == {"score": None}


def test_the_former_values_of_settings_are_read():
    former = {"source": {"kind": "kaggle-dataset", "slug": "a/b"}, "upload": "local"}
    former["folds"] = {"method": "stratified-group"}
    former["labels"] = {"targets": ["target"], "repeated": "any", "part": "subset"}
    current = {"source": {"kind": "kaggle_dataset", "slug": "a/b"}, "upload": "none"}
    current["folds"] = {"method": "stratified_group"}
    current["labels"] = {"targets": ["target"], "repeated": "max", "split": "subset"}
    assert helpers.competition_facts("binary", **former) == helpers.competition_facts("binary", **current)
    assert with_former_names(current, FACTS) == former
    assert with_current_names(former, FACTS) == with_current_names(current, FACTS) == current
    assert with_current_names({"upload": ["local"], "source": None}, FACTS) == {"upload": ["local"], "source": None}


def tables(names):
    """Yields a table of former names, and those in it."""
    yield names
    for former in names.values():
        if isinstance(former, dict):
            yield from tables(former)


@pytest.mark.parametrize(
    "name", [name for name, value in vars(earlier_versions).items() if isinstance(value, dict) and name.isupper()]
)
def test_a_former_name_stands_for_one_current_name_and_is_none_itself(name):
    for table in tables(getattr(earlier_versions, name)):
        former = [value for value in table.values() if isinstance(value, str)]
        assert len(set(former)) == len(former)
        assert not set(former) & set(table)
