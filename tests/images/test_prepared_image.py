"""Reading one image for the scan."""

import cv2
import numpy as np
import pandas as pd

from tests.support.scans import run_scan


def test_image_of_unexpected_shape_is_unreadable(small, table):
    path = small.paths.raw / table["image"].iloc[0]
    cv2.imwrite(str(path), np.zeros((64, 128), np.uint8))
    run_scan(small, table)
    assert pd.read_csv(small.paths.unreadable_images)["unreadable_reason"].tolist() == [
        "64x128 pixels, expected 128x128 (images.expected_shape)"
    ]
