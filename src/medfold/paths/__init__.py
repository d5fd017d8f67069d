"""Paths that packages share.

- `project`: paths of a project folder; `competition`: of a competition; `run`: of a run and its folds;
- `variants`: competitions that share a folder;
- `ensemble`: of one run or several that are combined; `submission`: of a submission and the files beside it.
"""

from medfold.paths.competition import CompetitionPaths
from medfold.paths.ensemble import EnsemblePaths, combined_name
from medfold.paths.project import ProjectPaths
from medfold.paths.run import FoldPaths, RunPaths
from medfold.paths.submission import SubmissionPaths
from medfold.paths.variants import split_variants

__all__ = [
    "CompetitionPaths",
    "EnsemblePaths",
    "FoldPaths",
    "ProjectPaths",
    "RunPaths",
    "SubmissionPaths",
    "combined_name",
    "split_variants",
]
