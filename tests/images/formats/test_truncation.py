"""Detection of truncated JPEG and PNG files."""

import numpy as np
import pytest

from medfold.images.formats import truncation
from tests.support.helpers import picture
from tests.support.image_files import jpeg


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("behind", [b"", b"\0\0\0", b"\xff\xff", b"a trailer", jpeg()])
def test_complete_jpeg_with_trailer_is_not_truncated(progressive, behind):
    assert not truncation.is_truncated(np.frombuffer(jpeg(progressive=progressive) + behind, np.uint8))


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_cut_anywhere_is_truncated(progressive):
    thumbnail = b"Exif\0\0" + jpeg()  # it has an end marker of its own
    whole = jpeg(thumbnail, progressive=progressive)
    for length in range(3, len(whole) - 1, 7):
        assert (
            truncation.is_truncated(np.frombuffer(whole[:length], np.uint8))
            or whole[length - 2 : length] == b"\xff\xd9"
        )
    assert truncation.is_truncated(np.frombuffer(whole[:-2] + b"\0" * 50, np.uint8))


@pytest.mark.parametrize("behind", [b"", b"\0\0", b"a trailer"])
def test_png_without_last_chunk_is_truncated(tmp_path, behind):
    picture(tmp_path / "a.png", shape=(64, 64))
    whole = (tmp_path / "a.png").read_bytes()
    assert not truncation.is_truncated(np.frombuffer(whole + behind, np.uint8))
    for length in (40, len(whole) // 2, len(whole) - 13):
        assert truncation.is_truncated(np.frombuffer(whole[:length] + behind, np.uint8))
