"""One image, or a stack of frames, in a .npy file."""

import numpy as np
import pytest

from medfold.images.formats import npy
from medfold.images.formats.failures import ImageError
from tests.support.image_files import images

STACK = np.random.default_rng(0).integers(0, 256, (5, 20, 30), dtype=np.uint8)


@pytest.mark.parametrize(("frame", "row"), [("first", 0), ("middle", 2), ("last", 4), (3, 3)])
def test_frame_of_a_stack_is_read(tmp_path, frame, row):
    np.save(tmp_path / "a.npy", STACK)
    pixels, headers = npy.read(tmp_path / "a.npy", "", images(frame=frame))
    assert (pixels.squeeze() == STACK[row]).all()
    assert headers == {}


@pytest.mark.parametrize("content", [b"no array", b"\x93NUMPY\x01\0"])
def test_other_content_is_refused(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ImageError, match="not an array"):
        npy.read(tmp_path / "a.npy", "", images())


def test_array_of_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ImageError, match="an array of Python objects"):
        npy.read(tmp_path / "a.npy", "", images())
