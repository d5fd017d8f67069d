"""Bins of confidence, for the expected calibration error and the calibration curve."""

import numpy as np

NUM_BINS = 15


def bin_of_confidence(confidence: np.ndarray) -> np.ndarray:
    """Returns in which bin each confidence lies, int (n,).

    The bins are closed on the right: [0, 1/15], (1/15, 2/15] and so on to (14/15, 1].

    Args:
        confidence: float (n,), from 0 to 1.
    """
    return np.searchsorted(np.arange(1, NUM_BINS) / NUM_BINS, confidence, side="left")
