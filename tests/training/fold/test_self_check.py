"""The self-check: finds what went wrong in a training, and nothing in a good one."""

from dataclasses import replace

import numpy as np
import pytest

from medfold.paths import FoldPaths
from medfold.system import json_files
from medfold.training import FoldInputs
from medfold.training.fold.self_check import SelfCheckInput, self_check
from medfold.training.fold.train_fold import train_fold
from tests.support.helpers import competition_facts
from tests.support.small_tasks import task


def trained_fold(kind: str = "binary", num_images: int = 200, **changes) -> SelfCheckInput:
    """A fold whose training went well."""
    rng = np.random.default_rng(0)
    facts = competition_facts(kind, **({"score": {"metric": "accuracy"}} if kind == "multiclass" else {}))
    columns = len(facts.prediction_columns)
    targets = rng.integers(0, max(columns, 2), num_images)
    labels = np.eye(max(columns, 2))[targets]
    logits = 3 * labels + rng.standard_normal(labels.shape)
    predictions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if columns == 1:
        predictions, labels = predictions[:, 1:], labels[:, 1:]
    training_outputs = np.clip(predictions[:32] + rng.normal(0, 0.05, (32, columns)), 0, 1)
    made = {
        "predictions": predictions,
        "prior": labels.mean(axis=0),
        "losses": np.array([0.69, 0.5, 0.4]),
        "training_outputs": training_outputs,
        "inference_outputs": predictions[:32],
        "drawn_counts": np.bincount(targets),
        "expected_shares": np.bincount(targets) / num_images,
    }
    return SelfCheckInput(**{"facts": facts, "targets": targets, "groups": np.arange(num_images), **made, **changes})


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_good_fold_is_not_suspicious(kind):
    assert self_check(trained_fold(kind)) == []


def test_nearly_constant_predictions_are_suspicious():
    found = self_check(trained_fold(predictions=np.full((200, 1), 0.5) + 1e-5 * np.arange(200)[:, None] % 2))
    assert found[0].startswith("predictions hardly vary: their standard deviation over 200 predictions is")


def test_score_with_interval_below_chance_is_suspicious():
    good = trained_fold()
    (suspicion,) = self_check(
        replace(good, predictions=1 - good.predictions, training_outputs=good.training_outputs[:0])
    )
    assert suspicion.startswith("AUC 0.0")
    assert suspicion.endswith("is no better than chance, 0.5000")
    noise = np.random.default_rng(1).random((200, 1))
    assert self_check(replace(good, predictions=noise)) == []  # the interval includes chance
    loss = competition_facts(score={"metric": "log_loss"})
    (suspicion,) = self_check(replace(good, facts=loss, predictions=np.clip(1 - good.predictions, 0.01, 0.99)))
    assert "log loss" in suspicion
    assert "no better than chance, 0.687" in suspicion


def test_loss_that_does_not_fall_is_suspicious():
    (suspicion,) = self_check(trained_fold(losses=np.array([0.6931, 0.6929, 0.701])))
    assert suspicion == "the loss did not go down: 0.6931 after epoch 1, lowest 0.6929 in 3 epochs"


def test_never_predicted_class_is_suspicious_unless_rare():
    good = trained_fold("multiclass")
    without = good.predictions * (1, 0, 1)
    (suspicion,) = self_check(replace(good, predictions=without))
    assert suspicion == f"never predicted: 1 (about {200 * good.prior[1]:.0f} expected)"
    rare = np.array([0.5, 0.02, 0.48])
    assert self_check(replace(good, predictions=without, prior=rare)) == []
    assert self_check(trained_fold(predictions=0.4 * trained_fold().predictions)) == []  # AUC needs no decisions


@pytest.mark.parametrize("in_inference", [lambda outputs: np.full((32, 1), 0.5), lambda outputs: 0.7 + 0.3 * outputs])
def test_differing_training_and_inference_outputs_are_suspicious(in_inference):
    good = trained_fold()
    (suspicion,) = self_check(replace(good, inference_outputs=in_inference(good.training_outputs)))
    assert suspicion.startswith("predictions change by ")
    assert suspicion.endswith("between training and inference mode; a larger training.batch_size may help")


def test_unexpected_class_shares_are_suspicious():
    facts = competition_facts(classes=["normal", "tumour"])
    unbalanced = trained_fold(facts=facts, drawn_counts=np.array([180, 20]), expected_shares=np.array([0.5, 0.5]))
    assert self_check(unbalanced) == ["class normal was drawn in 90.0% of the draws, expected 50.0%"]


@pytest.mark.slow
def test_suspicions_are_printed_and_saved(tmp_path, capsys):
    paths = FoldPaths(tmp_path / "fold0")
    made = task(epochs=3, learning_rate=1e-12, ema_decay=0, dropout=0, label_smoothing=0)
    train_fold(FoldInputs(made, 0, paths))
    saved = json_files.read(paths.self_check_warnings)
    assert any("the loss did not go down" in suspicion for suspicion in saved)
    assert "fold 0     SUSPICIOUS: the loss did not go down" in capsys.readouterr().out
    # A fold that was trained on another machine brings all files that its marker names.
    assert paths.self_check_warnings.name in json_files.read(paths.trained_marker)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("choices", [{"sampler": "balanced"}, {"mixup": 0.2}, {"dropout": 0.5}])
def test_good_trainings_are_not_suspicious(tmp_path, choices, kind):
    paths = FoldPaths(tmp_path / kind)
    train_fold(FoldInputs(task(kind, epochs=8, **choices), 0, paths))
    assert json_files.read(paths.self_check_warnings) == []
