"""The time at which a training must stop, given by whoever starts it."""

import os
import time

STOP_AT = "MEDFOLD_STOP_AT"  # environment variable, seconds since 1970: training then saves a checkpoint and stops


def deadline_passed() -> bool:
    """Returns True if the training must save a checkpoint and stop now."""
    return time.time() >= float(os.environ.get(STOP_AT, "inf"))
