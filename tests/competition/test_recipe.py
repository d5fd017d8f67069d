"""A recipe without folders of this machine, and its identity."""

import pytest

from medfold.competition.recipe import Recipe
from medfold.earlier_versions import RECIPE, with_former_names
from medfold.system.hashes import fingerprint


def test_the_identity_of_a_recipe_is_that_of_earlier_versions():
    former = {"num_images": 4, "compile": True, "accumulate": 2, "ema": 0.5, "clip_norm": 2.0}
    changed = Recipe.model_validate({"training": former})
    assert (changed.training.accumulation_steps, changed.training.global_clipnorm) == (2, 2.0)
    assert (changed.training.ema_decay, changed.training.jit_compile) == (0.5, True)
    identities = [with_former_names(each.portable(), RECIPE) for each in (changed, Recipe())]
    assert [fingerprint(identity) for identity in identities] == ["ee0ff12f1ed8f579", "eefb4ec774d78a34"]


@pytest.mark.parametrize(("former", "current"), [("classes", "classification"), ("cut_points", "ordinal")])
def test_the_former_names_of_heads_are_read(former, current):
    assert Recipe.model_validate({"head": former}).head == current
    assert Recipe(head=current).fingerprint_input()["head"] == former


def test_portable_recipe_has_no_local_folders():
    kept = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": "/home/alice/net.h5"}})
    portable = Recipe.model_validate(kept.portable()).model_dump(mode="json")
    assert portable == {**kept.model_dump(mode="json"), "backbone": portable["backbone"]}
    assert kept.portable()["backbone"]["weights"] == "net.h5"
    for word in ("none", "imagenet"):
        same = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": word}})
        assert Recipe.model_validate(same.portable()) == same
    changed = Recipe.model_validate({"training": {"schedule": "constant"}})
    assert changed.portable()["training"]["schedule"] == "constant"
    added = {"schedule", "callbacks", "jit_compile", "deterministic", "check_memorised"}
    assert not added & set(same.portable()["training"])
