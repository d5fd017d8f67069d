"""Event files, as TensorBoard reads them."""

import pytest

from medfold.tracking.tensorboard_files import EVENT_FILE, destination, write
from tests.support.tracked_runs import fold_result, tracked_run, train_anew

pytest.importorskip("tensorboard", reason="TensorBoard is not installed")


@pytest.fixture
def run(folded):
    tracked_run(folded)
    return folded


def points(result) -> dict[str, list[tuple[int, float]]]:
    """Returns (step, value) of each curve, read by TensorBoard."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(destination(result) / result.name))
    events.Reload()
    tags = [tag for tag in events.Tags()["tensors"] if not tag.startswith("_")]
    return {tag: [(each.step, float(make_ndarray(each.tensor_proto))) for each in events.Tensors(tag)] for tag in tags}


def settings_and_trial(result) -> tuple[dict, str]:
    """Returns the hyperparameters, and the name of the trial that TensorBoard's page HParams puts them into."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    events = EventAccumulator(str(destination(result) / result.name))
    events.Reload()
    content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(content)
    return {key: getattr(value, value.WhichOneof("kind")) for key, value in start.hparams.items()}, start.group_name


def test_curves_have_each_epoch_once(run):
    result = fold_result(run)
    for _ in range(2):
        write(result)
    curves = points(result)
    assert curves["loss"] == [(1, 0.5), (2, 0.25), (3, pytest.approx(0.5 / 3))]
    assert curves["val_auc"] == [(2, pytest.approx(0.8)), (3, pytest.approx(0.9))]
    assert curves["auc"] == [(3, pytest.approx(result.scores["auc"]))]


def test_fold_trained_anew_replaces_the_curves(run):
    write(fold_result(run))
    train_anew(run, 0, 0.8)
    result = fold_result(run)
    write(result)
    assert [value for _, value in points(result)["loss"]] == pytest.approx([0.8, 0.4, 0.8 / 3])


def test_folds_of_a_run_are_one_trial_with_its_settings(run):
    trials = []
    for fold in (0, 1):
        result = fold_result(run, fold)
        write(result)
        settings, trial = settings_and_trial(result)
        assert settings == result.settings
        trials.append(trial)
    assert trials == ["baseline", "baseline"]


def test_equal_results_give_equal_bytes(run):
    file = destination(fold_result(run)) / "fold0" / EVENT_FILE
    contents = []
    for _ in range(2):
        write(fold_result(run))
        contents.append(file.read_bytes())
    assert contents[0] == contents[1]
    assert [path.name for path in file.parent.iterdir()] == [EVENT_FILE]
