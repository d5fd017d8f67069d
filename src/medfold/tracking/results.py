"""What a tracker gets: settings, epochs and scores of a trained fold, or the OOF score of a run.

Nothing of it identifies a patient or the user: no ids, no predictions, no folders, no commit.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from medfold import config
from medfold.competition import Competition, weights_without_folders
from medfold.paths import FoldPaths, RunPaths
from medfold.runs import Run, checked_run_paths, read_score, trained_folds
from medfold.scoring import OofScore
from medfold.system import json_files
from medfold.system.hashes import fingerprint, sha256

OOF = "oof"  # name of the result of a whole run
Setting = bool | int | float | str


@dataclass(frozen=True)
class TrackedResult:
    """The results of one trained fold, or the OOF score of a run whose folds are all trained.

    Args:
        run_paths: paths of the run: its name, its competition, its folder.
        id: 16 hex digits. A fold that is trained anew keeps its id; a run with another recipe, seed or folds table has
            other ids, whatever its name.
        name: `fold0`, `fold1`, ...; or `oof`.
        settings: recipe, seed and versions of packages by flat key, such as `training.epochs`. Lists are JSON.
        started: when the training of the fold began; of a resumed one, when it was resumed. For `oof` that of the
            first fold.
        finished: when it ended. For `oof` the end of the last fold.
        scores: the score of the fold under the name of the metric; for `oof` also `<metric>_low` and `<metric>_high`,
            the 95 % interval, and further metrics. Undefined scores are left out.
        epochs: the loss, the learning rate and `val_<metric>` of each epoch, in their order; of `oof` none. Undefined
            numbers are left out.
        done: hash of the marker of the trained fold, which holds the hashes of its files; for `oof` of all markers.
    """

    run_paths: RunPaths
    id: str
    name: str
    settings: dict[str, Setting]
    started: datetime
    finished: datetime
    scores: dict[str, float]
    epochs: list[dict[str, float]] = field(default_factory=list)
    done: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of all that a tracker gets; another one after the fold was trained or scored anew."""
        content = asdict(self)
        del content["run_paths"]
        return fingerprint(content)


def results_of_run(competition: Competition, run_name: str) -> list[TrackedResult]:
    """Returns the results of all trained folds of a run and, if these are all folds, its OOF score; [] without a run.

    Raises:
        UserError: a damaged file.
    """
    if not checked_run_paths(competition.paths, run_name).metadata.is_file():
        return []
    run = Run.open(competition, run_name)
    score = read_score(run.paths)
    numbers = [number for number in trained_folds(run.paths, run.num_folds) if score and number in score.trained_folds]
    results = [_fold_result(run, score, number) for number in numbers]
    if len(results) == run.num_folds:
        results.append(_oof_result(run, score, results))
    return results


def _fold_result(run: Run, score: OofScore, number: int) -> TrackedResult:
    fold_paths = run.paths.fold(number)
    started, finished = _times(fold_paths)
    return TrackedResult(
        run_paths=run.paths,
        id=_id(run, fold_paths.folder.name),
        name=fold_paths.folder.name,
        settings=settings_of(run),
        started=started,
        finished=finished,
        scores=_defined({score.metric: score.per_fold[str(number)]}),
        epochs=_epochs(fold_paths),
        done=sha256(fold_paths.trained_marker),
    )


def _oof_result(run: Run, score: OofScore, folds: list[TrackedResult]) -> TrackedResult:
    interval = {f"{score.metric}_low": score.low, f"{score.metric}_high": score.high}
    return TrackedResult(
        run_paths=run.paths,
        id=_id(run, OOF),
        name=OOF,
        settings=folds[0].settings,
        started=min(fold.started for fold in folds),
        finished=max(fold.finished for fold in folds),
        scores=_defined({**score.more_metrics, score.metric: score.value, **interval}),
        done=fingerprint([fold.done for fold in folds]),
    )


def _id(run: Run, name: str) -> str:
    identity = run.metadata.model_dump(include={"recipe", "seed", "folds_fingerprint"})
    return fingerprint([run.paths.competition, run.paths.name, identity, name])


def settings_of(run: Run) -> dict[str, Setting]:
    """Returns recipe, seed and versions of a run by flat key; of a file with an absolute path only the name."""
    flat = config.flat({**run.metadata.recipe, "versions": run.metadata.versions or {}})
    return {"seed": run.metadata.seed, **{key: _setting(value) for key, value in flat.items()}}


def _setting(value: Any) -> Setting:
    value = _without_folders(value)
    if isinstance(value, Setting):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _without_folders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return weights_without_folders(value) if isinstance(value, str) else value


def _epochs(fold_paths: FoldPaths) -> list[dict[str, float]]:
    """Returns the numbers of each epoch; an earlier version may have left no history."""
    if not fold_paths.history.is_file():
        return []
    numbers = pd.read_csv(fold_paths.history).select_dtypes("number").drop(columns="epoch", errors="ignore")
    return [_defined(row) for row in numbers.to_dict("records")]


def _defined(numbers: dict[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items() if value is not None and np.isfinite(value)}


def _times(fold_paths: FoldPaths) -> tuple[datetime, datetime]:
    """Returns when the training of a fold began and ended; both the time of its marker if nobody recorded them."""
    timing = json_files.read(fold_paths.timing) or {}
    if "finished" not in timing:
        finished = datetime.fromtimestamp(fold_paths.trained_marker.stat().st_mtime, UTC)
        return finished, finished
    finished = datetime.fromisoformat(timing["finished"])
    return finished - timedelta(seconds=timing.get("seconds", 0)), finished


def names_of(results: Iterable[TrackedResult]) -> list[str]:
    """Returns the names of results, for messages."""
    return [result.name for result in results]
