"""Images: reading any format, preparation by the recipe, storage as uint8 arrays.

- `formats/`: a module per image format;
- `image_paths`: syntax of image paths;
- `image_list`: the fingerprint of all image paths;
- `prepared_image`: an image decoded and prepared;
- `examination`: a first look, for `make new`;
- `preparation`: the steps of a recipe, built in `preparation_steps`, then `resizing`;
- `scan`: decodes each raw image once;
- `scan_worker`: scans one image;
- `scan_journal`: makes the scan resumable;
- `scan_tables`: the tables that a scan writes;
- `worker_pool`: calls a function for many images, on all cores;
- `store`: the prepared images on the disk;
- `image_batches`: images that are predicted and not stored;
- `perceptual_hash`, `value_checks`, `dicom_headers`: for the audit;
- `contact_sheet`, `heat_map`: pictures for people.
"""

from medfold.images import preparation_steps as preparation_steps  # registers them
from medfold.images.contact_sheet import thumbnail, write_contact_sheet
from medfold.images.dicom_headers import identifying_keywords, read_headers
from medfold.images.examination import examine_images, list_members
from medfold.images.formats.decoding import read_image
from medfold.images.formats.format_registry import (
    UNSUPPORTED_FORMATS,
    image_extension,
    image_extensions,
    image_format,
    image_stem,
    is_dicom,
    may_be_dicom,
)
from medfold.images.heat_map import overlay, to_displayable
from medfold.images.image_batches import DECODER_CRASHED, ImageBatch, read_batches
from medfold.images.image_list import write_image_list_fingerprint
from medfold.images.image_paths import files_of_image, path_of_image
from medfold.images.perceptual_hash import THUMBNAIL_SIZE
from medfold.images.preparation import preparation_step, prepare_image, steps_of
from medfold.images.prepared_image import problem_of
from medfold.images.resizing import fit_within, resize
from medfold.images.scan import ScanBatches, ScanResult, array_shapes, scan_images, scan_in_processes
from medfold.images.scan_tables import read_appearance, read_measurements, read_scanned_headers
from medfold.images.scan_worker import ONE_VALUE_PREFIX, STATISTICS, ImageScan, ScanSettings
from medfold.images.store import Store, load_store, open_store, store_exists, store_key, verify_store
from medfold.images.value_checks import value_warnings

__all__ = [
    "DECODER_CRASHED",
    "ONE_VALUE_PREFIX",
    "STATISTICS",
    "THUMBNAIL_SIZE",
    "UNSUPPORTED_FORMATS",
    "ImageBatch",
    "ImageScan",
    "ScanBatches",
    "ScanResult",
    "ScanSettings",
    "Store",
    "array_shapes",
    "examine_images",
    "files_of_image",
    "fit_within",
    "identifying_keywords",
    "image_extension",
    "image_extensions",
    "image_format",
    "image_stem",
    "is_dicom",
    "list_members",
    "load_store",
    "may_be_dicom",
    "open_store",
    "overlay",
    "path_of_image",
    "preparation_step",
    "prepare_image",
    "problem_of",
    "read_appearance",
    "read_batches",
    "read_headers",
    "read_image",
    "read_measurements",
    "read_scanned_headers",
    "resize",
    "scan_images",
    "scan_in_processes",
    "steps_of",
    "store_exists",
    "store_key",
    "thumbnail",
    "to_displayable",
    "value_warnings",
    "verify_store",
    "write_contact_sheet",
    "write_image_list_fingerprint",
]
