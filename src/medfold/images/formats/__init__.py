"""Image formats: a module per format, and what they share.

- `format_registry`: which module reads a file; `decoding`: an image of any format; `file_contents`: headers, members,
  pages;
- formats: `raster` (JPEG, PNG and others), `tiff`, `dicom`, `npy`, `npz`, `hdf5`;
- of DICOM: `dicom_dataset`: the parsed file; `dicom_decoding`: its frames, after the checks of `dicom_jpeg`;
  `dicom_transforms` and `dicom_grayscale`, `dicom_palette`: stored values as shades or colours; `dicom_text`: headers;
- `arrays`: axes of arrays; `frames`: size, choice and montage of frames; `pixel_values`: values of any depth as uint8;
  `windows`: CT windows;
- `truncation`: files that were cut off; `declared_size`: the size by the header; `failures`: why an image cannot be
  read, in one line.
"""
