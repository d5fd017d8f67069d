"""Sections of a recipe: which values each key takes."""

import pytest
from pydantic import ValidationError

from medfold.competition import Recipe
from medfold.competition.recipe_sections import BackboneSettings, PreparationSettings, TrainingSettings

SECTIONS = {"preparation": PreparationSettings, "backbone": BackboneSettings, "training": TrainingSettings}
# Smallest and largest values of keys with bounds; None where there is no bound.
BOUNDS = [
    ("preparation", "size", 8, 2048),
    ("backbone", "width", 4, None),
    ("training", "num_images", 2, None),
    ("training", "head_epochs", 0, 100_000),
    ("training", "epochs", 0, 100_000),
    ("training", "batch_size", 1, None),
    ("training", "accumulation_steps", 1, None),
    ("training", "patience", 0, None),
]
# Keys of shares: 0 is allowed, 1 is not.
SHARES = ["warmup", "label_smoothing", "dropout", "ema_decay"]
POSITIVE = ["learning_rate", "head_learning_rate", "global_clipnorm"]
NOT_NEGATIVE = ["weight_decay", "focal_gamma", "mixup", "cutmix"]


def set_value(section: str, key: str, value: object) -> object:
    return getattr(SECTIONS[section].model_validate({key: value}), key)


@pytest.mark.parametrize("section", SECTIONS)
def test_section_of_the_recipe_has_this_schema_and_valid_defaults(section):
    schema = SECTIONS[section]
    assert Recipe.model_fields[section].annotation is schema
    defaults = schema().model_dump()
    assert schema.model_validate(defaults).model_dump() == defaults


@pytest.mark.parametrize(("section", "key", "least", "most"), BOUNDS)
def test_whole_numbers_within_bounds_are_taken(section, key, least, most):
    assert set_value(section, key, least) == least
    with pytest.raises(ValidationError, match=key):
        set_value(section, key, least - 1)
    if most is not None:
        assert set_value(section, key, most) == most
        with pytest.raises(ValidationError, match=key):
            set_value(section, key, most + 1)


@pytest.mark.parametrize("key", SHARES)
def test_shares_are_from_0_to_below_1(key):
    assert set_value("training", key, 0) == 0
    assert set_value("training", key, 0.999) == 0.999
    for wrong in (-0.001, 1):
        with pytest.raises(ValidationError, match=key):
            set_value("training", key, wrong)


@pytest.mark.parametrize(("key", "wrong"), [*((key, 0) for key in POSITIVE), *((key, -0.001) for key in NOT_NEGATIVE)])
def test_numbers_below_their_bound_are_refused(key, wrong):
    assert set_value("training", key, wrong + 0.001) == pytest.approx(wrong + 0.001)
    with pytest.raises(ValidationError, match=key):
        set_value("training", key, wrong)


@pytest.mark.parametrize(
    ("section", "key", "values"),
    [
        ("preparation", "fit", ["stretch", "pad", "crop"]),
        ("backbone", "input_scaling", ["auto", "tf", "torch", "caffe", "unit"]),
        ("backbone", "pooling", ["average", "pyramid"]),
        ("training", "sampler", ["shuffled", "balanced"]),
        ("training", "class_weights", ["none", "balanced"]),
        ("training", "precision", ["auto", "float32", "float16", "bfloat16"]),
        ("training", "keep", ["final", "best"]),
        ("training", "schedule", ["cosine", "constant"]),
        ("training", "jit_compile", ["auto", True, False]),
    ],
)
def test_keys_with_a_choice_take_no_other_value(section, key, values):
    assert [set_value(section, key, value) for value in values] == values
    with pytest.raises(ValidationError, match=key):
        set_value(section, key, "other")


@pytest.mark.parametrize(("section", "key"), [("preparation", "steps"), ("training", "callbacks")])
def test_lists_hold_names_or_names_with_arguments(section, key):
    value = ["a", {"b": {"c": 1}}]
    assert set_value(section, key, value) == value
    for wrong in (["a", 1], [{"b": 2}], "a"):
        with pytest.raises(ValidationError, match=key):
            set_value(section, key, wrong)


@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_key_is_refused(section):
    with pytest.raises(ValidationError, match="sizes"):
        SECTIONS[section].model_validate({"sizes": 1})


@pytest.mark.parametrize(
    ("settings", "keeps"),
    [({}, True), ({"fit": "pad"}, False), ({"fit": "crop"}, False), ({"steps": ["circle_crop"]}, False)],
)
def test_only_resizing_keeps_positions(settings, keeps):
    assert PreparationSettings(**settings).keeps_positions is keeps
