"""Data of a competition: sources, label layouts, sample table, targets, folds."""

from medfold.data.companions import find_companions, mask_warning
from medfold.data.dataset import Dataset, format_folds, load_dataset, scan_dataset
from medfold.data.examples import Example, examples_of_classes, near_duplicate_examples
from medfold.data.image_folder import new_images
from medfold.data.image_patterns import (
    CHANNEL_FIELD,
    PathPattern,
    image_exists,
    is_excluded,
    list_files,
    match_path_endings,
)
from medfold.data.label_arrays import class_numbers, open_arrays
from medfold.data.label_layouts import label_layout, split_label_list, split_long
from medfold.data.label_tables import MARKS, TABLE_EXTENSIONS, is_one_hot, normalise_texts, parse_marks, read_table
from medfold.data.parts import choose_test_part, part_from_name
from medfold.data.raw_data import get_raw_data, get_raw_files, load_samples
from medfold.data.samples import (
    build_samples,
    encode_targets,
    needs_holdout,
    read_extra_columns,
    read_samples,
    read_test_part,
    sample_submission,
    samples_are_fresh,
)
from medfold.data.sources.archives import unpack_archive
from medfold.data.sources.source import Source, open_source, source

__all__ = [
    "CHANNEL_FIELD",
    "MARKS",
    "TABLE_EXTENSIONS",
    "Dataset",
    "Example",
    "PathPattern",
    "Source",
    "build_samples",
    "choose_test_part",
    "class_numbers",
    "encode_targets",
    "examples_of_classes",
    "find_companions",
    "format_folds",
    "get_raw_data",
    "get_raw_files",
    "image_exists",
    "is_excluded",
    "is_one_hot",
    "label_layout",
    "list_files",
    "load_dataset",
    "load_samples",
    "mask_warning",
    "match_path_endings",
    "near_duplicate_examples",
    "needs_holdout",
    "new_images",
    "normalise_texts",
    "open_arrays",
    "open_source",
    "parse_marks",
    "part_from_name",
    "read_extra_columns",
    "read_samples",
    "read_table",
    "read_test_part",
    "sample_submission",
    "samples_are_fresh",
    "scan_dataset",
    "source",
    "split_label_list",
    "split_long",
    "unpack_archive",
]
