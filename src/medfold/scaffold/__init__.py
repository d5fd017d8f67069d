"""Drafting of competition.yaml from unknown files, for `make new`.

- `draft`: guessed facts with reasons and doubts; `class_order`: the order of classes;
- `raw_folder`: the files, sorted by what they may be;
- `from_files`: drafts the facts by one of `from_table`, `from_folders`, `from_arrays`;
- in tables: `table_search`, `id_column`, `target_columns`, `row_patterns`;
- in folders: `image_files`, `class_folders`; in images: `image_contents`;
- guesses for one section each: `task`, `group_facts`, `image_facts`, `submission_facts`;
- `completion`: what no file tells; `competition_folder`: the files of the new competition folder: facts
  (`commented_yaml`: how they are written), `recipes`, README.
"""

from medfold.scaffold.competition_folder import SUGGESTED_METRICS, folder_files
from medfold.scaffold.completion import complete_draft
from medfold.scaffold.draft import Draft
from medfold.scaffold.from_files import draft_facts

__all__ = [
    "SUGGESTED_METRICS",
    "Draft",
    "complete_draft",
    "draft_facts",
    "folder_files",
]
