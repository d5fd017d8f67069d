"""Every preset, from its look-alike to folds, store and a checked submission of a constant predictor."""

import shutil

import numpy as np
import pandas as pd
import pytest

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition import Competition, preparation_settings
from medfold.data import make_dataset, read_sample_submission
from medfold.images import load_store, prepare_image, read_image, store_key
from medfold.paths import ProjectPaths
from tests.lookalikes import LOOKALIKES, ODDITIES
from tests.support.finished_runs import constant_run
from tests.support.helpers import NoLeaderboard, slow_but_first
from tests.support.small_project import copy_project

EACH_TIME = "siim-isic-melanoma-classification"  # the other presets are slow ones
ALL = slow_but_first(EACH_TIME, *(name for name in [*LOOKALIKES, *ODDITIES] if name != EACH_TIME))


@pytest.fixture
def prepared(lookalike, once) -> Competition:
    """The look-alike with its folds and the store of its baseline recipe, made once; only to be read."""
    name = lookalike.competition.paths.name

    def make(folder):
        shutil.copytree(lookalike.competition.project_paths.root, folder, dirs_exist_ok=True)
        competition = Competition.open(name, ProjectPaths(folder))
        make_dataset(competition, preparation=preparation_settings(competition, "baseline"))

    return Competition.open(name, ProjectPaths(once(f"prepared {name}", make)))


@pytest.fixture
def competition(prepared, tmp_path, monkeypatch) -> Competition:
    """A copy of the prepared project, to be changed; nothing is uploaded."""
    copy_project(prepared.project_paths.root, tmp_path, monkeypatch)
    if prepared.facts.upload != "none":
        monkeypatch.setattr("medfold.commands.submit.leaderboard_of", NoLeaderboard.of)
    return Competition.open(prepared.paths.name)


@pytest.mark.slow
@pytest.mark.parametrize("lookalike", ALL, indirect=True)
def test_folds_hold_all_samples_and_keep_groups_and_duplicates_together(lookalike, prepared):
    dataset = make_dataset(prepared)
    assert sorted(dataset.train["id"]) == sorted(lookalike.part("train")["id"])
    assert dataset.train.groupby("group")["fold"].nunique().max() == 1
    assert set(dataset.train["fold"]) == set(range(prepared.facts.folds.k))
    for ids in lookalike.truth.get("duplicates", []):
        assert dataset.train.set_index("id").loc[list(ids), "group"].nunique() == 1


@pytest.mark.parametrize("lookalike", ALL, indirect=True)
def test_store_holds_the_prepared_image_of_every_sample(lookalike, prepared):
    facts, paths, truth = prepared.facts, prepared.paths, lookalike.truth
    choices = preparation_settings(prepared, "baseline")
    opened = load_store(paths, store_key(prepared, choices))
    assert set(opened.rows.index) == set(lookalike.table["id"])
    assert not paths.unreadable_images.exists()
    for id in lookalike.table["id"].iloc[:: max(1, len(lookalike.table) // 5)]:
        pixels = read_image(paths.raw_root(facts.images.root), truth["images"][id], facts.images)
        assert (opened.pixels[opened.rows[id]] == prepare_image(pixels, choices)).all()
        assert pixels.std() > 5  # not blank


@pytest.mark.slow
@pytest.mark.parametrize("lookalike", ALL, indirect=True)
def test_constant_predictor_gives_a_checked_submission(lookalike, competition):
    facts, truth = competition.facts, lookalike.truth
    constant_run(competition)
    submit(competition, run_names=["constant"], force=True)  # a constant is no better than chance
    recheck(competition)
    (file,) = competition.paths.submissions.glob("*.csv")
    written = pd.read_csv(file, dtype=str, keep_default_na=False)
    sample = read_sample_submission(facts, competition.paths)
    assert list(written.columns) == list(sample.columns)
    units = truth["units"] or lookalike.part("test")["id"].tolist()
    expected = units
    if facts.submission.layout == "long":
        assert set(written[truth["id_column"]]) == {f"{unit}_{label}" for unit in units for label in truth["targets"]}
        expected = sample[truth["id_column"]].tolist()
    assert written[truth["id_column"]].tolist() == expected
    values = written.drop(columns=truth["id_column"])
    if facts.submission.layout != "lists" and values.shape[1] == len(facts.prediction_columns):
        assert np.isfinite(values.astype(float)).all(axis=None)
    assert values.nunique().max() <= (len(truth["targets"]) if facts.submission.layout == "long" else 1)
