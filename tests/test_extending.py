"""The examples of docs/extending.md, joined into one plugins.py: from raw data to the notebook's bundle."""

import re
import subprocess
import sys

import pandas as pd
import pytest

from medfold import plugins
from medfold.cli.opening import open_competition
from medfold.commands.download import download
from medfold.commands.ensemble import ensemble
from medfold.commands.notebook import notebook
from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.images.store import image_plugins
from medfold.system import json_files
from tests.support import kaggle_image
from tests.support.helpers import REPOSITORY, refused

FACTS = """
title: Drawn by plugins
source: {kind: drawn, images: 40}
url: https://www.kaggle.com/competitions/drawn
upload: notebook
task: binary
labels: {layout: names, targets: [target], group_pattern: "[0-9]+"}
images: {train: "train/{id}.pixels", test: "test/{id}.pixels", channels: 1, symmetry: none}
score: {metric: youden, more_metrics: [auc]}
submission: {sample: sample_submission.csv}
folds: {k: 2, seed: 0, method: stratified_group}
"""
RECIPE = """
preparation: {size: 16, steps: [{invert: {top: 255}}]}
backbone: {name: two_convolutions, width: 8}
augment: none
training:
  epochs: 30
  batch_size: 8
  learning_rate: 0.03
  loss: squared_error
  callbacks: [{Counting: {file: "{folder}/epochs.txt"}}]
"""


def examples() -> str:
    """The Python blocks of the page, joined."""
    text = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
    return "\n\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))


@pytest.fixture
def plugin_project(project_folder):
    """The project of a competition that consists of plugins."""
    folder = project_folder / "competition" / "drawn"
    folder.mkdir()
    (folder / "competition.yaml").write_text(FACTS)
    (folder / "baseline.yaml").write_text(RECIPE)
    (folder / "plugins.py").write_text(examples())
    with open_competition("drawn") as competition:
        yield competition


@pytest.mark.slow
def test_documented_plugins_train_submit_and_predict_in_notebook(plugin_project, tmp_path, capsys):
    competition = plugin_project
    download(competition)
    train(competition, jobs=2, trackers=["score_files"])
    train(competition, seeds=[1])
    run = competition.paths.run("baseline")
    score = json_files.read(run.score)
    assert score["value"] > 0.9
    assert f"youden {score['value']}\n" in (run.folder / "oof.txt").read_text()
    epochs = (run.fold(0).folder / "epochs.txt").read_text().splitlines()
    assert [line.split()[0] for line in epochs] == [str(epoch) for epoch in range(30)]
    assert "plugins_hash" in json_files.read(run.metadata)
    ensemble(competition, ["baseline", "baseline-s1"])
    submit(competition, run_names=["baseline", "baseline-s1"], method="median", dry_run=True)
    said = capsys.readouterr().out
    assert "median" in said
    (file,) = competition.paths.submissions.glob("*.csv")
    assert len(pd.read_csv(file)) == 40
    recheck(competition)
    assert "metrics of plugins.py are not recomputed" in capsys.readouterr().out

    packed = notebook(competition, ["baseline", "baseline-s1"], method="median")
    assert (packed.folder / "plugins.py").read_text() == examples()
    kaggle_image.attach(tmp_path / "kaggle", "new", "drawn", competition.paths.raw, packed.folder)
    script = (
        "from medfold.notebooks import SubmissionBundle, predict_hidden_test\n"
        f"bundle = SubmissionBundle.open({str(packed.folder)!r})\n"
        f"predict_hidden_test(bundle, {str(tmp_path / 'kaggle' / 'input')!r}, {str(tmp_path / 'out.csv')!r}, 1)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == file.read_bytes()

    plugins = competition.paths.plugins
    plugins.write_text(plugins.read_text() + "\n# changed\n")
    message = r"this run was started differently: .*plugins\.py has changed"
    with open_competition("drawn") as again, refused(message):
        train(again)


def test_error_in_plugins_names_its_type_and_line(plugin_project):
    plugins = plugin_project.paths.plugins
    for text, message in (
        ("import nothing_of_that_name", r"plugins\.py: ModuleNotFoundError in line 1: .*Correct the code there"),
        ("\n\nx = 1 / 0", r"plugins\.py: ZeroDivisionError in line 3: division by zero"),
        ("x = (", r"plugins\.py: SyntaxError in line 1"),
        ("from medfold.plugins import metric\n\n@metric('AUC')\ndef auc(t, p): pass", "metric 'auc' exists already"),
    ):
        plugins.write_text(text)
        with refused(message) as caught, open_competition("drawn"):
            pass
        assert "\n" not in str(caught.value)


def test_plugins_are_not_run_if_all_names_are_built_in(project_folder):
    (project_folder / "competition" / "small" / "plugins.py").write_text("raise SystemExit('it was run')")
    with open_competition("small") as competition:
        images = competition.facts.images
        assert image_plugins(images, competition.paths) == {}
        pixels = images.model_copy(update={"train": ["train/{id}.pixels"]})
        assert set(image_plugins(pixels, competition.paths)) == {"plugins"}


def test_page_has_an_example_of_every_decorator():
    for decorator in (
        *("metric", "backbone", "loss", "preparation_step", "callback", "ensemble_method", "transform_step"),
        *("image_format", "label_layout", "source", "tracker"),
    ):
        assert re.search(rf"^@{decorator}\b", examples(), flags=re.MULTILINE), decorator


def test_a_former_name_of_a_decorator_is_still_imported():
    assert plugins.prediction_map is plugins.transform_step
