"""Choice of ensemble method and post-processing by cross-fitted score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from medfold.ensemble.choose_method import choose_method, compare_methods
from medfold.ensemble.members import MemberPredictions
from medfold.scoring import METRICS, FittedTransform
from tests.support.ensemble_members import independent, members
from tests.support.helpers import competition_facts, refused


@pytest.mark.slow
def test_noise_members_raise_in_sample_but_not_cross_fitted_score():
    facts = competition_facts()
    inside, outside = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        targets, stack = rng.integers(0, 2, 400), rng.random((30, 400, 1))
        found = {one.method.name: one for one in compare_methods(members(stack, targets, seed=seed), facts)}
        inside.append(found["selection"].in_sample)
        outside.append([one.cross_fitted for one in found.values() if one.method.needs_labels])
    assert np.mean(inside) == pytest.approx(0.57, abs=0.01)
    assert np.abs(np.mean(outside, axis=0) - 0.5).max() < 0.02


def test_arithmetic_mean_wins_ties():
    stack, targets = independent(count=1)
    same = np.repeat(stack, 3, axis=0) + np.random.default_rng(1).normal(0, 1e-6, (3, 1000, 1))
    choice = choose_method(members(same, targets), competition_facts())
    assert choice.chosen.method.name == "mean"
    assert all(one.gain.low <= 0 for one in choice.candidates[1:])
    np.testing.assert_array_equal(choice.used.predictions, same.mean(axis=0))


def test_method_better_beyond_chance_replaces_the_mean():
    good, targets = independent(strength=1.5, count=1)
    noise = np.random.default_rng(3).random((4, 1000, 1))
    choice = choose_method(members(np.concatenate([good, noise]), targets), competition_facts())
    assert choice.chosen.method.needs_labels
    assert choice.chosen.gain.low > 0
    assert choice.chosen.cross_fitted == max(
        one.cross_fitted for one in choice.candidates if one.gain is None or one.gain.low > 0
    )
    # new predictions use the same method, fitted on all folds
    np.testing.assert_array_equal(
        choice.used.fitted.apply(good.repeat(5, axis=0)), choice.chosen.fitted.apply(good.repeat(5, axis=0))
    )


def test_gain_is_positive_where_lower_is_better():
    good, targets = independent(strength=1.5, count=1)
    noise = np.random.default_rng(3).random((4, 1000, 1))
    choice = choose_method(
        members(np.concatenate([good, noise]), targets), competition_facts("binary", score={"metric": "log_loss"})
    )
    plain = choice.candidates[0]
    assert choice.chosen.cross_fitted < plain.cross_fitted
    assert choice.chosen.cross_fitted == min(
        one.cross_fitted for one in choice.candidates if one.gain is None or one.gain.low > 0
    )
    assert choice.chosen.gain.value == pytest.approx(plain.cross_fitted - choice.chosen.cross_fitted)


def test_repeated_images_do_not_narrow_the_gain():
    stack, targets = independent(n=100)
    facts = competition_facts()
    _, plain, _ = compare_methods(members(stack, targets, folds=1), facts)
    group = np.repeat(np.arange(100), 3)
    repeated = members(stack.repeat(3, axis=1), targets.repeat(3), folds=1, group=group)
    _, tripled, _ = compare_methods(repeated, facts)
    assert plain.method.name == tripled.method.name == "geometric"
    assert plain.gain.low < plain.gain.high
    assert (tripled.gain.low, tripled.gain.high) == pytest.approx((plain.gain.low, plain.gain.high), abs=1e-12)


@pytest.fixture
def single_fold():
    stack, targets = independent()
    return members(stack, targets, folds=1)


def test_single_fold_allows_only_methods_without_labels(single_fold):
    choice = choose_method(single_fold, competition_facts("binary", score={"metric": "macro_f1"}))
    assert [one.method.name for one in choice.candidates] == ["mean", "geometric", "rank"]
    assert choice.post_processed is None


@pytest.fixture
def single_run():
    return members(*independent(count=1))


def test_single_run_allows_only_the_mean(single_run):
    choice = choose_method(single_run, competition_facts())
    assert [one.method.name for one in choice.candidates] == ["mean"]


def test_combining_a_single_run_is_refused(single_run):
    with refused("^METHOD=selection: method selection cannot be used yet: there is a single run. Name several: RUNS="):
        choose_method(single_run, competition_facts(), method_name="selection")


def test_method_is_chosen_by_name():
    stack, targets = independent()
    found = choose_method(members(stack, targets), competition_facts(), method_name="geometric")
    assert found.chosen.method.name == "geometric"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("selecton", "unknown method .selecton. .did you mean .selection"),
        ("stacking", "method stacking cannot be used yet: it is fitted on labels, and only one fold is trained"),
    ],
)
def test_method_that_cannot_be_used_is_refused_before_any_is_fitted(single_fold, monkeypatch, name, message):
    monkeypatch.setattr("medfold.ensemble.choose_method.compare_methods", lambda *_: pytest.fail("methods are fitted"))
    with refused(message):
        choose_method(single_fold, competition_facts(), method_name=name)


def overconfident(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, n)
    return expit(3 * z)[None, :, None], (rng.random(n) < expit(z)).astype(int)


def test_post_processing_is_applied_where_the_metric_gains():
    stack, targets = overconfident()
    choice = choose_method(members(stack, targets), competition_facts("binary", score={"metric": "log_loss"}))
    assert choice.post_processed.title == "temperature"
    assert choice.post_processed.helps
    assert choice.used_post_processing is choice.post_processed
    assert choice.post_processed.fitted.parameters["temperature"] == pytest.approx(3, rel=0.1)
    np.testing.assert_array_equal(choice.used.predictions, choice.post_processed.predictions)
    np.testing.assert_array_equal(choice.used.fitted.apply(stack), choice.post_processed.fitted.apply(stack))
    assert choice.post_processed.cross_fitted < choice.chosen.cross_fitted - 0.1


def test_post_processing_that_loses_is_left_out():
    rng = np.random.default_rng(3)  # a seed with which the fitted thresholds lose
    targets = rng.integers(0, 2, 40)
    stack = expit(rng.normal(3 * (2 * targets - 1), 1.5))[None, :, None]  # 0.5 is the right threshold
    choice = choose_method(members(stack, targets), competition_facts("binary", score={"metric": "accuracy"}))
    assert choice.post_processed.cross_fitted < choice.chosen.cross_fitted
    assert not choice.post_processed.helps
    assert choice.used_post_processing is None
    np.testing.assert_array_equal(choice.used.predictions, choice.chosen.predictions)
    np.testing.assert_array_equal(choice.used.fitted.apply(stack), stack[0])


def test_auc_needs_no_post_processing():
    stack, targets = overconfident()
    assert choose_method(members(stack, targets), competition_facts()).post_processed is None


@pytest.mark.slow
def test_cut_points_are_applied_where_kappa_gains():
    rng = np.random.default_rng(0)
    targets = rng.choice(5, 1500, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    centre = 0.4 * targets + rng.normal(0, 0.4, (1, 1500))
    stack = softmax(-((centre[:, :, None] - np.arange(5)) ** 2) / 0.5, axis=2)
    choice = choose_method(members(stack, targets), competition_facts("ordinal", score={"metric": "qwk"}))
    assert choice.post_processed.title == "cut points"
    assert choice.post_processed.helps
    kappa = METRICS["qwk"](targets, choice.used.predictions)
    assert kappa == pytest.approx(choice.post_processed.cross_fitted, abs=1e-12)
    assert kappa > choice.chosen.cross_fitted + 0.02


def test_per_class_weights_are_compared_for_all_methods():
    stack, targets = independent()
    found = compare_methods(members(stack, targets), competition_facts(), per_class=True)
    assert {one.method.name for one in found} == {"mean", "geometric", "rank", "selection", "optimised", "stacking"}


def test_requested_method_is_compared_with_the_mean_only():
    stack, targets = independent()
    found = choose_method(members(stack, targets), competition_facts(), method_name="selection")
    assert [one.method.name for one in found.candidates] == ["mean", "selection"]


@pytest.mark.parametrize(
    ("task", "metric", "name"),
    [
        ("binary", "log_loss", "tempered"),
        ("binary", "pf1", "sharpened"),
        ("multilabel", "macro_f1", "moved"),
        ("multiclass", "accuracy", "weighed"),
        ("ordinal", "qwk", "cut"),
    ],
)
def test_saved_choice_predicts_the_same_after_loading(task, metric, name, tmp_path):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 400) if task in ("multiclass", "ordinal") else rng.integers(0, 2, 400)
    if task == "multilabel":
        targets = np.stack([targets, 1 - targets], axis=1)
    truth = np.eye(3)[targets] if task in ("multiclass", "ordinal") else targets.reshape(400, -1)
    skew = 6 * (np.arange(truth.shape[1]) == 0) - 6  # neither calibrated nor centred
    logits = 8 * truth + rng.normal(0, 4, (2, *truth.shape)) + skew
    stack = softmax(logits, axis=2) if truth.shape[1] == 3 else expit(logits)
    choice = choose_method(
        members(stack, targets), competition_facts(task, score={"metric": metric}), method_name="mean"
    )
    assert choice.post_processed.helps
    assert [step for step, _ in choice.used.fitted.steps] == ["mean_of", name]
    choice.used.fitted.save(tmp_path / "ensemble.npz")
    again = FittedTransform.load(tmp_path / "ensemble.npz").apply(stack)
    np.testing.assert_array_equal(again, choice.used.fitted.apply(stack))


@st.composite
def problems_with_few_labels(draw):
    """Members and facts of few units: often a fold has one class only, or a label no positives."""
    task = draw(st.sampled_from(["binary", "multiclass", "multilabel"]))
    facts = competition_facts(
        task, score={"metric": draw(st.sampled_from(["auc" if task == "binary" else "mean_auc", "macro_f1"]))}
    )
    n, count, folds, columns = (
        draw(st.integers(4, 24)),
        draw(st.integers(1, 3)),
        draw(st.integers(2, 4)),
        len(facts.prediction_columns),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rare = rng.random((n, columns)) < draw(st.sampled_from([0.0, 0.1, 0.5]))
    targets = {"binary": rare[:, 0], "multiclass": rare.sum(axis=1).clip(max=columns - 1), "multilabel": rare}[task]
    stack = rng.random((count, n, columns)) + 1e-3
    if task == "multiclass":
        stack /= stack.sum(axis=2, keepdims=True)
    fold = np.sort(np.arange(n) % folds)
    return facts, MemberPredictions(
        [f"m{k}" for k in range(count)], stack, targets.astype(int), fold, np.arange(n) // 2
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@given(problems_with_few_labels())
def test_undefined_score_keeps_the_arithmetic_mean(made):
    facts, given_members = made
    choice = choose_method(given_members, facts)
    assert np.isfinite(choice.used.predictions).all()
    assert np.isfinite(choice.used.fitted.apply(given_members.predictions)).all()
    if np.isnan(choice.candidates[0].cross_fitted):
        assert choice.chosen is choice.candidates[0]
    assert choice.chosen is choice.candidates[0] or choice.chosen.gain.low > 0
    assert choice.post_processed is None or choice.post_processed.helps == bool(choice.post_processed.gain.value > 0)


def test_of_many_classes_what_takes_hours_is_left_out_and_reported(capsys):
    rng = np.random.default_rng(0)
    targets = np.arange(202) % 101
    stack = softmax(rng.standard_normal((2, 202, 101)) + 2 * np.eye(101)[targets], axis=-1)
    many = MemberPredictions(["a", "b"], stack, targets, np.arange(202) // 101, np.arange(202))
    facts = competition_facts(
        "multiclass", score={"metric": "accuracy"}, classes=[f"class_{number}" for number in range(101)]
    )
    found = choose_method(many, facts)
    names = [candidate.method.name for candidate in found.candidates]
    assert names == ["mean", "geometric", "rank", "selection", "optimised"]
    assert found.post_processed is None
    said = capsys.readouterr().out
    assert "stacking: not tried, as there are more than 100 classes; to try it: METHOD=stacking" in said
    assert "no class factors: there are more than 100 classes" in said
