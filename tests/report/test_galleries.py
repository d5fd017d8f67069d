"""Choice of the images shown in the galleries."""

import numpy as np
import pytest

from medfold.report.galleries import NUM_SHOWN, choose_units

TITLES = ["Confident and correct", "Worst mistakes", "Closest to the threshold"]
COUNT, COLUMNS = 120, 4


def drawn(task: str) -> tuple[np.ndarray, np.ndarray]:
    """Draws targets and informative predictions."""
    rng = np.random.default_rng(3)
    if task == "multiclass":
        targets = rng.integers(0, COLUMNS, COUNT)
        scores = rng.random((COUNT, COLUMNS)) ** 2 + 0.3 * np.eye(COLUMNS)[targets]
        return targets, scores / scores.sum(axis=1, keepdims=True)
    targets = rng.integers(0, 2, (COUNT, COLUMNS if task == "multilabel" else 1))
    predictions = 1 / (1 + np.exp(-3 * (2 * targets - 1) - 3 * rng.standard_normal(targets.shape)))
    return (targets[:, 0] if task == "binary" else targets), predictions


def confidence_and_correctness(task: str, targets, predictions, choice) -> tuple[np.ndarray, np.ndarray]:
    """Returns confidence and correctness of the chosen images."""
    confidence, right = [], []
    for row, column in zip(choice.rows, choice.columns, strict=True):
        p = predictions[row, column]
        if task == "multiclass":
            assert column == predictions[row].argmax()
            confidence.append(p)
            right.append(column == targets[row])
        else:
            truth = targets[row] if task == "binary" else targets[row, column]
            confidence.append(max(p, 1 - p))
            right.append((p > 0.5) == (truth == 1))
    return np.array(confidence), np.array(right)


@pytest.fixture(params=["binary", "multiclass", "multilabel"])
def task_and_predictions(request):
    return request.param, *drawn(request.param)


def test_correct_and_wrong_units_are_sorted_by_confidence(task_and_predictions):
    task, targets, predictions = task_and_predictions
    found = choose_units(targets, predictions)
    assert [choice.title for choice in found] == TITLES
    good, bad, _ = found
    for choice, wanted in ((good, True), (bad, False)):
        confidence, right = confidence_and_correctness(task, targets, predictions, choice)
        assert len(right) == NUM_SHOWN
        assert (right == wanted).all()
        assert (np.diff(confidence) <= 0).all()
        assert len(set(choice.rows.tolist())) == NUM_SHOWN
        rest = choose_units(targets, predictions, COUNT)[0 if wanted else 1]
        assert confidence_and_correctness(task, targets, predictions, rest)[0][NUM_SHOWN:].max() <= confidence[-1]


def test_most_confident_mistakes_are_shown(task_and_predictions):
    task, targets, predictions = task_and_predictions
    if task == "multiclass":
        sure, wrong = predictions.max(axis=1), predictions.argmax(axis=1) != targets
    else:
        p, truth = predictions.reshape(COUNT, -1), targets.reshape(COUNT, -1)
        sure = np.where((p > 0.5) != truth, np.maximum(p, 1 - p), -1).max(axis=1)
        wrong = sure > 0
    expected = np.sort(sure[wrong])[::-1][:NUM_SHOWN]
    bad = choose_units(targets, predictions)[1]
    np.testing.assert_allclose(confidence_and_correctness(task, targets, predictions, bad)[0], expected)


def test_units_closest_to_the_threshold_are_shown(task_and_predictions):
    task, targets, predictions = task_and_predictions
    near = choose_units(targets, predictions)[2]
    if task == "multiclass":
        top = np.sort(predictions, axis=1)
        margin = top[:, -1] - top[:, -2]
        shown = margin[near.rows]
    else:
        margin = np.abs(predictions - 0.5).min(axis=1)
        shown = np.abs(predictions[near.rows, near.columns] - 0.5)
    np.testing.assert_allclose(shown, np.sort(margin)[:NUM_SHOWN])


def test_gallery_of_mistakes_is_left_out_without_mistakes(task_and_predictions):
    task, targets, _ = task_and_predictions
    truth = np.eye(COLUMNS)[targets] if task == "multiclass" else targets.reshape(COUNT, -1)
    perfect = 0.1 + 0.8 * truth if task != "multiclass" else truth * 0.7 + 0.075
    assert [choice.title for choice in choose_units(targets, perfect)] == [TITLES[0], TITLES[2]]
    if task == "binary":
        assert [choice.title for choice in choose_units(targets, 1 - perfect)] == TITLES[1:]


@pytest.mark.parametrize("count", [1, 5, 1000])
def test_count_limits_the_galleries(task_and_predictions, count):
    _, targets, predictions = task_and_predictions
    good, bad, near = choose_units(targets, predictions, count)
    assert len(near.rows) == len(near.columns) == min(count, COUNT)
    if count < 1000:
        assert len(good.rows) == len(bad.rows) == count
    else:
        assert sorted([*good.rows, *bad.rows]) == list(range(COUNT))


def test_multilabel_units_show_their_most_extreme_label():
    targets = np.array([[1, 0], [1, 0], [0, 1]])
    predictions = np.array([[0.9, 0.45], [0.8, 0.68], [0.31, 0.95]])
    good, bad, near = choose_units(targets, predictions)
    assert (good.rows.tolist(), good.columns.tolist()) == ([2, 0], [1, 0])
    assert (bad.rows.tolist(), bad.columns.tolist()) == ([1], [1])
    assert (near.rows.tolist(), near.columns.tolist()) == ([0, 1, 2], [1, 1, 0])
