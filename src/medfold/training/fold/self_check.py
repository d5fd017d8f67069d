"""Self-check of a trained fold: signs that a training went wrong although it ended without an error."""

from dataclasses import dataclass

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.scoring import aggregate, bootstrap_interval, chance_score, decide, format_score, metric_of
from medfold.text import count_of, shorten_list
from medfold.training.batches import class_balance
from medfold.training.fold.trained_net import TrainedNet
from medfold.training.fold_inputs import FoldInputs

MIN_SPREAD = 1e-3  # standard deviation below which predictions count as the same for all images
MIN_LOSS_DECREASE = 0.01  # share of the first loss; a smaller decrease may be chance
MIN_EXPECTED_IMAGES = 5  # a class with at least this many expected images must be predicted
MAX_MODE_DIFFERENCE = 0.2  # mean difference in probability between training mode and inference mode
NUM_RESAMPLES = 300  # for the interval that decides whether a score is no better than chance
NUM_TRAINING_IMAGES = 32  # number of training images whose outputs are compared
MAX_DEVIATIONS = 6.0  # standard deviations between the share drawn of a class and its expected share


@dataclass(frozen=True)
class SelfCheckInput:
    """Input of the self-check.

    Args:
        facts: facts of the competition (the metric, and the prediction columns).
        targets: int (n,) or (n, labels), the targets of the validation units.
        predictions: float (n, columns), the predictions of the validation units.
        groups: (n,), the group of each validation unit.
        prior: float (columns,), the mean of the training labels.
        losses: float (epochs,), the mean loss of each epoch.
        training_outputs: float (m, columns), outputs for some training images in training mode.
        inference_outputs: float (m, columns), outputs for the same images in inference mode.
        drawn_counts: int (k,), how often each class was drawn in an epoch.
        expected_shares: float (k,), the expected share of each class, according to the sampler.
    """

    facts: CompetitionFacts
    targets: np.ndarray
    predictions: np.ndarray
    groups: np.ndarray
    prior: np.ndarray
    losses: np.ndarray
    training_outputs: np.ndarray
    inference_outputs: np.ndarray
    drawn_counts: np.ndarray
    expected_shares: np.ndarray


def self_check_input(fold_inputs: FoldInputs, trained: TrainedNet, oof: np.ndarray) -> SelfCheckInput:
    """Collects the input of the self-check.

    Args:
        fold_inputs: the settings and data of the fold.
        trained: the trained net of the fold.
        oof: float (n, columns), the predictions of the validation images.
    """
    facts = fold_inputs.run_inputs.facts
    last_phase = trained.last_phase
    images = trained.images
    units = aggregate(facts, fold_inputs.validation["unit"].to_numpy(), fold_inputs.validation_targets, oof)
    rows = np.sort(np.random.default_rng(images.seed).permutation(images.rows)[:NUM_TRAINING_IMAGES])
    batch = np.asarray(last_phase.net_inputs[rows], np.float32)
    batch = last_phase.view_of(batch, 0) if last_phase.view_of else batch
    weights_before = trained.inference_net.get_weights()
    training_outputs = np.asarray(trained.inference_net(batch, training=True))
    trained.inference_net.set_weights(weights_before)  # undoes the update of batch normalisation by these images
    classes = class_balance.balancing_classes(facts, images.targets)
    drawn_counts = np.bincount(classes[last_phase.batches.drawn(0)[0]], minlength=classes.max() + 1)
    expected_shares = np.bincount(classes) / len(classes)
    if fold_inputs.run_inputs.recipe.training.sampler == "balanced":
        expected_shares = (expected_shares > 0) / np.count_nonzero(expected_shares)
    return SelfCheckInput(
        facts=facts,
        targets=units.targets,
        predictions=units.predictions,
        groups=fold_inputs.validation["group"].to_numpy()[units.first_rows],
        prior=class_balance.target_columns(facts, images.targets).mean(axis=0),
        losses=trained.history["loss"].to_numpy(),
        training_outputs=training_outputs,
        inference_outputs=np.asarray(trained.inference_net(batch, training=False)),
        drawn_counts=drawn_counts,
        expected_shares=expected_shares,
    )


def self_check(inputs: SelfCheckInput) -> list[str]:
    """Returns one line for each suspicious sign of a trained fold; empty if there is none.

    Args:
        inputs: predictions, losses and outputs of the fold, from `self_check_input`.
    """
    return [line for check in CHECKS if (line := check(inputs))]


def _predictions_hardly_vary(inputs: SelfCheckInput) -> str:
    """Returns a line if all images get about the same prediction."""
    spread = float(np.max(np.std(inputs.predictions, axis=0), initial=0))
    if len(inputs.predictions) < 2 or spread >= MIN_SPREAD:
        return ""
    return (
        "predictions hardly vary: their standard deviation over "
        f"{count_of(len(inputs.predictions), 'prediction')} is {spread:.1g}"
    )


def _no_better_than_chance(inputs: SelfCheckInput) -> str:
    """Returns a line if the interval of the score contains no score above chance."""
    metric = metric_of(inputs.facts)
    chance = chance_score(inputs.facts, inputs.targets, inputs.prior)
    low, high = bootstrap_interval(metric, inputs.targets, inputs.predictions, inputs.groups, NUM_RESAMPLES)
    best = high if metric.higher_is_better else low
    if np.isnan(best) or np.isnan(chance) or metric.sign * (best - chance) > 0:
        return ""
    value = format_score(metric(inputs.targets, inputs.predictions))
    return f"{metric.title} {value} (95 % interval {low:.4f} to {high:.4f}) is no better than chance, {chance:.4f}"


def _loss_did_not_go_down(inputs: SelfCheckInput) -> str:
    """Returns a line if no epoch has a clearly lower loss than the first."""
    if len(inputs.losses) < 2:
        return ""
    first, best = float(inputs.losses[0]), float(np.min(inputs.losses))
    if first - best > MIN_LOSS_DECREASE * abs(first):
        return ""
    return f"the loss did not go down: {first:.4f} after epoch 1, lowest {best:.4f} in {len(inputs.losses)} epochs"


def _class_never_predicted(inputs: SelfCheckInput) -> str:
    """Returns a line if a class that should occur several times is never predicted."""
    facts = inputs.facts
    if not facts.has_exclusive_classes and metric_of(facts).response_method != "predict":
        return ""  # the metric uses no decisions, so the classes need none
    decided, expected = decide(facts, inputs.predictions).sum(axis=0), inputs.prior * len(inputs.predictions)
    never = [
        f"{name} (about {count:.0f} expected)"
        for name, count, num_decided in zip(facts.prediction_columns, expected, decided, strict=True)
        if count >= MIN_EXPECTED_IMAGES and not num_decided
    ]
    return f"never predicted: {shorten_list(never)}" if never else ""


def _outputs_differ_between_modes(inputs: SelfCheckInput) -> str:
    """Compares training mode with inference mode: single outputs may differ, because of dropout, but not their mean."""
    if not len(inputs.training_outputs):
        return ""
    difference = float(np.max(np.abs(np.mean(inputs.training_outputs - inputs.inference_outputs, axis=0))))
    is_flat = np.max(np.std(inputs.inference_outputs, axis=0)) < 0.1 * np.max(np.std(inputs.training_outputs, axis=0))
    if difference < MAX_MODE_DIFFERENCE and not is_flat:
        return ""
    return (
        f"predictions change by {difference:.2f} on average between training and inference mode; "
        "a larger training.batch_size may help"
    )


def _drawn_shares_differ(inputs: SelfCheckInput) -> str:
    """Returns a line if the sampler drew a class more or less often than it should."""
    num_drawn = inputs.drawn_counts.sum()
    expected = inputs.expected_shares * num_drawn
    deviation = np.sqrt(np.maximum(expected * (1 - inputs.expected_shares), 1))
    worst = int(np.argmax(np.abs(inputs.drawn_counts - expected) / deviation))
    if abs(inputs.drawn_counts[worst] - expected[worst]) <= MAX_DEVIATIONS * deviation[worst]:
        return ""
    drawn, expected_share = inputs.drawn_counts[worst] / num_drawn, inputs.expected_shares[worst]
    facts = inputs.facts
    drawn_class = f"label combination {worst}" if facts.task == "multilabel" else f"class {facts.class_names[worst]}"
    return f"{drawn_class} was drawn in {drawn:.1%} of the draws, expected {expected_share:.1%}"


CHECKS = (
    _predictions_hardly_vary,
    _no_better_than_chance,
    _loss_did_not_go_down,
    _class_never_predicted,
    _outputs_differ_between_modes,
    _drawn_shares_differ,
)
