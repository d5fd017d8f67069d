"""Images in the arrays of .npz files."""

import numpy as np

from tests.support.image_files import noise, read


def test_npz_image_is_read_by_member_and_row(tmp_path):
    stack = noise((3, 4, 4, 3))
    np.savez(tmp_path / "x.npz", test_images=stack)
    assert (read(tmp_path / "x.npz", 3, "#test_images/2") == stack[2]).all()
