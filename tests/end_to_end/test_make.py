"""The make targets, run on small data from a folder with a space in its name."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

from medfold.cli import app
from medfold.terminal.command_text import BY_MAKE
from tests.support import histology as histology_data
from tests.support.chest_xrays import chest
from tests.support.helpers import REPOSITORY
from tests.support.make_targets import argument_printer, make, succeed

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def test_help_names_every_target(shared_clone):
    said = succeed(shared_clone)
    makefile = (REPOSITORY / "Makefile").read_text().replace("\\\n", "")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split()
    assert {"new", "prepare", "predict", "export", "recheck"} <= set(targets)
    for target in targets:
        assert f"make {target} " in said


def test_help_names_the_defaults_of_the_program(shared_clone):
    named = dict(re.findall(r"([A-Z]+)=(\S+?)\.?(?= |\n)", re.search(r"Defaults: .*\n", succeed(shared_clone))[0]))
    options = {option.name: option for option in get_command(app).commands["train"].params}
    names = {"COMPETITION": "competition", "RECIPE": "recipe", "FOLD": "fold", "SEEDS": "seeds"}
    assert named == {name: options[option].default for name, option in names.items()}


RUN = "--competition small"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("doctor", "doctor --competition small"),
        ("demo", "demo"),
        ("new FROM=there", "new --competition small --from there"),
        ("download FROM=there FORCE=1", "download --competition small --from there --force"),
        ("download FILES=*.csv", "download --competition small --files *.csv"),
        ("prepare RECIPE=other SET=tta=false", "prepare --competition small --recipe other --set tta=false"),
        ("data DELETE=raw YES=1", "data --competition small --delete raw --yes"),
        ("recipe RECIPE=gpu SET=tta=false JSON=1", "recipe --competition small --recipe gpu --set tta=false --json"),
        ("folds FORCE=1", "folds --competition small --force"),
        ("train", f"train {RUN}"),
        (
            "train FOLD=0 RUN=mine JOBS=2 WORKERS=1 ON=kaggle",
            f"train {RUN} --fold 0 --run mine --jobs 2 --workers 1 --on kaggle",
        ),
        ("train TRACK=mlflow", f"train {RUN} --track mlflow"),
        ("train ON=ray ADDRESS=10.0.0.1:6379", f"train {RUN} --on ray --address 10.0.0.1:6379"),
        ("train RECIPE=gpu SEEDS=3", f"train {RUN} --recipe gpu --seeds 3"),
        ("runs", "runs --competition small"),
        ("compare RUNS=a", "compare --competition small --runs a"),
        ("ensemble RUNS=a PER_CLASS=1", "ensemble --competition small --runs a --per-class"),
        ("submit RUNS=a METHOD=rank DRY_RUN=1", f"submit {RUN} --runs a --method rank --dry-run"),
        ("submit RECIPE=gpu FORCE=1", f"submit {RUN} --recipe gpu --force"),
        ("notebook RUNS=a", f"notebook {RUN} --runs a"),
        ("report PER_CLASS=1", f"report {RUN} --per-class"),
        ("scores", "scores --competition small"),
        ("recheck RUNS=a", "recheck --competition small --runs a"),
        ("predict IMAGES=there EXPLAIN=1 OUT=here", f"predict {RUN} --images there --out here --explain"),
        ("export RUN=a FOLD=1 OUT=here", "export --competition small --run a --fold 1 --out here"),
        ("clean-kaggle YES=1", "clean-kaggle --yes"),
        ("train DEBUG=1", f"--debug train {RUN}"),
    ],
)
def test_make_variables_become_options_of_the_command(shared_clone, tmp_path, words, command):
    variables = ["COMPETITION=small", f"PYTHON={argument_printer(tmp_path)}"]
    said = subprocess.run(
        ["make", "-C", str(shared_clone), "--no-print-directory", *words.split(), *variables],
        capture_output=True,
        check=True,
    ).stdout
    assert json.loads(said.splitlines()[-1]) == ["-m", "medfold", *command.split()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "train FOLDZ=0",
            "medfold: make train has no variable FOLDZ= (did you mean FOLD=?). Variables: ADDRESS, COMPETITION, FOLD, ",
        ),
        ("runs competition=small", "medfold: make runs has no variable competition= (did you mean COMPETITION=?)"),
        ("demo RECIPE=baseline", "medfold: make demo has no variable RECIPE=. It has no variables"),
        ("folds SET=tta=false", "medfold: make folds has no variable SET=."),
        ("folds small", "medfold: no target 'small' (did you mean COMPETITION=small?). make help lists all targets"),
        ("train debug", "medfold: no target 'debug' (did you mean RECIPE=debug?). make help lists all targets"),
        ("trian", "medfold: no target 'trian' (did you mean 'train'?). make help lists all targets"),
        ("data DELETE=raw YES=0", "medfold: YES=0: expected 1. Leave YES out for no"),
        ("folds FORCE=no", "medfold: FORCE=no: expected 1. Leave FORCE out for no"),
    ],
)
def test_unknown_make_variables_targets_and_flags_are_refused_at_once(shared_clone, words, message):
    result = make(shared_clone, *words.split())
    assert result.returncode == 2
    assert result.stderr.startswith(message)
    assert not result.stdout
    assert not (shared_clone / "data").exists()


@pytest.mark.parametrize(("name", "value"), [("YES", "0"), ("FORCE", "true")])
def test_flag_of_the_environment_is_on_with_1_only(shared_clone, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    result = make(shared_clone, "folds" if name == "FORCE" else "data")
    assert (result.returncode, result.stderr.splitlines()[0]) == (
        2,
        f"medfold: {name}={value}: expected 1. Leave {name} out for no",
    )


@pytest.mark.parametrize("name", ["COMPETITION", "RECIPE", "FOLD", "SEEDS"])
def test_empty_variable_is_not_the_default(shared_clone, name):
    result = make(shared_clone, "train", f"{name}=")
    assert result.returncode == 2
    assert f"medfold: {name}" in result.stderr


def test_export_of_all_folds_is_refused(shared_clone):
    assert "FOLD=all: expected the number of one fold" in make(shared_clone, "export", "FOLD=all").stderr


@pytest.mark.slow
def test_variables_of_environment_and_other_targets_are_accepted(clone, monkeypatch):
    monkeypatch.setenv("FOLDZ", "1")
    assert "no run yet" in make(clone, "runs", "COMPETITION=small").stderr
    assert "no DRY_RUN" not in make(clone, "runs", "submit", "COMPETITION=small", "DRY_RUN=1").stderr


@pytest.mark.slow
def test_three_targets_give_a_valid_submission_from_one_fold(clone):
    words = ["COMPETITION=small"]
    assert "images" in succeed(clone, "download", *words)
    assert "covers 1 of 3 folds" in succeed(clone, "train", *words, "FOLD=0")
    said = succeed(clone, "submit", *words)
    assert "covers 1 of 3 folds" in said
    (file,) = (clone / "submissions" / "small").glob("*.csv")
    sample = pd.read_csv(clone / "data" / "small" / "raw" / "sample_submission.csv")
    written = pd.read_csv(file)
    assert written["id"].tolist() == sample["id"].tolist()
    assert written["target"].between(0, 1).all()
    assert json.loads(file.with_suffix(".json").read_text())["score"]["trained_folds"] == [0]
    assert "the same predictions are already in" in succeed(clone, "submit", *words)
    assert succeed(clone, "recheck", *words).count("recomputed: identical") == 2


@pytest.mark.slow
def test_training_missing_folds_gives_another_submission(clone):
    words = ["COMPETITION=small"]
    succeed(clone, "train", *words, "FOLD=0")
    succeed(clone, "submit", *words)
    assert "folds 1, 2\n" in succeed(clone, "train", *words)  # the missing ones
    assert "all 3 folds" in succeed(clone, "submit", *words)
    assert len(pd.read_csv(clone / "submissions" / "ledger.csv")) == 2
    assert "the same predictions are already in" in succeed(clone, "submit", *words)
    assert succeed(clone, "recheck", *words).count("recomputed: identical") == 3


WORDS = ["COMPETITION=small"]
BOTH = "RUNS=baseline baseline-s1"


@pytest.mark.slow
def test_runs_are_listed_compared_and_combined(clone_with_two_runs):
    listed = succeed(clone_with_two_runs, "runs", *WORDS)
    assert "baseline-s1" in listed
    assert "seed=1" in listed
    assert "verdict" in succeed(clone_with_two_runs, "compare", *WORDS, BOTH)
    said = succeed(clone_with_two_runs, "ensemble", *WORDS, BOTH, "METHOD=geometric")
    assert 'make submit COMPETITION=small RUNS="baseline baseline-s1" METHOD=geometric' in said
    succeed(clone_with_two_runs, "submit", *WORDS, BOTH, "METHOD=geometric")
    (file,) = (clone_with_two_runs / "submissions" / "small").glob("*.json")
    assert json.loads(file.read_text())["score"]["ensemble"]["method"] == "geometric"


@pytest.mark.slow
def test_comparison_of_one_run_is_refused(clone_with_two_runs):
    refused = make(clone_with_two_runs, "compare", *WORDS, "RUNS=baseline")
    assert refused.returncode == 2
    assert "expected two runs, received 1" in refused.stderr


@pytest.mark.slow
def test_run_is_reported_and_predictions_are_explained(clone_with_two_runs):
    folder = clone_with_two_runs / "runs" / "small" / "baseline"
    assert "runs/small/baseline/report.html" in succeed(clone_with_two_runs, "report", *WORDS)
    page = (folder / "report.html").read_text()
    assert "make train COMPETITION=small RECIPE=baseline SEEDS=0" in page
    assert "Grad-CAM" in page
    test_images = clone_with_two_runs / "data" / "small" / "raw" / "test"
    succeed(clone_with_two_runs, "predict", *WORDS, f"IMAGES={test_images}", "EXPLAIN=1")
    assert len(list((folder / "predictions").glob("*test-explained/*.png"))) == len(list(test_images.iterdir())) > 30


@pytest.mark.slow
def test_new_competition_is_drafted_then_prepared(clone, tmp_path):
    folder = tmp_path / "as shipped"
    histology, _ = histology_data.histology(train=30, test=10)
    for name, data in histology.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    said = succeed(clone, "new", "COMPETITION=tissue", f"FROM={folder}")
    assert "score.metric: fill it in" in said
    refused = make(clone, "prepare", "COMPETITION=tissue")
    assert refused.returncode == 2
    assert "'score.metric': not filled in yet" in refused.stderr
    facts = clone / "competition" / "tissue" / "competition.yaml"
    facts.write_text(facts.read_text().replace("metric: #", "metric: auc #"))
    assert "40 images at 96x96 px" in succeed(clone, "prepare", "COMPETITION=tissue")
    assert "kept" not in succeed(clone, "folds", "COMPETITION=tissue")
    assert "complete:" in succeed(clone, "prepare", "COMPETITION=tissue")


@pytest.mark.slow
def test_variables_with_spaces_reach_the_command(clone):
    said = succeed(clone, "train", "COMPETITION=small", "FOLD=0", "SEEDS=0 2", "SET=training.epochs=1 tta=false")
    runs = sorted(path.name for path in (clone / "runs" / "small").iterdir() if path.is_dir())
    assert len(runs) == 2
    assert "1 epoch, " in said
    blended = succeed(clone, "submit", "COMPETITION=small", f"RUNS={' '.join(runs)}", "FORCE=1")
    assert "covers 1 of 3 folds" in blended


def test_user_error_prints_one_line_and_make_fails(shared_clone):
    result = make(shared_clone, "train", "COMPETITION=smal")
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert lines == [
        (
            "medfold: COMPETITION=smal: unknown competition (did you mean 'small'?). All are "
            "folders of competition/. To add it: make new COMPETITION=smal"
        )
    ]


@pytest.mark.slow
def test_command_and_options_are_spelled_as_they_were_typed(clone):
    line = "medfold: FOLD=9: there is no fold 9. Choose 0 to 2, or all\n"
    assert line in make(clone, "train", "COMPETITION=small", "FOLD=9").stderr
    environment = {name: value for name, value in os.environ.items() if name != BY_MAKE}
    environment["PYTHONPATH"] = str(clone / "src")
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    said = f"small: no run yet. Run: {python} -m medfold train --competition small"
    command = [sys.executable, "-m", "medfold", "runs", "-c", "small"]
    typed = subprocess.run(command, cwd=clone, capture_output=True, text=True, env=environment)
    assert (typed.returncode, typed.stderr) == (2, f"medfold: {said}\n")


def tiny_run():
    return ["RUN=tiny", "SET=backbone.width=4 training.epochs=1 preparation.size=16"]


@pytest.mark.slow
def test_given_array_file_is_trained_and_scored(clone, tmp_path):
    """A small file in the layout of MedMNIST, with another MD5 than the official one."""
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", 1080), ("val", 120), ("test", 400)):
        labels = rng.integers(0, 5, count).astype(np.uint8)
        images = rng.integers(0, 50, (count, 28, 28, 3), dtype=np.uint8) + (labels * 40)[:, None, None, None]
        content[f"{part}_images"], content[f"{part}_labels"] = images.astype(np.uint8), labels
    np.savez(tmp_path / "some file.npz", **content)
    words = ["COMPETITION=retinamnist"]
    assert "not that of the official file" in succeed(clone, "download", *words, f"FROM={tmp_path / 'some file.npz'}")
    succeed(clone, "train", *words, "FOLD=1", *tiny_run())
    said = succeed(clone, "submit", *words, "RUNS=tiny", "FORCE=1")  # the net may be no better than chance
    assert "this submission" in said
    assert "Google AutoML Vision" in said
    assert "accuracy" in said


@pytest.mark.slow
def test_archive_of_class_folders_is_trained_and_scored(clone, tmp_path):
    chest(tmp_path / "chest_xray")
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "chest_xray").rglob("*.jpeg")):
            file.write(path, path.relative_to(tmp_path))
        file.writestr("__MACOSX/chest_xray/train/NORMAL/._IM-0-0000.jpeg", b"")
    facts = clone / "competition" / "chest-xray-pneumonia" / "competition.yaml"
    facts.write_text(facts.read_text().replace("{train: 5216, test: 640}", "{train: 101, test: 16}"))
    words = ["COMPETITION=chest-xray-pneumonia"]
    said = succeed(clone, "download", *words, f"FROM={archive}")
    assert "is a second copy inside the first" in said
    folds = succeed(clone, "folds", *words)
    assert "exact duplicates in train" in folds
    assert "IM-0-0000" in folds
    table = pd.read_csv(clone / "folds" / "chest-xray-pneumonia.csv").set_index("id")
    assert table.loc["IM-0-0000", "group"] == table.loc["IM-99-0001", "group"] == table.loc["IM-0-0001", "group"]
    succeed(clone, "train", *words, "FOLD=0", *tiny_run())
    assert "test score" in succeed(clone, "submit", *words, "RUNS=tiny", "FORCE=1")
    # The same data, given as a folder.
    again = succeed(clone, "download", *words, f"FROM={tmp_path / 'chest_xray'}", "FORCE=1")
    assert "101 training and 16 test images" in again


@pytest.mark.slow
def test_installed_package_finds_the_project_from_a_subfolder(clone, tmp_path):
    """Installed by pip into another folder, and run from a subfolder of the project."""
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    shutil.copy(REPOSITORY / "README.md", clone)
    shutil.copy(REPOSITORY / "LICENSE", clone)
    subprocess.run([*command, "--target", str(target), str(clone)], check=True, capture_output=True)
    result = subprocess.run(
        [sys.executable, "-m", "medfold", "folds", "-c", "small"],
        cwd=clone / "competition" / "small",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(target)},
    )
    assert result.returncode == 0, result.stderr
    assert (clone / "folds" / "small.csv").is_file()
