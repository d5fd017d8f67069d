"""Variants of a competition: their names, and the facts that they share."""

import pytest

from medfold.paths.variants import split_variants, variant_names
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("title: x\nvariants:\n  one: {title: One}\n  two:\n", ["one", "two"]),
        ("title: x\nvariants:\n  ../one: {}\n  two: {}\n", ["two"]),
        ("title: x\n", []),
        ("title: x\nvariants: [one]\n", []),
        ("title: x\nvariants:\n  one: {title\n", []),
        ("- x\nvariants:\n", []),
    ],
)
def test_names_are_those_that_a_competition_may_have(tmp_path, text, names):
    (tmp_path / "competition.yaml").write_text(text)
    assert variant_names(tmp_path / "competition.yaml") == names


def test_shared_facts_are_divided_from_those_of_the_variants(tmp_path):
    variants = {"one": {"title": "One"}}
    assert split_variants({"task": "binary", "variants": variants}, tmp_path) == ({"task": "binary"}, variants)
    assert split_variants({"task": "binary"}, tmp_path) == ({"task": "binary"}, {})


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (["one"], "'variants': expected a section for each variant"),
        ({"one": None}, "'variants': expected a section for each variant"),
        ({"a/b": {}}, "'variants': 'a/b' cannot be the name of a competition"),
    ],
)
def test_faulty_variants_are_refused(tmp_path, variants, message):
    with refused(message):
        split_variants({"variants": variants}, tmp_path)
