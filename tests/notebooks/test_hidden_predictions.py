"""Predictions of the hidden test set: other images than locally, unreadable ones, and a time budget."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.images import read_batches
from medfold.new_images import TimeBudget, image_predictions
from medfold.new_images.ensemble_predictor import PredictionLimit
from medfold.notebooks import SubmissionBundle, hidden_predictions, predict_hidden_test
from medfold.prediction import Predictor, load_net
from medfold.system import hardware
from tests.support import kaggle_image
from tests.support.helpers import picture, refused


@pytest.fixture
def root(packed_project, tmp_path):
    """A folder laid out like /kaggle, whose data a test may change."""
    shutil.copytree(packed_project.competition.paths.raw, tmp_path / "data")
    kaggle_image.attach(tmp_path, "new", "small", tmp_path / "data", packed_project.folder)
    return tmp_path


def predict(packed_project, root, hours=1.0):
    out = root / "submission.csv"
    predict_hidden_test(SubmissionBundle.open(packed_project.folder), root / "input", out, hours)
    return out


@pytest.mark.parametrize("mount_style", [pytest.param("old", marks=pytest.mark.slow), "new"])
def test_submission_equals_the_local_one(packed_project, root, mount_style):
    kaggle_image.attach(root, mount_style, "small", root / "data", packed_project.folder)
    assert predict(packed_project, root).read_bytes() == packed_project.submission


@pytest.mark.slow
def test_two_gpus_write_the_same_submission(packed_project, root, monkeypatch, capfd):
    monkeypatch.setattr(image_predictions, "BATCH_SIZE", 8)
    unreadable = sorted((root / "data" / "test").glob("*.png"))[3]
    unreadable.write_bytes(b"no picture")
    monkeypatch.setattr(hardware, "cuda_devices", list)
    expected = predict(packed_project, root).read_bytes()
    assert "GPUs" not in capfd.readouterr().out
    monkeypatch.setattr(hardware, "cuda_devices", lambda: ["0", "1"])
    assert predict(packed_project, root).read_bytes() == expected
    assert "predict    2 GPUs, a process for each" in capfd.readouterr().out


@pytest.mark.slow
def test_hidden_test_set_replaces_placeholder_sample(packed_project, root):
    sample = root / "data" / "sample_submission.csv"
    table = pd.read_csv(sample)
    (root / "data" / "train.csv").unlink()  # not needed for predictions
    shutil.rmtree(root / "data" / "train")

    table.head(3).to_csv(sample, index=False)
    few = pd.read_csv(predict(packed_project, root), index_col="id")
    assert few.index.tolist() == table["id"].head(3).tolist()

    copies = [table["id"].iloc[number % len(table)] for number in range(200)]
    names = [f"hidden{number:04}" for number in range(200)]
    for name, of in zip(names, copies, strict=True):
        shutil.copy(root / "data" / "test" / f"{of}.png", root / "data" / "test" / f"{name}.png")
    pd.DataFrame({"id": names, "target": 0.5}).to_csv(sample, index=False)
    many = pd.read_csv(predict(packed_project, root), index_col="id")
    assert many.index.tolist() == names
    local_predictions = pd.read_csv(next(packed_project.competition.paths.submissions.glob("*.csv")), index_col="id")
    np.testing.assert_allclose(many["target"], local_predictions.loc[copies, "target"], atol=1e-6)
    np.testing.assert_allclose(few["target"], local_predictions.loc[few.index, "target"], atol=1e-6)


def test_unreadable_images_get_training_prior(packed_project, root, capsys):
    local_predictions = pd.read_csv(next(packed_project.competition.paths.submissions.glob("*.csv")), index_col="id")
    absent, broken, empty, small, *rest = local_predictions.index
    test = root / "data" / "test"
    (test / f"{absent}.png").unlink()
    (test / f"{broken}.png").write_bytes((test / f"{broken}.png").read_bytes()[:99])
    (test / f"{empty}.png").write_bytes(b"")
    picture(test / f"{small}.png", shape=(5, 7))
    found = pd.read_csv(predict(packed_project, root), index_col="id")
    prior = json.loads((packed_project.folder / "kit.json").read_text())["fallback"]
    assert found.loc[[absent, broken, empty, small], "target"].tolist() == pytest.approx(prior * 4)
    np.testing.assert_allclose(found.loc[rest, "target"], local_predictions.loc[rest, "target"], atol=1e-6)
    output = capsys.readouterr().out
    fallback = f"they get {prior[0]:.3g}, the prediction without an image"
    assert f"4 of {len(local_predictions)} test units have no readable image: {fallback}" in output
    assert f"unreadable test/{broken}.png: " in output
    assert "5x7 pixels, expected 128x128" in output


@pytest.mark.slow
def test_submission_is_written_without_any_readable_image(packed_project, root):
    shutil.rmtree(root / "data" / "test")
    found = pd.read_csv(predict(packed_project, root))
    assert len(found) == len(pd.read_csv(next(packed_project.competition.paths.submissions.glob("*.csv"))))
    assert found["target"].nunique() == 1


def predict_with_one_fold_and_view(packed_project, root, image_paths):
    """Returns the predictions of images by the first fold of the packed run, each image unchanged."""
    bundle = SubmissionBundle.open(packed_project.folder)
    (run,) = bundle.members
    preparation = run.recipe.preparation
    ((_, (pixels,), _),) = read_batches(root, image_paths, bundle.facts.images, [preparation], len(image_paths))
    net = load_net(bundle.facts, run.recipe, run.weights_files[0])
    return Predictor(net, "none", tta=False)(pixels, np.arange(len(pixels)))[:, 0]


@pytest.mark.slow
def test_tight_time_budget_skips_images_and_logs_it(packed_project, root, monkeypatch, capsys):
    sample = root / "data" / "sample_submission.csv"
    names = [f"hidden{number:04}" for number in range(200)]
    for number, name in enumerate(names):
        picture(root / "data" / "test" / f"{name}.png", seed=number, shape=(128, 128))
    pd.DataFrame({"id": names, "target": 0.5}).to_csv(sample, index=False)
    in_full = pd.read_csv(predict(packed_project, root))["target"]
    capsys.readouterr()

    class Hurried(TimeBudget):
        """A budget that allows one fold and one view after the first batch, and nothing after the third."""

        batches = 0

        def next_limit(self):
            self.batches += 1
            return [self.limit, PredictionLimit(1, 1), PredictionLimit(1, 1), None][min(self.batches, 4) - 1]

    monkeypatch.setattr(hidden_predictions, "TimeBudget", Hurried)
    hurried = pd.read_csv(predict(packed_project, root))["target"]
    np.testing.assert_array_equal(hurried[:64], in_full[:64])
    later = [f"test/{name}.png" for name in names[64:192]]
    expected = predict_with_one_fold_and_view(packed_project, root / "data", later)
    np.testing.assert_allclose(hurried[64:192], expected, rtol=0, atol=1e-6)
    assert (hurried[64:192] != in_full[64:192]).all()
    assert hurried[192:].nunique() == 1
    output = capsys.readouterr().out
    assert "8 images were not reached" in output
    assert "8 of 200 test units have no readable image, or were not reached: they get 0." in output


def test_time_for_reading_the_data_is_taken_off_the_budget(packed_project, root, monkeypatch):
    clock = iter([100.0, 130.0])
    monkeypatch.setattr(hidden_predictions, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    class BegunError(Exception):
        pass

    def begin(seconds_left, *arguments, **options):
        raise BegunError(seconds_left)

    monkeypatch.setattr(hidden_predictions, "TimeBudget", begin)
    with pytest.raises(BegunError, match="^3570.0$"):
        predict(packed_project, root, hours=1)


@pytest.mark.slow
def test_zero_time_budget_still_writes_submission(packed_project, root, capsys):
    found = pd.read_csv(predict(packed_project, root, hours=0))
    assert found["target"].nunique() == 1
    assert "images were not reached in 0 s" in capsys.readouterr().out


def test_unattached_data_raises_with_its_name(packed_project, tmp_path):
    (tmp_path / "input" / "medfold-small").mkdir(parents=True)
    with refused("the data of small is not attached. Add it .* It has: medfold-small"):
        predict_hidden_test(SubmissionBundle.open(packed_project.folder), tmp_path / "input", tmp_path / "out.csv", 1)
    assert not (tmp_path / "out.csv").exists()
