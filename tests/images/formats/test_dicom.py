"""DICOM images: recognised, read as one frame or as a montage, and scaled by the headers of each frame."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
)

from medfold.images import read_image
from tests.support.dicom_files import (
    dataset,
    images,
    pydicom_pixels,
    read_dataset,
    scale_to_uint8,
    smooth,
    write,
)
from tests.support.helpers import refused


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1], ids=lambda uid: uid.keyword)
def test_frame_selects_one_frame_or_montage(tmp_path, syntax):
    frames = np.stack([smooth(seed=seed) // (seed + 2) + 40 for seed in range(3)])
    write(tmp_path / "a.dcm", frames, syntax, bits=12, frames=3)

    def read(frame):
        return read_image(tmp_path, "a.dcm", images(frame=frame))[..., 0]

    for frame, number in (("first", 0), ("middle", 1), ("last", 2), (1, 1)):
        assert (read(frame) == scale_to_uint8(frames[number], frames[number].min(), frames[number].max())).all()
    tiles = scale_to_uint8(frames, frames.min(), frames.max())
    assert (read("montage") == np.block([[tiles[0], tiles[1]], [tiles[2], 0 * tiles[2]]])).all()
    for frame in (3, -1):
        with refused(f"no frame {frame}, only 3"):
            read(frame)


@pytest.mark.parametrize("shared", [True, False])
def test_rescale_and_window_of_functional_groups_are_applied(tmp_path, shared):
    pixels = smooth().astype(np.int16)
    transformation, window, groups = Dataset(), Dataset(), Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept = 2, -1000
    window.WindowCenter, window.WindowWidth = 500, 900
    groups.PixelValueTransformationSequence = Sequence([transformation])
    groups.FrameVOILUTSequence = Sequence([window])
    made = dataset(pixels)
    setattr(made, f"{'Shared' if shared else 'PerFrame'}FunctionalGroupsSequence", Sequence([groups]))
    flat = dataset(pixels, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=500, WindowWidth=900)
    assert (read_dataset(made, tmp_path) == pydicom_pixels(flat)).all()
    assert (read_dataset(made, tmp_path, windows=["bone"]) == scale_to_uint8(pixels * 2.0 - 1000, -800, 2000)).all()


@pytest.mark.parametrize("name", ["1.2.840.4711", "IM000001", "a.DCM", "a.dicom", "a.ima"])
def test_dicom_is_recognised_by_suffix_or_preamble(tmp_path, name):
    write(tmp_path / name, smooth(bits=8))
    assert read_image(tmp_path, name, images()).shape == (70, 66, 1)
