"""Whether folds, labels and images are those that a run was trained on."""

import cv2
import pytest

from medfold.competition import Competition
from medfold.data import load_samples, make_dataset, open_source
from medfold.runs.checks.same_data import (
    check_same_images,
    check_same_labels,
    has_same_folds,
    has_same_labels,
    images_fingerprints,
    labels_fingerprint,
    open_run_on_current_folds,
)
from medfold.runs.run import Run
from medfold.runs.trained_run import TrainedRun
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import read_csv, write_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def run(folded):
    finished_run(folded, "one")
    return TrainedRun.open(folded, "one")


def test_order_and_line_ends_of_the_folds_table_do_not_matter(folded, run):
    head, *rows = folded.paths.folds_table.read_text().splitlines()
    for lines, end in ((sorted(rows, reverse=True), "\n"), (rows, "\r\n")):
        folded.paths.folds_table.write_bytes(end.join([head, *lines, ""]).encode())
        assert has_same_folds(folded, run.metadata)
    start, fold = rows[0].rsplit(",", 1)
    folded.paths.folds_table.write_text("\n".join([head, *rows[1:], f"{start},{(int(fold) + 1) % 3}", ""]))
    assert not has_same_folds(folded, run.metadata)
    folded.paths.folds_table.unlink()
    assert not has_same_folds(folded, run.metadata)


def test_earlier_versions_recorded_the_hash_of_the_folds_file(folded, run):
    former = run.metadata.model_copy(update={"folds_fingerprint": sha256(folded.paths.folds_table)})
    assert has_same_folds(folded, former)


def test_run_on_other_folds_is_not_opened(folded, run):
    assert open_run_on_current_folds(folded, "one").trained_folds == [0, 1, 2]
    recorded = json_files.read(run.paths.metadata)
    json_files.write({**recorded, "folds_fingerprint": "0" * 16}, run.paths.metadata, sealed=True)
    what = (
        "runs/small/one: the run was trained on a different folds table. Train it again under another name: make train"
    )
    with refused(f"{what} .* Or restore its folds/small.csv from git"):
        open_run_on_current_folds(folded, "one")
    kept = folded.paths.older_folds("0" * 16)
    kept.touch()
    with refused(f"{what} .* Or restore its folds: copy folds/{kept.name} to folds/small.csv, and the .json"):
        open_run_on_current_folds(folded, "one")


def relabelled(competition):
    """Flips some training labels, and reads the samples again; returns the competition."""
    path = competition.paths.raw / "train.csv"
    table = read_csv(path, target=str)
    table.loc[:2, "target"] = table.loc[:2, "target"].map({"0": "1", "1": "0"})
    write_csv(table, path)
    open_source(competition).write_manifest()
    again = Competition.open(competition.paths.name)
    load_samples(again)
    return again


def test_other_labels_are_noticed(folded, run):
    before = labels_fingerprint(folded)
    check_same_labels(folded, run, before)
    today = relabelled(folded)
    assert labels_fingerprint(today) not in (None, before)
    with refused("labels of the training set have changed since run 'one' was trained. Train it again"):
        check_same_labels(today, run, labels_fingerprint(today))


def test_labels_of_an_outdated_sample_table_are_not_known(folded, run):
    folded.paths.samples.unlink()
    assert labels_fingerprint(folded) is None
    assert has_same_labels(run.metadata, None)
    assert has_same_labels(run.metadata.model_copy(update={"labels_fingerprint": None}), "0" * 16)


def test_other_pixels_under_the_same_ids_are_noticed(folded, run):
    before, test = images_fingerprints(folded), make_dataset(folded).test
    check_same_images(folded, run, test)
    image = next(iter(sorted((folded.paths.raw / "train").iterdir())))
    assert cv2.imwrite(str(image), cv2.imread(str(image), cv2.IMREAD_GRAYSCALE)[::-1])
    open_source(folded).write_manifest()
    today = Competition.open("small")
    make_dataset(today)  # scans the changed image
    after = images_fingerprints(today)
    assert (after.train == before.train, after.test == before.test) == (False, True)
    with refused("images of the training set have changed, under the same ids, since run 'one' was trained"):
        check_same_images(today, run, test)


def test_images_without_a_fingerprint_are_taken_to_be_the_same(folded, run):
    test = make_dataset(folded).test
    former = TrainedRun(run.paths, run.metadata.model_copy(update={"images_fingerprints": None}), run.trained_folds)
    check_same_images(folded, former, test)
    with refused("the test set has changed since run 'one' was trained: 1 removed"):
        check_same_images(folded, former, test.iloc[1:])


def test_images_are_not_known_before_the_scan(small):
    load_samples(small)
    assert images_fingerprints(small) is None


def test_advice_names_a_run_that_does_not_exist_yet(folded):
    finished_run(folded, "one")
    with refused("make train .*RUN=new-name"):
        check_same_labels(folded, Run.open(folded, "one"), "0" * 16)
