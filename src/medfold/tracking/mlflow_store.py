"""MLflow: a run for each result, in the experiment of the competition.

The store is the server that MLFLOW_TRACKING_URI names, else `runs/mlflow.db`. Runs are made with `MlflowClient`, which
adds no tags of its own; `mlflow.start_run` would add the name of the user, the path of the script and the commit.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medfold.paths import ProjectPaths
from medfold.system import locks
from medfold.tracking.results import TrackedResult
from medfold.tracking.trackers import Tracker

if TYPE_CHECKING:
    from mlflow import MlflowClient

URI = "MLFLOW_TRACKING_URI"
# A server that does not answer is given up after seconds; MLflow itself waits for minutes. No usage statistics are
# sent to the makers of MLflow.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
MAX_PARAMS, MAX_METRICS = 100, 1000  # in one request
NO_ARTIFACTS = "mlflow-artifacts:/"  # what a server writes for 'ask the server'; else it is the path of a local folder


def destination(result: TrackedResult) -> Path | str:
    """Returns the address in MLFLOW_TRACKING_URI, else the file of the local store."""
    return os.environ.get(URI) or ProjectPaths(result.run_paths.root).mlflow_store


def write(result: TrackedResult) -> None:
    """Writes a result as a run of MLflow; deletes earlier runs of the same id."""
    os.environ.update({name: value for name, value in DEFAULTS.items() if name not in os.environ})
    target = destination(result)
    if isinstance(target, Path):
        with locks.lock(target):
            _write(result, _open_local_store(target))
    else:
        from mlflow import MlflowClient

        _write(result, MlflowClient(target))


def _open_local_store(file: Path) -> "MlflowClient":
    """Opens the local store; a new one is made without the path of a folder for artifacts, which names the user."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{file.absolute()}"
    if not file.exists():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        file.parent.mkdir(parents=True, exist_ok=True)
        SqlAlchemyStore(uri, NO_ARTIFACTS)
    return MlflowClient(uri)


def _write(result: TrackedResult, client: "MlflowClient") -> None:
    from mlflow.entities import Metric, Param

    experiment = _experiment_id(client, result.run_paths.competition)
    for earlier in client.search_runs([experiment], f"tags.`medfold.id` = '{result.id}'"):
        client.delete_run(earlier.info.run_id)
    tags = {"medfold.id": result.id, "medfold.run": result.run_paths.name, "medfold.part": result.name}
    name = f"{result.run_paths.name}/{result.name}"
    run = client.create_run(experiment, start_time=_milliseconds(result.started), tags=tags, run_name=name).info.run_id
    time, last = _milliseconds(result.finished), len(result.epochs)
    params = [Param(key, str(value)) for key, value in result.settings.items()]
    metrics = [Metric(*item, time, step) for step, row in enumerate(result.epochs, 1) for item in row.items()]
    metrics += [Metric(*item, time, last) for item in result.scores.items()]
    for start in range(0, len(params), MAX_PARAMS):
        client.log_batch(run, params=params[start : start + MAX_PARAMS])
    for start in range(0, len(metrics), MAX_METRICS):
        client.log_batch(run, metrics=metrics[start : start + MAX_METRICS])
    client.set_terminated(run, end_time=time)


def _experiment_id(client: "MlflowClient", name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found:
        return found.experiment_id
    is_local = client.tracking_uri.startswith("sqlite:")
    return client.create_experiment(name, artifact_location=NO_ARTIFACTS if is_local else None)


def _milliseconds(time: datetime) -> int:
    return round(1000 * time.timestamp())


# The local store needs SQLAlchemy and alembic, which mlflow-skinny leaves out.
TRACKER = Tracker(write, destination, ("mlflow-skinny>=3.17,<4", "sqlalchemy>=2", "alembic>=1.13"))
