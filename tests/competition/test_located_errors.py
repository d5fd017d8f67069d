"""Errors in the value of a key: the file with the key."""

from pathlib import Path

import pytest

from medfold.competition import Competition, setting_errors_located
from medfold.errors import MissingFileError, SettingError, UserError
from tests.support.helpers import refused
from tests.support.small_project import SMALL, add_competition

FACTS, RECIPE = "competition/small/competition.yaml", "competition/small/baseline.yaml"


@pytest.mark.parametrize(
    ("key", "overrides", "where"),
    [
        ("labels.group", {}, f"{FACTS}: 'labels.group'"),
        ("images.windows", {}, f"{FACTS}: 'images.windows'"),
        ("images.train", {"preparation": {"size": 9}}, f"{FACTS}: 'images.train'"),
        ("preparation.steps", {}, f"{RECIPE}: 'preparation.steps'"),
        ("preparation.steps", {"preparation": {"steps": ["x"]}}, "SET: 'preparation.steps'"),
        ("preparation.size", {"preparation": {"steps": ["x"]}}, f"{RECIPE}: 'preparation.size'"),
        ("augment", {}, f"{RECIPE}: 'augment'"),
        ("augment", {"augment": ["x"]}, "SET: 'augment'"),
        ("backbone", {"backbone": {"name": "x"}}, "SET: 'backbone'"),
    ],
)
def test_errors_name_the_file_with_the_key(small, key, overrides, where):
    with pytest.raises(UserError) as caught, setting_errors_located(small.paths, "baseline", overrides):
        raise SettingError("wrong", key, "Correct it")
    assert str(caught.value).replace("\\", "/") == f"{where}: wrong. Correct it"


def test_the_item_of_a_list_is_named(small):
    match = "baseline.yaml: 'preparation.steps', clahe: wrong. Correct it"
    with refused(match), setting_errors_located(small.paths, "baseline"):
        raise SettingError("wrong", "preparation.steps", "Correct it", "clahe")


def test_the_key_of_a_missing_file_is_located(small):
    match = r"competition.yaml: 'labels.file': train.csv: no such file \(did you mean 'trian.csv'\?\). Check it"
    with refused(match), setting_errors_located(small.paths):
        raise MissingFileError(Path("train.csv"), "Check it", "labels.file", " (did you mean 'trian.csv'?)")
    with (
        pytest.raises(MissingFileError, match=r"^train.csv: no such file. Check it$"),
        setting_errors_located(small.paths),
    ):
        raise MissingFileError(Path("train.csv"), "Check it")


def test_shared_recipes_are_named_by_their_file(small):
    match = r"_base.simple_cnn.yaml: 'augment': wrong"
    with refused(match), setting_errors_located(small.paths, "simple_cnn"):
        raise SettingError("wrong", "augment")


@pytest.mark.parametrize("key", ["training.loss", "elsewhere.key"])
def test_keys_of_unknown_files_stay_as_they_are(small, key):
    with pytest.raises(SettingError, match=f"^{key}: wrong"), setting_errors_located(small.paths):
        raise SettingError("wrong", key)


def test_variants_are_named_with_their_file(project_folder):
    add_competition(project_folder, "many", SMALL + "\nvariants: {one: {title: One}, two: {title: Two}}\n")
    match = r"many.competition.yaml, two: 'labels.id': wrong"
    with refused(match), setting_errors_located(Competition.open("two").paths):
        raise SettingError("wrong", "labels.id")


def test_key_of_extended_facts_is_located_in_their_file(project_folder):
    own = [line for line in SMALL.splitlines() if not line.startswith("score:")]
    (project_folder / "competition" / "_base" / "lung_facts.yaml").write_text("score: {metric: auc}\n")
    add_competition(project_folder, "extending", "\n".join(["extends: lung_facts", *own]))
    match = r"^competition/_base/lung_facts\.yaml: 'score\.metric': wrong"
    with refused(match), setting_errors_located(Competition.open("extending").paths):
        raise SettingError("wrong", "score.metric")
