"""Dataset of a competition: samples that it leaves out, its folds, the sample submission that it must fit."""

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.competition import Competition
from medfold.data import load_samples, open_source
from medfold.data.dataset import make_dataset
from tests.support.helpers import picture, refused, replaced
from tests.support.holdouts import FACTS
from tests.support.small_project import add_competition


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ("id,a,b\nt0,1,2\n", "submission.layout: the sample submission has the columns a, b; task binary needs"),
        (
            "id,sick\nt0,0.5\nt1,0.5\n",
            "^submission: 1 id missing: t1; the sample submission has 2 ids, each once. Check images.test, ",
        ),
    ],
)
def test_unfitting_sample_submission_raises_before_training(project_folder, tmp_path, sample, message):
    given = tmp_path / "given"
    for number in range(12):
        picture(given / ("yes" if number % 2 else "no") / f"{number:02}.png", seed=number)
    picture(given / "test" / "t0.png", seed=99)
    (given / "sample.csv").write_text(sample)
    facts = replaced(
        FACTS, (", holdout: 0.3", ""), ('train: "{label}/{id}.png"', 'train: "{label}/{id}.png", test: "test/{id}.png"')
    )
    add_competition(project_folder, "fits", facts + "submission: {sample: sample.csv}\n")
    competition = Competition.open("fits")
    download(competition, path=given)
    with refused(message):
        make_folds(competition)


def test_images_of_one_value_are_not_duplicates(project_folder, tmp_path, capsys):
    given = tmp_path / "given"
    for number in range(40):
        path = given / ("yes" if number % 8 < 4 else "no") / f"p{number // 4}_{number}.png"
        picture(path, seed=number)
        if number % 4 == 0:
            cv2.imwrite(str(path), np.zeros((12, 10), np.uint8))
    grouped = replaced(FACTS, ("k: 3, duplicates: exact", "k: 3, method: stratified_group, duplicates: near"))
    grouped = replaced(grouped, ("holdout: 0.3", 'holdout: 0.3, group_pattern: "p[0-9]+"'))
    add_competition(project_folder, "air", grouped)
    competition = Competition.open("air")
    download(competition, path=given)
    dataset = make_folds(competition)
    assert (len(dataset.train) + len(dataset.test), dataset.train["group"].nunique()) == (40, 7)
    assert (dataset.leaks.duplicates, dataset.leaks.near_duplicates, dataset.leaks.duplicates_in_test) == ([], [], [])
    aired = sum(dataset.train["id"].str.extract(r"_(\d+)$")[0].astype(int) % 4 == 0)
    told = " ".join(capsys.readouterr().out.split())
    assert f"images of one value {aired}, which are not copies of each other: " in told


def test_unreadable_training_images_are_left_out_and_listed(small):
    table = load_samples(small)
    damaged = table[table["part"] == "train"].iloc[3]
    (small.paths.raw / damaged["image"]).write_bytes(b"no image")
    open_source(small).write_manifest()
    facts = small.facts.model_copy(update={"images": small.facts.images.model_copy(update={"max_unreadable": 0.1})})
    dataset = make_dataset(Competition(small.project_paths, small.paths, facts))
    assert dataset.unreadable["id"].tolist() == [damaged["id"]]
    assert damaged["id"] not in set(dataset.train["id"])
    assert len(dataset.train) == len(dataset.targets) == sum(table["part"] == "train") - 1


def test_second_call_reads_the_folds_of_the_first(small):
    first, second = make_dataset(small), make_dataset(small)
    assert (first.has_new_folds, second.has_new_folds) == (True, False)
    pd.testing.assert_frame_equal(first.train, second.train)


@pytest.mark.parametrize(("group", "pattern"), [("patient_id", None), (None, "[a-z]+_[0-9a-f]{2}")])
def test_stratified_folds_of_grouped_samples_are_refused(small, group, pattern):
    labels = small.facts.labels.model_copy(update={"group": group, "group_pattern": pattern})
    folds = small.facts.folds.model_copy(update={"method": "stratified"})
    facts = small.facts.model_copy(update={"labels": labels, "folds": folds})
    key = "labels.group" if group else "labels.group_pattern"
    with refused(f"'folds.method': method stratified would split the groups .* or remove {key}$"):
        make_dataset(Competition(small.project_paths, small.paths, facts))


def test_folds_that_split_a_group_are_refused(folded):
    table = pd.read_csv(folded.paths.folds_table)
    (row, *_) = table.index[table["group"].duplicated(keep=False)]
    table.loc[row, "fold"] = (table.loc[row, "fold"] + 1) % folded.facts.folds.k
    table.to_csv(folded.paths.folds_table, index=False)
    group = table.loc[row, "group"]
    with refused(rf"small\.csv: 1 group is in two folds: {group}\. Run: make folds COMPETITION=small FORCE=1"):
        make_dataset(folded)
