import numpy as np

from medfold.scoring.confidence_bins import NUM_BINS, bin_of_confidence


def test_bins_are_closed_on_the_right():
    edges = np.arange(NUM_BINS + 1) / NUM_BINS
    np.testing.assert_array_equal(bin_of_confidence(edges), [0, *range(NUM_BINS)])
    np.testing.assert_array_equal(bin_of_confidence(np.nextafter(edges[1:-1], 1)), range(1, NUM_BINS))
