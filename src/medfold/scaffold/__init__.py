"""Drafting of competition.yaml from unknown files."""

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
