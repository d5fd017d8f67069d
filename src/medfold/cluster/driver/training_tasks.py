"""The training of runs on a cluster, as the driver does it: a task for missing features, and one for each fold."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray

from medfold.cluster.cluster_jobs import TrainingJob, task_topic
from medfold.cluster.driver.capacity import Capacity, NodeResources, plan_capacity
from medfold.cluster.driver.cluster_task import ClusterTask, JobResources, run_tasks
from medfold.cluster.node import node_training
from medfold.cluster.node.files_on_nodes import SharedFile, start_file_server
from medfold.cluster.node.messages import CHECKPOINT, RESULTS
from medfold.cluster.node.node_training import NodeInputs
from medfold.paths import RunPaths
from medfold.system import array_files, files, hardware, locks
from medfold.terminal.console import say
from medfold.text import count_of
from medfold.training import features_hashes_path, package_versions, unpack_folds


def train(job: TrainingJob, nodes: list[NodeResources], send: Callable[..., None]) -> None:
    """Computes missing features, then trains the folds of all runs; the first UserError ends all of them.

    Args:
        job: the runs.
        nodes: the cores and GPUs that each node of the cluster gives to tasks.
        send: sends a message to the command.
    """
    capacity = plan_capacity(nodes, job.max_parallel, sum(len(plan.requested_numbers) for plan in job.plans))
    say("cluster", _describe(nodes, capacity, sum(len(plan.folds) for plan in job.plans)))
    run_inputs = job.plans[0].folds[0].run_inputs
    store_files = [SharedFile.of(path) for path in sorted(run_inputs.store.folder.iterdir())]
    weights = Path(run_inputs.recipe.backbone.weights).expanduser()
    node_inputs = NodeInputs(
        run_inputs=replace(run_inputs, store=None),
        store_files=store_files,
        features_file=None,
        weights_file=SharedFile.of(weights) if weights.is_file() else None,
        plugins=_plugins(job.plans[0].plugins),
        versions=package_versions(),
        environment={**job.environment, "KERAS_BACKEND": hardware.keras_backend()},
        threads=capacity.threads,
        uses_gpu=capacity.uses_gpu,
    )
    shared = [*store_files, *([node_inputs.weights_file] if node_inputs.weights_file else [])]
    if run_inputs.recipe.training.head_epochs:
        if not run_inputs.features_file.is_file():
            resources = JobResources(capacity, start_file_server(shared))
            run_tasks([features_task(resources, ray.put(node_inputs), run_inputs.features_file)], 1)
        node_inputs = replace(node_inputs, features_file=SharedFile.of(run_inputs.features_file))
        shared.append(node_inputs.features_file)
    resources = JobResources(capacity, start_file_server(shared))
    tasks = []
    for plan in job.plans:
        reference = ray.put(replace(node_inputs, run_inputs=replace(plan.folds[0].run_inputs, store=None)))
        for fold in plan.folds:
            fold_trained = partial(send, run=plan.run_paths.name)
            topic = task_topic(plan, fold, len(job.plans))
            tasks.append(fold_task(topic, resources, reference, plan.run_paths, fold.number, fold_trained))
    run_tasks(tasks, capacity.num_parallel if job.max_parallel else len(tasks))


def _plugins(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _describe(nodes: list[NodeResources], capacity: Capacity, num_folds: int) -> str:
    """Returns nodes, cores, GPUs and what each fold gets, as text."""
    num_cores, num_gpus = (sum(values) for values in zip(*nodes, strict=True))
    gpus = f", {count_of(num_gpus, 'GPU')}" if num_gpus else ""
    each = f"{count_of(capacity.threads, 'thread')}{' and a GPU' if capacity.uses_gpu else ''} each"
    at_once = min(capacity.num_parallel, num_folds)
    machines = f"{count_of(len(nodes), 'node')}, {count_of(num_cores, 'core')}{gpus}"
    return f"{machines}: {count_of(num_folds, 'fold')}, {at_once} at a time, {each}"


def fold_task(
    topic: str,
    resources: JobResources,
    node_inputs: Any,
    run_paths: RunPaths,
    number: int,
    fold_trained: Callable[[], None],
) -> ClusterTask:
    """Returns the task that trains a fold; it resumes from the checkpoint in the folder of the run, if there is one.

    Args:
        topic: name of the task on the terminal.
        resources: what all tasks of the job share.
        node_inputs: the NodeInputs, as a reference of Ray.
        run_paths: paths of the run, where checkpoints and results are put.
        number: number of the fold.
        fold_trained: called when the fold is in place.
    """
    checkpoint = run_paths.fold(number).checkpoint

    def arguments() -> tuple:
        return node_inputs, number, checkpoint.read_bytes() if checkpoint.is_file() else None

    def receive_checkpoint(path: Path) -> None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        path.replace(checkpoint)

    def receive_results(path: Path) -> None:
        unpack_folds(path, run_paths, [number])
        fold_trained()

    return ClusterTask(
        topic,
        resources=resources,
        function=node_training.train_fold_on_node,
        arguments=arguments,
        receivers={CHECKPOINT: receive_checkpoint, RESULTS: receive_results},
        folder=run_paths.folder,
        log=run_paths.log(number),
    )


def features_task(resources: JobResources, node_inputs: Any, features: Path) -> ClusterTask:
    """Returns the task that computes the features of the frozen backbone.

    Args:
        resources: what all tasks of the job share.
        node_inputs: the NodeInputs, as a reference of Ray.
        features: the file to write, with its hashes beside it.
    """

    def receive_results(path: Path) -> None:
        with locks.lock(features):
            hashes = features_hashes_path(features)
            files.remove(hashes)
            path.replace(features)
            array_files.write_hashes(np.load(features, mmap_mode="r"), hashes)

    return ClusterTask(
        "features",
        resources=resources,
        function=node_training.compute_features_on_node,
        arguments=lambda: (node_inputs,),
        receivers={RESULTS: receive_results},
        folder=features.parent,
    )
