"""Time budget of the hidden predictions: reduces folds and views to what fits into the remaining time."""

import time
from collections.abc import Callable

from medfold.console import format_duration, warn
from medfold.ensemble import PredictionLimit

SHARE = 0.9  # of the remaining time is planned; the rest is a reserve


class TimeBudget:
    """Limits the folds and test-time views of each batch, so that all images are predicted in time.

    It starts with all folds and views. When the measured pace is too slow for the remaining images, it first halves
    the views, repeatedly, then drops folds one by one; it never raises the limit again. When the time is up, it stops
    the prediction.

    Args:
        seconds: the time limit.
        images: number of images to predict.
        folds, views: the largest numbers that any run has.
        cost: returns the forward passes per image of a limit.
        clock: returns seconds. Defaults to a monotonic clock.
    """

    def __init__(
        self,
        seconds: float,
        images: int,
        folds: int,
        views: int,
        cost: Callable[[PredictionLimit], float],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._limits = [PredictionLimit(folds, views)]
        while self._limits[-1] != (1, 1):
            folds, views = self._limits[-1]
            self._limits.append(PredictionLimit(folds, views // 2) if views > 1 else PredictionLimit(folds - 1, 1))
        self._clock, self._cost, self._left = clock, cost, images
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
        if self._images and len(self._limits) > 1:
            pace, predicting = self._spent / self._images, self._predicting / self._images
            if pace * self._left > SHARE * seconds_left:
                self._lower_limit(pace, predicting, SHARE * seconds_left)
        return self.limit

    def record(self, images: int, seconds: float) -> None:
        """Records the time that a batch took.

        Args:
            images: number of images, including unreadable ones.
            seconds: time in the networks; the rest of the time was reading.
        """
        self._left -= images
        self._images += images
        self._spent = self._clock() - self._since
        self._predicting += seconds

    def _restart_measurement(self) -> None:
        self._since, self._images, self._spent, self._predicting = self._clock(), 0, 0.0, 0.0

    def _lower_limit(self, pace: float, predicting: float, seconds_left: float) -> None:
        full = self._cost(self.limit)
        needed = format_duration(pace * self._left)
        while len(self._limits) > 1:
            self._limits.pop(0)
            if (pace - predicting * (1 - self._cost(self.limit) / full)) * self._left <= seconds_left:
                break
        kept = f"{self.limit.folds} folds of each run, {self.limit.views} views of each image"
        warn(
            "time",
            f"{self._left:,} images would take {needed}, {format_duration(seconds_left)} are left: from here on {kept}",
        )
        self._restart_measurement()
