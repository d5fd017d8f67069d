"""Raw files of a competition: path patterns of images, tables and arrays with labels, names of splits and groups.

- `listing`: the files of a folder;
- `path_patterns`: path patterns such as `train/{id}.png`; `image_search`: images of table rows, found by them;
- `text_tables`: tables, read as text;
- `label_tables`, `label_texts`, `label_arrays`: labels in tables, in texts and in arrays;
- `companions`: masks and other files beside the images;
- `splits`: words for train, valid and test; `group_names`: words for patients, studies and lesions.
"""

from medfold.raw_files.companions import find_companions, mask_warning
from medfold.raw_files.group_names import (
    GROUP_WORDS,
    PERSON_WORDS,
    find_group_word,
    is_attribute_name,
    is_group_name,
)
from medfold.raw_files.image_search import find_images, image_exists, match_path_endings
from medfold.raw_files.label_arrays import class_numbers, open_arrays
from medfold.raw_files.label_tables import (
    BINARY_MARKS,
    check_classes,
    drop_rows,
    is_one_hot,
    map_labels,
    match_class_spelling,
    merge_repeated_rows,
    normalise_text,
    normalise_texts,
    parse_binary_columns,
)
from medfold.raw_files.label_texts import split_label_list, split_row_names
from medfold.raw_files.listing import found_folders, is_data_name, is_excluded, list_files
from medfold.raw_files.path_patterns import CHANNEL_FIELD, PathPattern, fill_pattern, pattern_fields
from medfold.raw_files.splits import choose_test_split, split_from_name
from medfold.raw_files.text_tables import TABLE_EXTENSIONS, check_column, read_table

__all__ = [
    "BINARY_MARKS",
    "CHANNEL_FIELD",
    "GROUP_WORDS",
    "PERSON_WORDS",
    "TABLE_EXTENSIONS",
    "PathPattern",
    "check_classes",
    "check_column",
    "choose_test_split",
    "class_numbers",
    "drop_rows",
    "fill_pattern",
    "find_companions",
    "find_group_word",
    "find_images",
    "found_folders",
    "image_exists",
    "is_attribute_name",
    "is_data_name",
    "is_excluded",
    "is_group_name",
    "is_one_hot",
    "list_files",
    "map_labels",
    "mask_warning",
    "match_class_spelling",
    "match_path_endings",
    "merge_repeated_rows",
    "normalise_text",
    "normalise_texts",
    "open_arrays",
    "parse_binary_columns",
    "pattern_fields",
    "read_table",
    "split_from_name",
    "split_label_list",
    "split_row_names",
]
