"""run.json keeps what a run was started with."""

import pytest

from medfold.runs.run_json import read_run_json, write_run_json
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_written_file_is_read_with_keys_of_other_versions(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    content = {**json_files.read(paths.metadata), "gpu": "H200", "commit": None}
    del content["versions"], content["pretrained_hash"]
    json_files.write(content, paths.metadata, sealed=True)
    metadata = read_run_json(paths)
    assert (metadata.seed, metadata.commit, metadata.versions, metadata.num_folds) == (0, None, None, 3)
    write_run_json(paths, metadata)
    assert json_files.read(paths.metadata) == content


def test_invalid_run_json_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    for content, message in (("{", "run.json: not JSON, or cut off"), ("[1]", "run.json: not what medfold writes")):
        paths.metadata.write_text(content)
        with refused(message):
            read_run_json(paths)


@pytest.mark.parametrize("key", ["seed", "recipe", "folds_fingerprint", "facts.folds", "facts.images.symmetry"])
def test_run_json_without_a_key_is_refused(folded, key):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    content = parent = json_files.read(paths.metadata)
    *parents, last = key.split(".")
    for name in parents:
        parent = parent[name]
    del parent[last]
    json_files.write(content, paths.metadata, sealed=True)
    with refused(f"run.json: the value of '{key}' is missing or is not what medfold writes. Restore it from a backup"):
        read_run_json(paths)


def test_run_json_with_fingerprints_of_other_images_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    json_files.write({**json_files.read(paths.metadata), "images_fingerprints": {"test": "0"}}, paths.metadata)
    with refused(r"run.json: the value of 'images_fingerprints.train' is missing"):
        read_run_json(paths)


def test_run_json_without_a_value_is_refused(folded):
    finished_run(folded, "noise")
    paths = folded.paths.run("noise")
    json_files.write({**json_files.read(paths.metadata), "recipe": None}, paths.metadata)
    with refused(r"run.json: the value of 'recipe' is missing or .*\. Restore it from a backup"):
        read_run_json(paths)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("basline", r"Trained so far: baseline\. Choose one of them$"),
        ("simple_cnn", r"Trained so far: baseline\. Run: make train COMPETITION=small RECIPE=simple_cnn$"),
        ("baseline-s1", r"Trained so far: baseline\. Run: make train COMPETITION=small SEEDS=1$"),
        ("baseline-96px", r"Trained so far: baseline\. Choose one of them$"),
    ],
)
def test_run_that_is_not_trained_is_one_of_a_recipe_or_mistyped(folded, name, fix):
    finished_run(folded, "baseline")
    with refused(fix):
        read_run_json(folded.paths.run(name))
