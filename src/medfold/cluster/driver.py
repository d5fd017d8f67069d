"""The driver: a child process that is connected to Ray, `python -m medfold.cluster.driver`.

Ray prints messages of its own to the standard output of the process that is connected, and may end it. So the command
starts this process, and reads its messages (`system.reporting_processes`).
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import ray
from ray.exceptions import AuthenticationError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import medfold
from medfold.cluster.capacity import Share, divide
from medfold.cluster.cluster_job import ClusterJob, task_topic
from medfold.cluster.cluster_task import ClusterTask, Remote, features_task, fold_task
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.files_on_nodes import FileServer, SharedFile
from medfold.cluster.node import NodeInputs
from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import report
from medfold.terminal.command_text import variable
from medfold.terminal.console import say
from medfold.text import count_of

# The packages whose versions decide about bytes, beside the backend of Keras; Python's and Ray's are compared by Ray.
COMPARED_PACKAGES = ("keras", "numpy", "albumentations", "opencv-python-headless")


def main() -> int:
    """Trains what standard input requests, and returns the exit code."""
    return report(_drive)


def _drive(job: ClusterJob, send: Callable[..., None]) -> None:
    with _connected(job.address):
        nodes = [node for node in ray.nodes() if node["Alive"]]
        resources = [(int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0))) for node in nodes]
        num_requested = sum(len(plan.requested) for plan in job.plans)
        share = divide(resources, job.jobs, num_requested)
        send(connected=True)
        say("cluster", _describe(resources, share, sum(len(plan.trainings) for plan in job.plans)))
        _train(job, share, send)


@contextmanager
def _connected(address: ClusterAddress | None) -> Iterator[None]:
    """Connects to the cluster, or starts one on this machine, which ends with the block.

    The nodes get the code of this medfold: its folder, and not a wheel, whose dependencies Ray would install.

    Raises:
        UserError: Ray cannot connect, or the versions of Ray or Python differ.
    """
    options = {"num_cpus": hardware.num_cores(), "include_dashboard": False} if address is None else {}
    try:
        ray.init(
            "local" if address is None else str(address),
            runtime_env={"py_modules": [str(Path(medfold.__file__).parent)], "excludes": ["__pycache__"]},
            log_to_driver=False,
            logging_level="error",
            **options,
        )
    except AuthenticationError as error:
        fix = "Check RAY_AUTH_TOKEN, or the file ~/.ray/auth_token"
        raise UserError(f"refused the token ({_first_line(error)})", variable("ADDRESS", address), fix) from None
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = variable("ADDRESS", address) if address else variable("ON", "ray")
        fix = "This machine must be a node of the cluster, with the same Python and Ray (docs/cluster.md)"
        raise UserError(f"cannot connect: {_first_line(error)}", where, fix) from None
    try:
        yield
    finally:
        ray.shutdown()


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _describe(resources: list[tuple[int, int]], share: Share, num_folds: int) -> str:
    """Returns nodes, cores, GPUs and what each fold gets, as text."""
    num_cores, num_gpus = (sum(values) for values in zip(*resources, strict=True))
    gpus = f", {count_of(num_gpus, 'GPU')}" if num_gpus else ""
    each = f"{count_of(share.threads, 'thread')}{' and a GPU' if share.uses_gpu else ''} each"
    at_once = min(share.num_jobs, num_folds)
    nodes = f"{count_of(len(resources), 'node')}, {count_of(num_cores, 'core')}{gpus}"
    return f"{nodes}: {count_of(num_folds, 'fold')}, {at_once} at a time, {each}"


def _train(job: ClusterJob, share: Share, send: Callable[..., None]) -> None:
    """Computes missing features, then trains the folds of all runs; the first UserError ends all of them."""
    inputs = job.plans[0].trainings[0].inputs
    store = [SharedFile.of(path) for path in sorted(inputs.store.folder.iterdir())]
    weights = Path(inputs.recipe.backbone.weights).expanduser()
    common = {
        "store": store,
        "weights": SharedFile.of(weights) if weights.is_file() else None,
        "plugins": _plugins(job.plans[0].trainings[0].plugins),
        "versions": {name: version(name) for name in (hardware.keras_backend(), *COMPARED_PACKAGES)},
        "environment": {**job.environment, "KERAS_BACKEND": hardware.keras_backend()},
        "threads": share.threads,
        "uses_gpu": share.uses_gpu,
    }
    features = None
    shared = [*store, *([common["weights"]] if common["weights"] else [])]
    if inputs.recipe.training.head_epochs:
        if not inputs.features_file.is_file():
            node_inputs = NodeInputs(inputs=replace(inputs, store=None), features=None, **common)
            _run([features_task(Remote(share, _file_server(shared)), ray.put(node_inputs), inputs.features_file)], 1)
        features = SharedFile.of(inputs.features_file)
    remote = Remote(share, _file_server([*shared, features] if features else shared))
    tasks = []
    for plan in job.plans:
        run_inputs = replace(plan.trainings[0].inputs, store=None)
        reference = ray.put(NodeInputs(inputs=run_inputs, features=features, **common))
        for training in plan.trainings:
            finish = partial(send, run=plan.run_paths.name, fold=training.number)
            topic = task_topic(plan, training, len(job.plans))
            tasks.append(fold_task(topic, remote, reference, plan.run_paths, training.number, finish))
    _run(tasks, share.num_jobs if job.jobs else len(tasks))


def _plugins(file: Path | None) -> bytes | None:
    return file.read_bytes() if file and file.is_file() else None


def _file_server(shared: list[SharedFile]) -> "ray.actor.ActorHandle":
    """Starts the process that reads files for the nodes, on this machine."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(FileServer).options(num_cpus=0, max_concurrency=8, scheduling_strategy=here)
    return actor.remote(shared)


def _run(tasks: list[ClusterTask], num_jobs: int) -> None:
    """Runs tasks, at most `num_jobs` at a time, each in a thread that follows it.

    Raises:
        UserError: one of them failed; all others are ended.
    """
    with ThreadPoolExecutor(num_jobs) as pool:
        waiting = {pool.submit(task.run) for task in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)  # a signal ends the wait
                for future in done:
                    future.result()
        finally:
            for task in tasks:
                task.stop()


if __name__ == "__main__":
    sys.exit(main())
