"""The kit against test sets that differ from what it saw at home."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from medfold.ensemble.predictor import PredictionLimit
from medfold.errors import UserError
from medfold.notebooks import SubmissionBundle, hidden_predictions, predict_hidden_test
from medfold.notebooks.time_budget import TimeBudget
from tests.support import kaggle_image
from tests.support.helpers import picture


@pytest.fixture
def root(given, tmp_path):
    """A tree like Kaggle's, in which the data may be changed."""
    shutil.copytree(given.project.paths.raw, tmp_path / "data")
    kaggle_image.attach(tmp_path, "new", "small", tmp_path / "data", given.folder)
    return tmp_path


def predict(given, root, hours=1.0):
    out = root / "submission.csv"
    predict_hidden_test(SubmissionBundle.open(given.folder), root / "input", out, hours)
    return out


@pytest.mark.parametrize("style", [pytest.param("old", marks=pytest.mark.slow), "new"])
def test_the_same_images_get_the_same_bytes_as_at_home(given, root, style):
    kaggle_image.attach(root, style, "small", root / "data", given.folder)
    assert predict(given, root).read_bytes() == given.submission


@pytest.mark.slow
def test_a_placeholder_becomes_whatever_is_there(given, root, capsys):
    sample = root / "data" / "sample_submission.csv"
    table = pd.read_csv(sample)
    (root / "data" / "train.csv").unlink()  # nobody looks at it
    shutil.rmtree(root / "data" / "train")

    table.head(3).to_csv(sample, index=False)
    few = pd.read_csv(predict(given, root), index_col="id")
    assert few.index.tolist() == table["id"].head(3).tolist()

    copies = [table["id"].iloc[number % len(table)] for number in range(200)]
    names = [f"hidden{number:04}" for number in range(200)]
    for name, of in zip(names, copies, strict=True):
        shutil.copy(root / "data" / "test" / f"{of}.png", root / "data" / "test" / f"{name}.png")
    pd.DataFrame({"id": names, "target": 0.5}).to_csv(sample, index=False)
    many = pd.read_csv(predict(given, root), index_col="id")
    assert many.index.tolist() == names
    home = pd.read_csv(next(given.project.paths.submissions.glob("*.csv")), index_col="id")
    np.testing.assert_allclose(many["target"], home.loc[copies, "target"], atol=1e-6)
    np.testing.assert_allclose(few["target"], home.loc[few.index, "target"], atol=1e-6)


def test_images_that_cannot_be_read_get_the_mean_of_the_training_labels(given, root, capsys):
    home = pd.read_csv(next(given.project.paths.submissions.glob("*.csv")), index_col="id")
    absent, broken, empty, small, *rest = home.index
    test = root / "data" / "test"
    (test / f"{absent}.png").unlink()
    (test / f"{broken}.png").write_bytes((test / f"{broken}.png").read_bytes()[:99])
    (test / f"{empty}.png").write_bytes(b"")
    picture(test / f"{small}.png", shape=(5, 7))
    found = pd.read_csv(predict(given, root), index_col="id")
    prior = json.loads((given.folder / "kit.json").read_text())["nothing"]
    assert found.loc[[absent, broken, empty, small], "target"].tolist() == pytest.approx(prior * 4)
    np.testing.assert_allclose(found.loc[rest, "target"], home.loc[rest, "target"], atol=1e-6)
    said = capsys.readouterr().out
    fallback = f"they get {prior[0]:.3g}, the prediction without an image"
    assert f"4 of {len(home)} test units have no readable image: {fallback}" in said
    assert f"unreadable test/{broken}.png: " in said
    assert "5x7 pixels, expected 128x128" in said


@pytest.mark.slow
def test_without_any_readable_image_there_is_a_submission_all_the_same(given, root):
    shutil.rmtree(root / "data" / "test")
    found = pd.read_csv(predict(given, root))
    assert len(found) == len(pd.read_csv(next(given.project.paths.submissions.glob("*.csv"))))
    assert found["target"].nunique() == 1


@pytest.mark.slow
def test_of_a_tight_time_budget_the_log_tells(given, root, monkeypatch, capsys):
    sample = root / "data" / "sample_submission.csv"
    names = [f"hidden{number:04}" for number in range(200)]
    for name in names:
        picture(root / "data" / "test" / f"{name}.png", shape=(128, 128))
    pd.DataFrame({"id": names, "target": 0.5}).to_csv(sample, index=False)
    every = pd.read_csv(predict(given, root))["target"]
    capsys.readouterr()

    class Hurried(TimeBudget):
        """As if the first batch had taken so long that one fold and one view are left, and the third till the end."""

        batches = 0

        def next_limit(self):
            self.batches += 1
            return [self.limit, PredictionLimit(1, 1), PredictionLimit(1, 1), None][min(self.batches, 4) - 1]

    monkeypatch.setattr(hidden_predictions, "TimeBudget", Hurried)
    hurried = pd.read_csv(predict(given, root))["target"]
    np.testing.assert_array_equal(hurried[:64], every[:64])
    assert (hurried[64:192] != every[64:192]).all()
    assert hurried[192:].nunique() == 1
    said = capsys.readouterr().out
    assert "8 images were not reached" in said
    assert "8 of 200 test units have no readable image, or were not reached: they get 0." in said


def test_no_time_at_all_still_gives_a_submission(given, root, capsys):
    found = pd.read_csv(predict(given, root, hours=0))
    assert found["target"].nunique() == 1
    assert "images were not reached in 0 s" in capsys.readouterr().out


def test_data_that_is_not_attached_is_named(given, tmp_path):
    (tmp_path / "input" / "medfold-small").mkdir(parents=True)
    with pytest.raises(UserError, match="the data of small is not attached. Attached: medfold-small"):
        predict_hidden_test(SubmissionBundle.open(given.folder), tmp_path / "input", tmp_path / "out.csv", 1)
    assert not (tmp_path / "out.csv").exists()


def test_a_kit_that_is_not_whole_is_refused(given, tmp_path):
    with pytest.raises(UserError, match=r"no kit\.json"):
        SubmissionBundle.open(tmp_path)
    shutil.copytree(given.folder, tmp_path / "kit")
    weights = tmp_path / "kit" / "baseline-fold1.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="missing or damaged: baseline-fold1"):
        SubmissionBundle.open(tmp_path / "kit")
    about = json.loads((given.folder / "kit.json").read_text())
    shutil.copy(given.folder / "baseline-fold1.h5", weights)
    (tmp_path / "kit" / "kit.json").write_text(json.dumps({**about, "packages": ["no-such-package"]}))
    with pytest.raises(UserError, match="packages are not installed: no-such-package"):
        SubmissionBundle.open(tmp_path / "kit")
