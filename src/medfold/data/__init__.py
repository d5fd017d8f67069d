"""Data of a competition: from raw files to a dataset of samples, targets and folds.

- `sources/`: a module per kind of source;
- `raw_data`: gets, repairs and renews the raw data;
- `staging`: raw data that is kept only if it is accepted;
- `label_layouts/`: a module per layout of the labels;
- `targets`: labels as numbers;
- `samples`: builds the sample table;
- `sample_checks`: checks of the sample table;
- `sample_files`: writes and reads the sample table;
- `patient_units`: units that are named by patients;
- `sample_submission`: reads the sample submission of the data, or makes one;
- `scanning`: scans the images of the samples;
- `attributes`: kept columns and DICOM headers of the samples;
- `holdout`: training images that become the test set;
- `hidden_test_set`: the test set alone, for notebooks;
- `dataset`: samples, targets, folds, leaks and test set together;
- `image_folder`: new images that no competition describes.
"""

from medfold.data.attributes import sample_attributes
from medfold.data.dataset import Dataset, make_dataset
from medfold.data.hidden_test_set import read_test_set
from medfold.data.image_folder import find_new_images
from medfold.data.label_layouts import label_layout
from medfold.data.patient_units import describe_patient_units
from medfold.data.raw_data import download_variables, fetch_raw_data, fetch_raw_files, load_samples
from medfold.data.sample_files import check_solution, needs_holdout, read_samples, samples_are_fresh
from medfold.data.sample_submission import read_sample_submission
from medfold.data.samples import build_samples, describe_image_counts
from medfold.data.scanning import scan_dataset, warn_of_unreadable
from medfold.data.sources.kinds import source
from medfold.data.sources.source import Source, open_source
from medfold.data.staging import staged_data
from medfold.data.targets import encode_targets

__all__ = [
    "Dataset",
    "Source",
    "build_samples",
    "check_solution",
    "describe_image_counts",
    "describe_patient_units",
    "download_variables",
    "encode_targets",
    "fetch_raw_data",
    "fetch_raw_files",
    "find_new_images",
    "label_layout",
    "load_samples",
    "make_dataset",
    "needs_holdout",
    "open_source",
    "read_sample_submission",
    "read_samples",
    "read_test_set",
    "sample_attributes",
    "samples_are_fresh",
    "scan_dataset",
    "source",
    "staged_data",
    "warn_of_unreadable",
]
