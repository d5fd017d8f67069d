"""Former names of keys of competition.yaml."""

import pytest

from medfold.competition.former_names import with_current_names, with_former_names
from tests.support import helpers

LISTS = {"labels": {"layout": "lists", "value": "v", "targets": ["a", "b"]}, "submission": {"layout": "lists"}}


FORMER_LISTS = {"labels": {"shape": "lists", "value": "v", "targets": ["a", "b"]}, "submission": {"shape": "lists"}}


def test_the_former_names_of_the_layouts_are_read():
    assert helpers.competition("multilabel", **FORMER_LISTS) == helpers.competition("multilabel", **LISTS)
    assert with_former_names(LISTS) == FORMER_LISTS
    assert with_current_names(FORMER_LISTS) == LISTS


@pytest.mark.parametrize("section", ["labels", "submission"])
def test_a_layout_under_both_names_is_refused(section):
    both = {section: {**LISTS[section], "shape": "lists"}}
    with pytest.raises(ValueError, match=f"'{section}.shape' is the former name of '{section}.layout': remove one"):
        helpers.competition("multilabel", **{**LISTS, **both})
