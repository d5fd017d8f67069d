"""From raw files to a dataset: sources, label layouts, samples, targets and folds."""

from medfold.data.companions import find_companions, mask_suspicion
from medfold.data.dataset import Dataset, folds_in_words, load_dataset, scan_dataset
from medfold.data.examples import Example, examples_of_classes, near_duplicate_examples
from medfold.data.image_folder import new_images
from medfold.data.image_patterns import CHANNEL_FIELD, PathRule, image_exists, is_excluded, list_files, paths_by_ending
from medfold.data.label_arrays import class_numbers, open_arrays
from medfold.data.label_layouts import label_layout, names_in, split_long
from medfold.data.label_tables import MARKS, TABLE_ENDINGS, as_marks, is_one_hot, plain_texts, read_table
from medfold.data.parts import held_out, part_of
from medfold.data.raw_data import get_raw_data, get_some_raw_data, samples_of
from medfold.data.samples import (
    build_samples,
    encode_targets,
    further_columns,
    is_undivided,
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
    "TABLE_ENDINGS",
    "Dataset",
    "Example",
    "PathRule",
    "Source",
    "as_marks",
    "build_samples",
    "class_numbers",
    "encode_targets",
    "examples_of_classes",
    "find_companions",
    "folds_in_words",
    "further_columns",
    "get_raw_data",
    "get_some_raw_data",
    "held_out",
    "image_exists",
    "is_excluded",
    "is_one_hot",
    "is_undivided",
    "label_layout",
    "list_files",
    "load_dataset",
    "mask_suspicion",
    "names_in",
    "near_duplicate_examples",
    "new_images",
    "open_arrays",
    "open_source",
    "part_of",
    "paths_by_ending",
    "plain_texts",
    "read_samples",
    "read_table",
    "read_test_part",
    "sample_submission",
    "samples_are_fresh",
    "samples_of",
    "scan_dataset",
    "source",
    "split_long",
    "unpack_archive",
]
