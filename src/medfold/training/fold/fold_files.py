"""Writer of the files of a fold: files of an earlier training are removed first, the marker is written last."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from medfold.paths import FoldPaths
from medfold.prediction import save_weights
from medfold.runs import mark_fold_trained, write_prediction_table
from medfold.system import files, json_files
from medfold.tables import write_csv
from medfold.training.fold.trained_net import TrainedNet
from medfold.training.loop.checkpoint import remove_checkpoint


class FoldFiles:
    """Writes the files of one fold, from the start of its training to its end.

    A fold that an earlier version wrote keeps the former names of its files.

    Args:
        fold_paths: the files of the fold.
    """

    def __init__(self, fold_paths: FoldPaths):
        self._began = time.monotonic()
        self._paths = fold_paths
        # These two depend on what is there now, before stale files are removed.
        self._weights, self._warnings = fold_paths.weights, fold_paths.self_check_warnings

    def remove_temporaries(self) -> None:
        """Removes temporary files that a killed training left."""
        tables = [path.with_suffix(".npz") for path in (self._paths.oof, self._paths.test)]
        for path in (self._paths.checkpoint, self._paths.trained_marker, *self._outputs, *tables):
            files.remove_temporaries(path)

    @property
    def _outputs(self) -> tuple[Path, ...]:
        return self._weights, self._paths.history, self._paths.oof, self._paths.test, self._warnings

    def write_net_and_predictions(self, trained: TrainedNet, oof: pd.DataFrame, test: pd.DataFrame) -> None:
        """Writes the weights, the history and the predictions; they replace the files of an earlier training.

        Args:
            trained: the trained net.
            oof: table of predictions of the validation samples.
            test: table of predictions of the test set.
        """
        for stale in (self._paths.trained_marker, *self._outputs):
            stale.unlink(missing_ok=True)
        save_weights(trained.net, self._weights)
        write_csv(trained.history, self._paths.history)
        write_prediction_table(oof, self._paths.oof)
        write_prediction_table(test, self._paths.test)

    def mark_trained(self, warnings: list[str]) -> None:
        """Writes the warnings of the self-check, the duration and the marker, and removes the checkpoint."""
        json_files.write(warnings, self._warnings)
        seconds = round(time.monotonic() - self._began, 1)
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        json_files.write({"seconds": seconds, "finished": finished}, self._paths.timing)
        mark_fold_trained(self._paths, self._outputs)
        remove_checkpoint(self._paths.checkpoint)
