"""Stage `ensemble`: runs put together, and what is done with what comes of it, judged by cross-fitted scores."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition.facts import Competition
from medfold.competition.project import Project, describe_score
from medfold.console import say, table, warn
from medfold.data.dataset import Table
from medfold.ensemble import fold_mean as blends
from medfold.ensemble import method_choice
from medfold.ensemble.method_choice import Calibration, Decision, Members
from medfold.errors import UserError, some
from medfold.paths import FoldPaths
from medfold.runs import identity, run_folder
from medfold.runs.run_folder import OutOfFold
from medfold.scoring import aggregation, metrics
from medfold.scoring.bootstrap import Difference, bootstrap, interval_shown, shown
from medfold.submission import table as submission


@dataclass(frozen=True)
class Ensemble:
    """Runs put together.

    Args:
        names: of the runs.
        members: their OOF predictions.
        decision: how they are put together.
        calibration: what temperature scaling would do; None while a single fold is trained.
        oof: the OOF predictions that the score is of: cross-fitted where anything was fitted on labels.
        probable: the probabilities behind it, where an adjustment made decisions of them.
        score: as score.json, and `ensemble`: method, weights, adjustment.
        test: id (of the unit) and prediction columns.
        test_probable: the probabilities behind `test`, as `probable` is behind `oof`.
        nothing: float64 (columns,), what is predicted of a unit without an image.
        prior: float64 (columns,), the mean of the units' labels: the probabilities behind it.
        inputs: hashes of the files that this was made from, by path.
    """

    names: list[str]
    members: Members
    decision: Decision
    calibration: Calibration | None
    oof: OutOfFold
    probable: OutOfFold
    score: dict[str, Any]
    test: pd.DataFrame
    test_probable: pd.DataFrame
    nothing: np.ndarray
    prior: np.ndarray
    inputs: dict[str, str]


def ensemble(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> None:
    """Shows what runs are worth together: members, methods, adjustment, and the OOF score of what `submit` would take.

    Args:
        names: of the runs.
        method: to be taken instead of the one that the scores choose.
        per_class: weights are fitted for each class or label on its own.

    Raises:
        UserError: runs that do not fit together, or that are not trained.
    """
    data = identity.data_for(project, names)
    found = ensemble_of(project, names, data, method, per_class)
    show(project, found, method)
    say("OOF score", describe_score(project.competition, found.score, data.train["unit"].nunique()))
    words = {"METHOD": method, "PER_CLASS": 1 if per_class else None}
    named = " ".join(names)
    command = project.command("submit", RUNS=f'"{named}"', **{key: value for key, value in words.items() if value})
    say("then", command)


def ensemble_of(
    project: Project, names: list[str], data: Table, method: str | None = None, per_class: bool = False
) -> Ensemble:
    """Puts runs together; a single one, too, for its adjustment.

    Args:
        names: of the runs.
        data: the folds.
        method, per_class: as `ensemble` takes them.

    Raises:
        UserError: a run that is not trained, or trained on other folds than the table or the others; what differs is
            named.
    """
    competition = project.competition
    read = {name: _Run.read(project, name) for name in sorted(set(names))}  # so their order decides nothing
    for name in read:
        identity.refuse_other_images(project, name, data.test)
    first, *others = read.values()
    for other in others:
        if other.folds != first.folds:
            k = competition.folds.k
            what = f"{other.name} has folds {some(other.folds, k)}, {first.name} has {some(first.folds, k)}"
            raise UserError(what, "RUNS", "Train what is missing, so that one score vouches for all")
    found = {
        name: run_folder.in_units(competition, run.oof(project), data.train, data.targets) for name, run in read.items()
    }
    oof = next(iter(found.values()))
    stack = np.stack([each.predictions for each in found.values()])
    members = Members(list(found), stack, oof.targets, oof.fold, oof.group)
    decision = method_choice.decide(members, competition, method, per_class)
    behind, behind_oof = decision.probable
    probable = replace(oof, predictions=behind_oof)
    oof = replace(oof, predictions=decision.predictions)
    optimistic = any(run.optimistic for run in read.values())
    score = run_folder.score(competition, oof, optimistic, probable)
    score["ensemble"] = _for_the_record(members, decision)
    ids, given = _tests(project, data, list(read.values()))
    test, test_probable = (_table(competition, ids, each.apply(given)) for each in (decision.fitted, behind))
    prior = submission.prior(competition, aggregation.labels_of(data.train["unit"].to_numpy(), data.targets))
    inputs = {path: digest for run in read.values() for path, digest in run.inputs(project).items()}
    calibration = None
    if members.can_be_cross_fitted:
        calibration = method_choice.calibrated(members, competition, decision, per_class)
    return Ensemble(
        names=list(found),
        members=members,
        decision=decision,
        calibration=calibration,
        oof=oof,
        probable=probable,
        score=score,
        test=test,
        test_probable=test_probable,
        nothing=decision.without_image(prior),
        prior=prior,
        inputs=inputs,
    )


def _table(competition: Competition, ids: pd.Index, predictions: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(predictions, columns=competition.columns)
    table.insert(0, "id", ids)
    return table


def _tests(project: Project, data: Table, read: list["_Run"]) -> tuple[pd.Index, np.ndarray]:
    """The units of the test part, and what each run predicts of them: float64 (runs, units, columns)."""
    competition, unit = project.competition, data.test.set_index("id")["unit"]
    tables = [aggregation.join_predictions(competition, run.test(project), unit).set_index("id") for run in read]
    ids = tables[0].index
    for run, found in zip(read, tables, strict=True):
        if differ := set(found.index) ^ set(ids):
            what = f"{len(differ)} test units differ from {read[0].name}: {some(sorted(differ))}"
            raise UserError(what, run.name, "Runs that are put together must predict the same images")
    return ids, np.stack([found.loc[ids, competition.columns].to_numpy(np.float64) for found in tables])


@dataclass(frozen=True)
class _Run:
    """One run's finished folds."""

    name: str
    folds: list[int]
    optimistic: bool
    paths: list[FoldPaths]

    @classmethod
    def read(cls, project: Project, name: str) -> "_Run":
        run_paths = run_folder.paths_of(project.paths, name)
        origin = identity.refuse_changed(project, name)
        folds = run_folder.finished_folds(run_paths, project.competition.folds.k)
        return cls(name, folds, run_folder.is_optimistic(origin), [run_paths.fold(number) for number in folds])

    def oof(self, project: Project) -> pd.DataFrame:
        read = [run_folder.read_predictions(project.competition, fold.oof) for fold in self.paths]
        return pd.concat(read, ignore_index=True)

    def test(self, project: Project) -> pd.DataFrame:
        """The mean of the folds."""
        competition = project.competition
        folds = {
            f"{self.name} {fold.folder.name}": run_folder.read_predictions(competition, fold.test)
            for fold in self.paths
        }
        return blends.blend(folds, competition.columns)

    def inputs(self, project: Project) -> dict[str, str]:
        every = [file for fold in self.paths for file in (fold.oof, fold.test)]
        return {file.relative_to(project.root.root).as_posix(): files.sha256(file) for file in every}


def _for_the_record(members: Members, decision: Decision) -> dict[str, Any]:
    chosen, adjusted = decision.chosen, decision.adjusted
    record: dict[str, Any] = {"method": chosen.method.name}
    weights = chosen.fitted.parameters.get("weights")
    if weights is not None:
        record["weights"] = {name: each.tolist() for name, each in zip(members.names, weights.round(9), strict=True)}
    if adjusted and adjusted.helps:
        parameters = {key: value for key, value in adjusted.fitted.parameters.items() if key != "weights"}
        record["adjustment"] = parameters
    return record


def show(project: Project, found: Ensemble, method: str | None = None) -> None:
    """Members, methods, what was chosen and adjusted."""
    competition, decision = project.competition, found.decision
    metric = metrics.of(competition)
    if len(found.names) > 1:
        say("members", f"{len(found.names)} runs, and how far their errors go together (1: the same errors)")
        _show_members(metric, found.members)
        say("methods", "cross-fitted: weights from the other folds; gain over the arithmetic mean")
        _show_methods(metric, decision)
        chosen = decision.chosen
        why = "asked for" if method else "better than the mean beyond chance"
        if not method and chosen.gain is None:
            why = "no other is better beyond chance"
        say("chosen", f"{chosen.method.title}: {why}{_weights(found.members, chosen.fitted.parameters.get('weights'))}")
    _show_adjusted(metric, decision)
    if found.calibration:
        each = found.calibration
        after = f"{each.before:.4f}, after temperature scaling {each.after:.4f} (T = {each.temperature:.2f})"
        say("ECE", f"{after}, cross-fitted")


def _show_members(metric: metrics.Metric, members: Members) -> None:
    correlation = method_choice.error_correlation(members)
    numbers = [f"[{number + 1}]" for number in range(len(members.names))]
    rows = []
    for number, name in enumerate(members.names):
        given = members.predictions[number]
        low, high = bootstrap(metric, members.targets, given, members.group)
        score = shown(metric(members.targets, given))
        rows.append(
            [numbers[number], name, score, interval_shown(low, high), *(f"{r:.2f}" for r in correlation[number])]
        )
    table(["", "run", metric.title, "95 % interval", *numbers], rows)


def _show_methods(metric: metrics.Metric, decision: Decision) -> None:
    rows = []
    for one in decision.contenders:
        told = [in_words(one.gain), _percent(one.gain.probability)] if one.gain else ["", ""]
        rows.append([one.method.name, one.method.title, shown(one.cross_fitted), shown(one.in_sample), *told])
    marked = [decision.contenders.index(decision.chosen)]
    table(["METHOD", "", f"{metric.title}, cross-fitted", "in-sample", "gain (95 % interval)", "better"], rows, marked)


def _show_adjusted(metric: metrics.Metric, decision: Decision) -> None:
    adjusted = decision.adjusted
    if adjusted is None:
        return
    found = ", ".join(_shown(value) for key, value in adjusted.fitted.parameters.items() if key != "weights")
    before, after = shown(decision.chosen.cross_fitted), shown(adjusted.cross_fitted)
    scores = f"{metric.title} {before} -> {after} cross-fitted"
    fate = "used" if adjusted.helps else "not used: the score does not gain"
    tell = say if adjusted.helps else warn
    tell("adjusted", f"{adjusted.title} {found}: {scores} ({shown(adjusted.in_sample)} in-sample); {fate}")


def _shown(value: float | list[float]) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return some([f"{each:.3g}" for each in value], 8)


def _weights(members: Members, weights: np.ndarray | None) -> str:
    if weights is None:
        return ""
    if weights.ndim == 2:
        weights = weights.mean(axis=1)
    return "; weights " + some([f"{name} {each:.2f}" for name, each in zip(members.names, weights, strict=True)], 8)


def in_words(gain: Difference) -> str:
    """'+0.0123 (-0.0010 to +0.0256)', or 'undefined'."""
    if np.isnan(gain.value):
        return "undefined"
    if np.isnan(gain.low):
        return f"{gain.value:+.4f} (no interval)"
    return f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


def _percent(probability: float) -> str:
    return "" if np.isnan(probability) else f"{probability:.0%}"
