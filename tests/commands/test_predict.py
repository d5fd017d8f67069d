"""make predict: predictions for new images by the trained folds, equal to test.csv for test images."""

import shutil

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from medfold.cli import app
from medfold.commands import predict as command
from medfold.commands.predict import predict
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Recipe
from medfold.images import overlay, prepare_image
from medfold.models import build_net
from medfold.new_images import image_predictions
from medfold.prediction import GradCam, load_net
from medfold.runs import TrainedRun
from medfold.system import hardware, json_files
from tests.support.helpers import competition_facts, picture, refused

pytestmark = pytest.mark.slow  # they train nets


@pytest.fixture
def competition(trained):
    """The small phantom with two of three folds trained."""
    shutil.rmtree(trained.paths.run("baseline").fold(2).folder)
    return trained


def test_predictions_of_test_images_equal_test_csv(competition, capsys):
    result = predict(competition, competition.paths.raw / "test").table
    folds = [pd.read_csv(competition.paths.run("baseline").fold(k).test).set_index("id")["target"] for k in (0, 1)]
    expected = (folds[0] + folds[1]) / 2
    ids = result["id"].str.removesuffix(".png")
    np.testing.assert_allclose(result["target"], expected.loc[ids], atol=1e-6)
    written = competition.paths.run("baseline").folder / "predictions" / "data__small__raw__test.csv"
    pd.testing.assert_frame_equal(pd.read_csv(written), result, atol=1e-8)
    said = capsys.readouterr().out
    assert "the mean of 2 of 3 folds" in said
    assert result["id"][0] in said
    assert f"and {len(result) - 10:,} more" in said
    assert "not for the diagnosis of patients" in said


def test_two_gpus_write_the_same_predictions(competition, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(command, "BATCH_SIZE", 16)
    monkeypatch.setattr(image_predictions, "BATCH_SIZE", 16)
    images = competition.paths.raw / "test"
    written = {}
    for gpus in ([], ["0", "1"]):
        monkeypatch.setattr(hardware, "cuda_devices", lambda gpus=gpus: gpus)
        written[len(gpus)] = predict(competition, images, out=tmp_path / f"{len(gpus)}.csv").file.read_bytes()
        assert ("predict    2 GPUs, a process for each" in capfd.readouterr().out) == bool(gpus)
    assert written[0] == written[2]


def test_folders_of_equal_name_get_separate_prediction_files(competition, tmp_path):
    for site in ("siteA", "siteB"):
        (tmp_path / site / "images").mkdir(parents=True)
        shutil.copy(next((competition.paths.raw / "test").iterdir()), tmp_path / site / "images")
        predict(competition, tmp_path / site / "images")
    names = sorted(path.name for path in competition.paths.run("baseline").predictions.glob("*.csv"))
    assert len(names) == 2
    for site, name in zip(("siteA", "siteB"), names, strict=True):
        assert name.endswith(f"__{site}__images.csv")


def test_single_image_of_another_format_is_predicted_into_out(competition, tmp_path):
    source = sorted((competition.paths.raw / "test").iterdir())[0]
    cv2.imwrite(str(tmp_path / "new image.tif"), cv2.imread(str(source), cv2.IMREAD_GRAYSCALE))
    one = predict(competition, tmp_path / "new image.tif", out=tmp_path / "out" / "mine.csv").table
    whole = predict(competition, competition.paths.raw / "test").table.set_index("id")
    assert one["target"][0] == pytest.approx(whole.loc[source.name, "target"], abs=1e-6)
    assert pd.read_csv(tmp_path / "out" / "mine.csv")["id"].tolist() == ["new image.tif"]


def test_unreadable_images_are_left_out_and_named(competition, tmp_path, capsys):
    new = tmp_path / "new images"
    for image in sorted((competition.paths.raw / "test").iterdir())[:2]:
        (new / "deep").mkdir(parents=True, exist_ok=True)
        shutil.copy(image, new / "deep")
    (new / "broken.png").write_bytes(b"no picture")
    (new / "notes.txt").write_text("no image")
    result = predict(competition, new).table
    assert len(result) == 2
    assert result["id"].str.startswith("deep/").all()
    assert "left out: broken.png: unreadable image" in capsys.readouterr().out


def test_predict_without_usable_images_or_run_is_refused(competition, tmp_path):
    new = tmp_path / "new images"
    new.mkdir()
    with refused("no such file or folder"):
        predict(competition, tmp_path / "nowhere")
    with refused(r": contains no images .*It is empty"):
        predict(competition, new)
    (new / "broken.png").write_bytes(b"no picture")
    with refused(r"none of 1 image can be read; broken.png: unreadable"):
        predict(competition, new)
    with refused("run 'other' is not trained"):
        predict(competition, new, ["other"])


RECIPE = Recipe(preparation={"size": 16}, backbone={"width": 4})


def load_nets(competition) -> list:
    folds = [competition.paths.run("baseline").fold(k).weights for k in (0, 1)]
    return [load_net(competition.facts, RECIPE, weights) for weights in folds]


def read_heat_map(folder, name: str) -> np.ndarray:
    return cv2.imread(str(folder / name))[..., ::-1]


def mean_map(trained: list, pixels: np.ndarray, column: int, size: tuple[int, int]) -> np.ndarray:
    prepared = prepare_image(pixels, RECIPE.preparation)[None]
    maps = [GradCam(net)(prepared, np.array([column]))[0] for net in trained]
    return np.mean([cv2.resize(each, size) for each in maps], axis=0)


def copy_run_with_preparation(competition, name: str, **preparation) -> None:
    """Adds a run with the weights of `baseline` and another preparation."""
    before, now = competition.paths.run("baseline").folder, competition.paths.run(name).folder
    shutil.copytree(before, now)
    metadata = json_files.read(now / "run.json")
    metadata["recipe"]["preparation"] |= preparation
    json_files.write(metadata, now / "run.json", sealed=True)


def test_explain_overlays_the_mean_heat_map_of_all_folds(competition, tmp_path, capsys):
    wide = picture(tmp_path / "in" / "deep" / "wide.png", 1, (350, 700))
    small = picture(tmp_path / "in" / "small.png", 2, (40, 20))
    out = tmp_path / "out" / "mine.csv"
    plain = predict(competition, tmp_path / "in", out=out).table
    assert [path.name for path in out.parent.iterdir()] == ["mine.csv"]
    with refused("mine.csv: exists already"):  # nothing of the user's is written over
        predict(competition, tmp_path / "in", out=out, explain=True)
    out.with_name("other-explained").mkdir()
    with refused("other-explained: exists already"):
        predict(competition, tmp_path / "in", out=out.with_name("other.csv"), explain=True)
    out.unlink()
    capsys.readouterr()
    result = predict(competition, tmp_path / "in", out=out, explain=True).table
    pd.testing.assert_frame_equal(result, plain)
    folder = out.parent / "mine-explained"
    assert sorted(path.name for path in folder.iterdir()) == ["deep__wide.png.png", "small.png.png"]
    trained = load_nets(competition)
    grey = small[..., None]
    np.testing.assert_allclose(
        read_heat_map(folder, "small.png.png").astype(int), overlay(grey, mean_map(trained, grey, 0, (20, 40))), atol=1
    )
    heat = mean_map(trained, wide[..., None], 0, (512, 256))
    shrunk = cv2.resize(wide, (512, 256), interpolation=cv2.INTER_AREA)[..., None]
    np.testing.assert_allclose(read_heat_map(folder, "deep__wide.png.png").astype(int), overlay(shrunk, heat), atol=1)
    said = capsys.readouterr().out.splitlines()
    line = next(line for line in said if line.startswith("explain"))
    assert "2 heat maps for 'target', by Grad-CAM -> " in line
    assert line.endswith("mine-explained")
    assert said[-1].strip() == "For research and competitions, not for the diagnosis of patients."


def test_explain_shows_prepared_images_where_preparation_moves_pixels(competition, tmp_path):
    copy_run_with_preparation(competition, "padded", fit="pad")
    pixels = picture(tmp_path / "in" / "a.png", 3, (60, 30))[..., None]
    predict(competition, tmp_path / "in", ["padded"], tmp_path / "out.csv", explain=True)
    prepared = prepare_image(pixels, Recipe(preparation={"size": 16, "fit": "pad"}).preparation)
    found = read_heat_map(tmp_path / "out-explained", "a.png.png")
    heat = mean_map(load_nets(competition), prepared, 0, (16, 16))
    np.testing.assert_allclose(found.astype(int), overlay(prepared, heat), atol=1)
    with refused(r"EXPLAIN=1: baseline and padded use different parts .* Explain them one by"):
        predict(competition, tmp_path / "in", ["baseline", "padded"], tmp_path / "b.csv", explain=True)
    assert not (tmp_path / "b.csv").exists()
    # A run named twice counts once.
    predict(competition, tmp_path / "in", ["padded", "padded"], tmp_path / "c.csv", explain=True)
    np.testing.assert_array_equal(read_heat_map(tmp_path / "c-explained", "a.png.png"), found)


def test_explain_shows_the_most_probable_class(competition, tmp_path, monkeypatch, capsys):
    keras.utils.set_random_seed(0)
    three = competition_facts("multiclass")
    net = build_net(three, RECIPE)
    net.get_layer("head").set_weights([np.random.default_rng(0).standard_normal((32, 3)), np.array([0.0, 900, 0])])
    monkeypatch.setattr(TrainedRun, "weights_files", ["one fold"])
    monkeypatch.setattr("medfold.prediction.load_net", lambda *_: net)
    pixels = picture(tmp_path / "a.png", 4, (16, 16))[..., None]
    monkeypatch.setattr(command, "shared_facts", lambda competition, runs: three)
    result = predict(competition, tmp_path / "a.png", out=tmp_path / "p.csv", explain=True).table
    assert result["1"][0] > 0.9
    found = read_heat_map(tmp_path / "p-explained", "a.png.png").astype(int)
    explained = [overlay(pixels, mean_map([net], pixels, column, (16, 16))).astype(int) for column in range(3)]
    assert [np.abs(each - found).max() <= 1 for each in explained] == [False, True, False]
    assert "1 heat map for the most probable answer, by Grad-CAM" in capsys.readouterr().out


def test_explain_option_is_passed_to_predict(competition, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "predict", lambda *given: asked.append(given[1:]))
    for words in ([], ["--explain"]):
        CliRunner().invoke(app, ["predict", "-c", "small", "--images", "a", *words], catch_exceptions=False)
    assert [given[-1] for given in asked] == [False, True]


def test_predict_equals_submission_for_the_same_images(competition, capsys):
    train(competition, seeds=[1], folds=[0, 1])
    submit(competition, run_names=["baseline", "baseline-s1"], method="geometric", force=True)
    (file,) = competition.paths.submissions.glob("*.csv")
    submitted = pd.read_csv(file).set_index("id")["target"]
    capsys.readouterr()
    result = predict(competition, competition.paths.raw / "test", ["baseline", "baseline-s1"]).table
    assert "combined as in a submission: geometric mean" in capsys.readouterr().out
    found = result.set_index(result["id"].str.removesuffix(".png"))["target"]
    np.testing.assert_allclose(found.loc[submitted.index], submitted, atol=1e-6)
    assert (found - found.round(2)).abs().max() > 0
    folds = [competition.paths.run(run).fold(number) for run in ("baseline", "baseline-s1") for number in (0, 1)]
    mean = pd.concat([pd.read_csv(fold.test) for fold in folds])
    assert (mean.groupby("id")["target"].mean().loc[submitted.index] - submitted).abs().max() > 1e-5
