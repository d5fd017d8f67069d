"""The chain of a grayscale DICOM image: modality values, window, padding."""

import numpy as np

from tests.support.dicom_files import dataset, lut, read_dataset, scale_to_uint8, smooth


def test_non_monotone_modality_lut_is_scaled_by_its_output(tmp_path):
    hill = np.rint(1000 * np.sin(np.linspace(0, np.pi, 4096))).astype(np.uint16)
    pixels = smooth()
    made = dataset(pixels, 12, ModalityLUTSequence=lut(hill, 0, 10))
    assert (read_dataset(made, tmp_path) == scale_to_uint8(hill[pixels], hill[pixels].min(), hill[pixels].max())).all()


def test_8_bit_lut_may_have_over_256_entries(tmp_path):
    # pydicom 3.0 counts their entries modulo 256.
    pixels, entries = smooth(), (np.arange(4096) >> 4).astype(np.uint8)
    for data, kind in ((entries.tobytes(), "OW"), (entries.astype("<u2").tobytes(), "OW"), (entries.tolist(), "US")):
        made = dataset(pixels, 12, VOILUTSequence=lut(entries, 0, 8))
        made.VOILUTSequence[0].add_new("LUTData", kind, data)
        assert (read_dataset(made, tmp_path) == entries[pixels]).all()


def test_unsigned_padding_value_of_signed_image_is_recognised(tmp_path):
    pixels = smooth().astype(np.int16)
    pixels[:9] = -2000
    made = dataset(pixels)
    made.add_new("PixelPaddingValue", "US", 2**16 - 2000)
    assert (read_dataset(made, tmp_path)[9:] == scale_to_uint8(pixels[9:], pixels[9:].min(), pixels[9:].max())).all()
