"""Time: as many folds and views as fit into what is left of it, told by the first images."""

import time
from collections.abc import Callable

from medfold.console import format_duration, warn
from medfold.ensemble import PredictionLimit

SHARE = 0.9  # of the time that is left is planned with; the rest is for what cannot be foreseen


class TimeBudget:
    """Decides how much is asked of the nets, batch after batch.

    It begins with everything. Once the pace shows that the images that are left would take too long, views are given up
    first (half of them, again and again), then folds; nothing is taken back. When the time is up, nothing is left to
    give up.

    Args:
        seconds: that there are.
        images: how many are to be predicted.
        folds, views: the most that any run has.
        cost: of a limit, in looks of nets at an image.
        clock: seconds. Defaults to a clock that never goes back.
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
        self._measure()

    @property
    def limit(self) -> PredictionLimit:
        """What is asked now."""
        return self._limits[0]

    def next(self) -> PredictionLimit | None:
        """What to ask of the next batch; None if the time is up."""
        room = self._deadline - self._clock()
        if room <= 0:
            return None
        if self._images and len(self._limits) > 1:
            pace, asked = self._spent / self._images, self._asked / self._images
            if pace * self._left > SHARE * room:
                self._give_up(pace, asked, SHARE * room)
        return self.limit

    def done(self, images: int, seconds: float) -> None:
        """Tells what a batch took.

        Args:
            images: those predicted, and those that could not be read.
            seconds: within the nets; the rest of the time was reading.
        """
        self._left -= images
        self._images += images
        self._spent = self._clock() - self._since
        self._asked += seconds

    def _measure(self) -> None:
        self._since, self._images, self._spent, self._asked = self._clock(), 0, 0.0, 0.0

    def _give_up(self, pace: float, asked: float, room: float) -> None:
        full = self._cost(self.limit)
        needed = format_duration(pace * self._left)
        while len(self._limits) > 1:
            self._limits.pop(0)
            if (pace - asked * (1 - self._cost(self.limit) / full)) * self._left <= room:
                break
        kept = f"{self.limit.folds} folds of each run, {self.limit.views} views of each image"
        warn(
            "time", f"{self._left:,} images would take {needed}, {format_duration(room)} are left: from here on {kept}"
        )
        self._measure()
