"""make ensemble: members, methods, the choice and post-processing as text."""

import numpy as np
import pytest

from medfold.commands.report import report
from medfold.commands.shared.show_ensemble import combine_and_show, show_ensemble
from medfold.ensemble.calibration import Calibration
from medfold.ensemble.ensemble_summary import EnsembleSummary, MemberSummary, MethodSummary, PostProcessingSummary
from medfold.scoring import Difference
from tests.support.helpers import refused

MEMBERS = [
    MemberSummary("baseline", 0.9, 0.85, 0.95, 0.25, [1.0, 0.5]),
    MemberSummary("mobilenet", 0.91234, float("nan"), float("nan"), 0.75, [0.5, 1.0]),
]
MEAN = MethodSummary("mean", "arithmetic mean", 0.92, 0.92, None, is_chosen=True)
GAIN = Difference(0.01, 0.002, 0.018, 0.987)
SELECTION = MethodSummary("selection", "selection", 0.93, 0.94, GAIN, is_chosen=False)


def chosen(method: MethodSummary, is_chosen: bool) -> MethodSummary:
    return MethodSummary(*(getattr(method, name) for name in list(vars(method))[:-1]), is_chosen=is_chosen)


@pytest.fixture
def show(small, capsys):
    """Returns a function that shows an ensemble and returns the printed lines."""

    def run(members=MEMBERS, methods=(MEAN, SELECTION), post_processing=None, calibration=None, method=None):
        summary = EnsembleSummary("auc", {}, list(members), list(methods), post_processing, calibration)
        show_ensemble(small, summary, method)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return run


def test_members_have_score_interval_and_correlations(show):
    lines = show()
    assert "members 2 runs, and the correlation of their errors (1: the same errors)" in lines
    assert "run AUC 95 % interval [1] [2]" in lines
    assert "[1] baseline 0.9000 0.8500 to 0.9500 1.00 0.50" in lines
    assert "[2] mobilenet 0.9123 no interval 0.50 1.00" in lines


def test_methods_have_scores_and_gain_over_the_mean(show):
    lines = show()
    assert "METHOD AUC, cross-fitted in-sample gain (95 % interval) better" in lines
    assert "mean arithmetic mean 0.9200 0.9200" in lines
    assert "selection selection 0.9300 0.9400 +0.0100 (+0.0020 to +0.0180) 99%" in lines


def test_undefined_gain_has_no_probability(show):
    undefined = Difference(float("nan"), float("nan"), float("nan"), float("nan"))
    methods = [MEAN, MethodSummary("rank", "rank mean", 0.9, 0.9, undefined, is_chosen=False)]
    assert "rank rank mean 0.9000 0.9000 undefined" in show(methods=methods)


@pytest.mark.parametrize(
    ("best", "method", "reason"),
    [
        (MEAN, None, "arithmetic mean: no other is better beyond chance"),
        (SELECTION, None, "selection: better than the mean beyond chance"),
        (SELECTION, "selection", "selection: as requested"),
        (MEAN, "mean", "arithmetic mean: as requested"),
    ],
)
def test_choice_has_its_reason_and_the_weights(show, best, method, reason):
    methods = [chosen(each, each is best) for each in (MEAN, SELECTION)]
    assert f"chosen {reason}; weights baseline 0.25, mobilenet 0.75" in show(methods=methods, method=method)


def test_choice_without_weights_has_none_in_its_line(show):
    members = [MemberSummary(each.name, 0.9, 0.8, 1.0, None, [1.0, 0.5]) for each in MEMBERS]
    assert "chosen arithmetic mean: no other is better beyond chance" in show(members)


def test_single_run_shows_neither_members_nor_methods(show):
    assert show(members=[], methods=[MEAN]) == []


@pytest.mark.parametrize(
    ("is_used", "after", "end"), [(True, 0.93, "used"), (False, 0.91, "not used: the score does not improve")]
)
def test_post_processing_has_parameters_scores_and_consequence(show, is_used, after, end):
    parameters = {"thresholds": [0.25, 0.123456], "factor": 1.5}
    result = PostProcessingSummary("thresholds", parameters, 0.92, after, 0.95, is_used)
    scores = f"OOF score AUC 0.9200 -> {after:.4f}, cross-fitted (0.9500 in-sample)"
    expected = f"fitted post-processing by thresholds 0.25, 0.123, 1.5: {scores}; {end}"
    assert show(members=[], post_processing=result) == [expected]


def test_calibration_error_is_shown_before_and_after(show):
    expected = "ECE 0.0350 (0: calibrated); temperature scaling gives 0.0431 (T = 0.94, cross-fitted)"
    assert show(members=[], calibration=Calibration(np.float64(0.94), 0.035, 0.0431)) == [expected]


@pytest.mark.parametrize("command", [combine_and_show, report])
@pytest.mark.parametrize(
    ("method", "runs", "message"),
    [
        ("meen", ["a", "b"], r"^METHOD=meen: unknown method 'meen' \(did you mean 'mean'\?\)\. Known: mean, "),
        ("geometric", ["a"], "^METHOD=geometric: method geometric cannot be used yet: there is a single run"),
    ],
)
def test_unusable_method_is_refused_before_data_and_runs_are_read(small, command, method, runs, message):
    with refused(message):
        command(small, runs, method, False)
    assert not small.paths.data.exists()
