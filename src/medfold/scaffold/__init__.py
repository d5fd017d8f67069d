"""Drafting of competition.yaml from unknown files, for `make new`.

- `drafting`: sorts the files and drafts the facts; `draft`: guessed facts with reasons and doubts;
- `from_table`, `from_folders`, `from_arrays`: one way to draft each, by the place of the labels;
- in tables: `table_search`, `id_column`, `target_columns`, `row_patterns`;
- in folders: `image_files`, `class_folders`; in images: `image_contents`;
- guesses for one section each: `task`, `group_facts`, `image_facts`, `submission_facts`;
- `folder`: the files of the new competition folder.
"""

from medfold.scaffold.draft import Draft
from medfold.scaffold.drafting import draft_facts
from medfold.scaffold.folder import SUGGESTED, complete_facts, folder_files

__all__ = [
    "SUGGESTED",
    "Draft",
    "complete_facts",
    "draft_facts",
    "folder_files",
]
