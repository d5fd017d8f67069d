"""Paths that packages share.

- `project`: paths of a project folder; `competition`: of a competition; `run`: of a run and its folds;
- `ensemble`: of one run or several that are combined.
"""

from medfold.paths.competition import CompetitionPaths
from medfold.paths.ensemble import EnsemblePaths, combined_name
from medfold.paths.project import ProjectPaths
from medfold.paths.run import FoldPaths, RunPaths

__all__ = ["CompetitionPaths", "EnsemblePaths", "FoldPaths", "ProjectPaths", "RunPaths", "combined_name"]
