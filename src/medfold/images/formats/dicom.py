"""DICOM images, read with pydicom: pixels of a frame or a montage, and technical headers. See docs/dicom.md.

`dicom_dataset` parses the file, `dicom_decoding` decodes its frames, `dicom_transforms`, `dicom_grayscale` and
`dicom_palette` make pixels of the stored values, `dicom_text` reads headers as text.
"""

from pathlib import Path

import numpy as np

from medfold.competition import ImageFacts
from medfold.images.formats import dicom_grayscale, dicom_palette
from medfold.images.formats.dicom_dataset import num_frames, read_dataset
from medfold.images.formats.dicom_decoding import decode_frames
from medfold.images.formats.dicom_text import technical_headers
from medfold.images.formats.dicom_transforms import grayscale_transforms
from medfold.images.formats.failures import ImageError
from medfold.images.formats.frames import chosen_frames, tile_frames
from medfold.images.formats.pixel_values import frames_to_uint8


def read(path: Path, member: str, image_facts: ImageFacts) -> tuple[np.ndarray, dict[str, str]]:
    """Reads the image of a DICOM file and its technical headers.

    Args:
        path: a DICOM file.
        member: not used: a DICOM file contains one image.
        image_facts: the facts `images` (windows, range, frame).

    Returns:
        uint8 (height, width), or (height, width, n) for colour and for several windows; and the headers by keyword.

    Raises:
        ImageError: the file is not DICOM, has no pixels, or they cannot be decoded.
    """
    dataset = read_dataset(path)
    numbers = chosen_frames(num_frames(dataset), image_facts)
    frames = decode_frames(dataset, numbers, image_facts)
    uses_palette = dataset.PhotometricInterpretation == "PALETTE COLOR"
    if image_facts.windows and (uses_palette or frames[0].ndim == 3):
        raise ImageError("a colour image, but 'images.windows' need Hounsfield units")
    if frames[0].ndim == 3:
        pixels = frames_to_uint8(np.stack(frames), image_facts)
    elif uses_palette:
        pixels = [dicom_palette.apply_palette(frame, dataset) for frame in frames]
    else:
        pixels = dicom_grayscale.apply_grayscale_transforms(
            frames, [grayscale_transforms(dataset, number, image_facts) for number in numbers]
        )
    return tile_frames(list(pixels), image_facts), technical_headers(dataset)


def min_hounsfield(path: Path) -> float | None:
    """Returns the minimum of the first frame without padding, in Hounsfield units; None if the file is not a CT."""
    dataset = read_dataset(path)
    if dataset.get("Modality") != "CT" or dataset.SamplesPerPixel != 1:
        return None
    image_facts = ImageFacts(train="unused", channels=1)
    (frame,) = decode_frames(dataset, range(1), image_facts)
    transforms = grayscale_transforms(dataset, 0, image_facts)
    ends = dicom_grayscale.value_range(frame, transforms)
    return min(ends) if ends else None


def stored_values(path: Path) -> np.ndarray | None:
    """Returns the stored values of the first frame; None if it is a colour image or defines a window."""
    dataset = read_dataset(path)
    if dataset.SamplesPerPixel != 1 or dataset.get("WindowCenter") is not None or "VOILUTSequence" in dataset:
        return None
    return decode_frames(dataset, range(1), ImageFacts(train="unused"))[0]
