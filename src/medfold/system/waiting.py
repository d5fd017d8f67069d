"""Pauses between repeated requests."""

import time


def pause(seconds: float) -> None:
    """Pauses this thread."""
    time.sleep(seconds)


class GrowingPause:
    """A pause that is longer each time.

    Args:
        first: length of the first pause, in seconds.
        factor: ratio of a pause to the one before.
        longest: longest pause, in seconds.

    Attributes:
        seconds: length of the next pause.
    """

    def __init__(self, first: float, factor: float, longest: float):
        self.seconds = first
        self._factor, self._longest = factor, longest

    def pause(self) -> None:
        """Pauses this thread."""
        pause(self.seconds)
        self.seconds = min(self._factor * self.seconds, self._longest)
