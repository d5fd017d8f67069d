"""make prepare: the image store, and unreadable images."""

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.prepare import prepare
from medfold.commands.submit import submit
from medfold.competition import preparation_settings
from medfold.images import store_exists, store_key
from medfold.system.hashes import sha256
from medfold.tables import read_csv, write_csv
from tests.support.finished_runs import constant_run
from tests.support.helpers import refused


def make_unreadable(small, part, row):
    """Makes an image unreadable and returns its id."""
    download(small)
    table = read_csv(small.paths.samples)
    victim = table[table["part"] == part].iloc[row]
    (small.paths.raw / victim["image"]).write_bytes(b"not a picture")
    manifest = read_csv(small.paths.raw_manifest)
    path = small.paths.raw / victim["image"]
    mine = manifest["file"] == victim["image"]
    manifest.loc[mine, ["bytes", "sha256"]] = [path.stat().st_size, sha256(path)]
    write_csv(manifest, small.paths.raw_manifest)
    return victim["id"]


def test_prepare_skips_a_complete_store_unless_forced(small, capsys):
    prepare(small, overrides={"preparation": {"size": 24}})
    said = capsys.readouterr().out
    count = len(pd.read_csv(small.paths.samples))
    assert f"prepare    {count} images at 24x24 px -> data/small/store/" in said
    prepare(small, overrides={"preparation": {"size": 24}})
    assert "complete: data/small/store/" in capsys.readouterr().out
    prepare(small, overrides={"preparation": {"size": 24}}, force=True)
    assert f"{count} images at 24x24" in capsys.readouterr().out


def test_prepare_of_a_complete_store_names_unreadable_images_again(small, capsys):
    make_unreadable(small, "test", 3)
    for _ in range(2):
        prepare(small)
        assert "1 test image cannot be read" in capsys.readouterr().out


def test_make_folds_prepares_the_images_of_the_recipe(small):
    choices = preparation_settings(small, "baseline")
    make_folds(small, preparation=choices)
    assert store_exists(small.paths, store_key(small, choices))
    with refused(r"unknown recipe \(did you mean 'baseline'\?\)"):
        preparation_settings(small, "baselin")
    (small.paths.folder / "baseline.yaml").unlink()
    assert preparation_settings(small, "baseline") is None


@pytest.mark.slow
def test_unreadable_test_image_gets_the_label_mean(small, capsys):
    id = make_unreadable(small, "test", 3)
    dataset = make_folds(small)
    said = capsys.readouterr().out
    assert "1 test image cannot be read: left out of training; a test image among them gets the mean" in said
    assert "not a picture" in said
    assert id not in set(dataset.test["id"])
    constant_run(small)
    submit(small, run_names=["constant"], force=True)
    assert f"1 of {len(dataset.test_groups)} test units have no readable image" in capsys.readouterr().out
    (file,) = small.paths.submissions.glob("*.csv")
    written = read_csv(file).set_index("id")["target"]
    assert written[id] == pytest.approx(dataset.targets.mean())
    assert len(written) == len(dataset.test) + 1


@pytest.mark.slow
def test_unreadable_training_image_is_left_out_of_folds(small):
    everything = make_folds(small).train
    id = make_unreadable(small, "train", 5)
    dataset = make_folds(small)
    assert set(everything["id"]) - set(dataset.train["id"]) == {id}
    table = read_csv(small.paths.folds_table)
    write_csv(table[table["id"] != dataset.train["id"].iloc[0]], small.paths.folds_table)
    with refused("1 id differs from the data"):
        make_folds(small)
