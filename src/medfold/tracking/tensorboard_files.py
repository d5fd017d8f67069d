"""TensorBoard: an event file for each result, in the folder of the run; `tensorboard --logdir runs/<competition>`.

The file is written with TensorBoard's own record format rather than with its writer, which puts the name of the machine
into the name of the file, and the time into every record.
"""

from pathlib import Path

from medfold.system import files
from medfold.tracking.results import OOF, TrackedResult
from medfold.tracking.trackers import Tracker

EVENT_FILE = "events.out.tfevents.0.medfold"  # TensorBoard reads files with `tfevents` in their name
FILE_VERSION = "brain.Event:2"


def destination(result: TrackedResult) -> Path:
    """Returns the folder for the event files of a run: a subfolder, which TensorBoard calls a run, for each result."""
    return result.run_paths.folder / "tensorboard"


def write(result: TrackedResult) -> None:
    """Writes the event file of a result: equal bytes for an equal result. The folder is replaced as a whole."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb  # its `api` imports TensorFlow
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.record_writer import RecordWriter

    time = result.finished.timestamp()
    events = [Event(wall_time=time, file_version=FILE_VERSION)]
    if result.name != OOF:  # the folds of a run are one trial; its scores are their means
        summary = hparams_pb(
            result.settings, trial_id=result.run_paths.name, start_time_secs=result.started.timestamp()
        )
        events.append(Event(wall_time=time, summary=summary))
    for step, numbers in enumerate(result.epochs, 1):
        events += [Event(wall_time=time, step=step, summary=scalar_pb(*item)) for item in numbers.items()]
    for item in result.scores.items():
        events.append(Event(wall_time=time, step=len(result.epochs), summary=scalar_pb(*item)))
    with files.atomic_write(destination(result) / result.name) as folder:
        folder.mkdir()
        with (folder / EVENT_FILE).open("wb") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString(deterministic=True))


TRACKER = Tracker(write, destination, ("tensorboard>=2.19",))
