"""What a task of Ray does on a node: it trains a fold in a child process, and sends what the driver must know."""

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from medfold.cluster.node.files_on_nodes import SharedFile, fetch, send_file
from medfold.cluster.node.messages import CHECKPOINT, HEARTBEAT_SECONDS, RESULTS, Heartbeat, Line, Message
from medfold.cluster.node.node_task import check_versions, reported
from medfold.images import open_store
from medfold.paths import FoldPaths, RunPaths
from medfold.system.reporting_processes import ReportingProcesses
from medfold.system.threads import items_from_thread
from medfold.training import FeatureComputation, FoldInputs, FoldTrainings, ResourceShare, RunInputs, pack_folds

ChildWork = FoldTrainings | FeatureComputation


@dataclass(frozen=True)
class NodeInputs:
    """What the folds of a run are trained from, for a node.

    Args:
        run_inputs: the settings and data; its store is None.
        store_files: the files of the store.
        features_file: the features of the frozen backbone; None if there are none.
        weights_file: the weights of the backbone; None if there are none.
        plugins: content of plugins.py; None if there is none.
        versions: version of each package that must be the same on all nodes.
        environment: environment variables of the training.
        threads: CPU threads of each training.
        uses_gpu: True if each training has a GPU.
    """

    run_inputs: RunInputs
    store_files: list[SharedFile]
    features_file: SharedFile | None
    weights_file: SharedFile | None
    plugins: bytes | None
    versions: dict[str, str]
    environment: dict[str, str]
    threads: int
    uses_gpu: bool


def train_fold_on_node(
    node_inputs: NodeInputs, number: int, checkpoint: bytes | None, file_server: Any
) -> Iterator[Message]:
    """Trains a fold on this node.

    Args:
        node_inputs: settings and data of the run.
        number: number of the fold.
        checkpoint: contents of the checkpoint to resume from; None to start from the beginning.
        file_server: the FileServer, as a handle of Ray.

    Yields:
        Messages; the files are checkpoints, and the archive with the results.
    """

    def work(folder: Path) -> Iterator[Message]:
        run_paths = RunPaths(folder / "run", "", folder)
        fold_paths = run_paths.fold(number)
        if checkpoint is not None:
            fold_paths.folder.mkdir(parents=True)
            fold_paths.checkpoint.write_bytes(checkpoint)

        def make_work(run_inputs: RunInputs, plugins: Path) -> ChildWork:
            return FoldTrainings([FoldInputs(run_inputs, number, fold_paths)], plugins)

        def pack_results() -> Path:
            pack_folds(run_paths, [number], folder / "results.zip")
            return folder / "results.zip"

        yield from _fetch_and_run(node_inputs, make_work, pack_results, fold_paths, folder, file_server)

    yield from reported(work)


def compute_features_on_node(node_inputs: NodeInputs, file_server: Any) -> Iterator[Message]:
    """Computes the features of the frozen backbone on this node; yields messages as `train_fold_on_node` does."""

    def work(folder: Path) -> Iterator[Message]:
        features = folder / "features.npy"

        def make_work(run_inputs: RunInputs, plugins: Path) -> ChildWork:
            return FeatureComputation(replace(run_inputs, features_file=features), plugins)

        yield from _fetch_and_run(node_inputs, make_work, lambda: features, None, folder, file_server)

    yield from reported(work)


def _fetch_and_run(
    node_inputs: NodeInputs,
    make_work: Callable[[RunInputs, Path], ChildWork],
    pack_results: Callable[[], Path],
    fold_paths: FoldPaths | None,
    folder: Path,
    file_server: Any,
) -> Iterator[Message]:
    """Gets the files that are needed, runs a child process, and sends its lines, its checkpoints and its results."""
    check_versions(node_inputs.versions)
    inputs = yield from _fetch_inputs(node_inputs, folder, file_server)
    plugins = folder / "plugins.py"
    if node_inputs.plugins is not None:
        plugins.write_bytes(node_inputs.plugins)
    yield from _run_child(make_work(inputs, plugins), _environment(node_inputs), folder, fold_paths)
    yield from send_file(RESULTS, pack_results())


def _fetch_inputs(node_inputs: NodeInputs, folder: Path, file_server: Any) -> Generator[Message, None, RunInputs]:
    """Gets the store, the features and the weights, and returns the settings and data with their paths here."""
    inputs = node_inputs.run_inputs
    for file in node_inputs.store_files:
        yield from _fetch_and_link(file, folder / "store" / Path(file.path).name, file_server)
    inputs = replace(inputs, store=open_store(folder / "store"))
    if file := node_inputs.features_file:
        features = folder / Path(file.path).name
        yield from _fetch_and_link(file, features, file_server)
        inputs = replace(inputs, features_file=features)
    if file := node_inputs.weights_file:
        weights = folder / "weights" / Path(file.path).name
        yield from _fetch_and_link(file, weights, file_server)
        backbone = inputs.recipe.backbone.model_copy(update={"weights": str(weights)})
        inputs = replace(inputs, recipe=inputs.recipe.model_copy(update={"backbone": backbone}))
    return inputs


def _fetch_and_link(file: SharedFile, link: Path, file_server: Any) -> Iterator[Message]:
    """Gets a file, and makes a link with its name, which the cache does not keep."""
    path = yield from fetch(file_server, file)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path)


def _environment(node_inputs: NodeInputs) -> dict[str, str]:
    """Returns the environment variables of the training: its threads, and its GPU or none.

    Ray leaves CUDA_VISIBLE_DEVICES as it is for a task without a GPU, which would then see all of them.
    """
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "0") if node_inputs.uses_gpu else "-1"
    return {**node_inputs.environment, **ResourceShare(node_inputs.threads, gpu).environment}


def _run_child(
    work: ChildWork, environment: dict[str, str], folder: Path, fold_paths: FoldPaths | None
) -> Iterator[Message]:
    """Runs the training in a child process; yields its lines, heartbeats, and each new checkpoint.

    Raises:
        UserError: the child reported it.
        CrashedError: the child died.
        StoppedError: the child was stopped by a signal.
    """
    children = ReportingProcesses("medfold.training.child", folder)
    messages = items_from_thread(partial(children.run, work, environment), HEARTBEAT_SECONDS)
    sent = None
    try:
        for message in messages:
            if fold_paths and (state := _state_of(fold_paths.checkpoint)) not in (None, sent):
                sent = state
                yield from send_file(CHECKPOINT, fold_paths.checkpoint)
            match message:
                case {"text": text}:
                    yield Line(text)
                case _:
                    yield Heartbeat()
    finally:  # the driver may have ended the task
        children.end()


def _state_of(path: Path) -> tuple[int, int] | None:
    """Returns inode and modification time of a file, which differ once it is replaced; None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
