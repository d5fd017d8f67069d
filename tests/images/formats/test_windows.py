"""CT windows: by name or by numbers, and as channels."""

import numpy as np

from medfold.images.formats.windows import window_of
from tests.support.helpers import refused
from tests.support.image_files import FLOAT, GREY, read, scale_to_uint8


def test_windows_become_channels_and_need_signed_values(tmp_path):
    np.save(tmp_path / "a.npy", FLOAT)
    found = read(tmp_path / "a.npy", 2, windows=["brain", (0, 200)])
    assert (found == np.stack([scale_to_uint8(FLOAT, 0, 80), scale_to_uint8(FLOAT, -100, 100)], axis=-1)).all()
    np.save(tmp_path / "a.npy", GREY)
    with refused("'images.windows' need Hounsfield units"):
        read(tmp_path / "a.npy", 1, windows=["brain"])


def test_window_of_accepts_names_and_rejects_invalid_windows():
    assert window_of("lung") == (-600, 1500)
    assert window_of((12, 34.5)) == (12, 34.5)
    with refused("unknown window 'brian' \\(did you mean 'brain'\\?\\).*subdural"):
        window_of("brian")
    with refused(r"the window \[40, 0\] has no width above 0"):
        window_of((40, 0))
