"""Time budget of predictions: reduces folds and views to what fits into the remaining time."""

import time
from collections.abc import Callable

from medfold.new_images.ensemble_predictor import PredictionLimit
from medfold.terminal.console import format_duration, warn
from medfold.text import count_of

PLANNED_SHARE = 0.9  # share of the remaining time that is planned; the rest is a reserve


class TimeBudget:
    """Limits the folds and test-time views of each batch, so that all images are predicted in time.

    It starts with all folds and views. When the measured pace is too slow for the remaining images, it first halves
    the views, repeatedly, then drops folds one by one; it never raises the limit again. When the time is up, it stops
    the prediction.

    Args:
        seconds: time limit for all images, in seconds.
        num_images: number of images to predict.
        largest: the largest numbers of folds and of test-time views of any run.
        cost: returns the forward passes per image of a limit.
        clock: returns seconds. Defaults to a monotonic clock.
    """

    def __init__(
        self,
        seconds: float,
        num_images: int,
        largest: PredictionLimit,
        cost: Callable[[PredictionLimit], float],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._limits = [largest]
        while self._limits[-1] != (1, 1):
            folds, views = self._limits[-1]
            self._limits.append(PredictionLimit(folds, views // 2) if views > 1 else PredictionLimit(folds - 1, 1))
        self._clock = clock
        self._cost = cost
        self._num_left = num_images
        self._deadline = clock() + seconds
        self._restart_measurement()

    @property
    def limit(self) -> PredictionLimit:
        """The current limit of folds and views."""
        return self._limits[0]

    def next_limit(self) -> PredictionLimit | None:
        """Returns the limit for the next batch; None if the time is up."""
        seconds_left = self._deadline - self._clock()
        if seconds_left <= 0:
            return None
        if self._num_measured and len(self._limits) > 1:
            seconds_per_image = self._seconds_spent / self._num_measured
            net_seconds_per_image = self._net_seconds / self._num_measured
            if seconds_per_image * self._num_left > PLANNED_SHARE * seconds_left:
                self._lower_limit(seconds_per_image, net_seconds_per_image, PLANNED_SHARE * seconds_left)
        return self.limit

    def record(self, num_images: int, seconds: float, limit: PredictionLimit) -> None:
        """Records the time that a batch took.

        Args:
            num_images: number of images, including unreadable ones.
            seconds: time in the nets, divided by the number of processes; the rest of the time was reading.
            limit: the limit of the batch. One that began before the limit was lowered says nothing about the new pace.
        """
        self._num_left -= num_images
        if limit != self.limit:
            self._restart_measurement()
            return
        self._num_measured += num_images
        self._seconds_spent = self._clock() - self._measured_since
        self._net_seconds += seconds

    def _restart_measurement(self) -> None:
        self._measured_since = self._clock()
        self._num_measured = 0
        self._seconds_spent = 0.0
        self._net_seconds = 0.0

    def _lower_limit(self, seconds_per_image: float, net_seconds_per_image: float, seconds_left: float) -> None:
        full = self._cost(self.limit)
        needed = format_duration(seconds_per_image * self._num_left)
        while len(self._limits) > 1:
            self._limits.pop(0)
            saved = net_seconds_per_image * (1 - self._cost(self.limit) / full)
            if (seconds_per_image - saved) * self._num_left <= seconds_left:
                break
        kept = (
            f"{count_of(self.limit.max_folds, 'fold')} of each run, "
            f"{count_of(self.limit.max_views, 'view')} of each image"
        )
        warn(
            "time",
            f"{count_of(self._num_left, 'image')} would take {needed}, {format_duration(seconds_left)} "
            f"left: from here on {kept}",
        )
        self._restart_measurement()
