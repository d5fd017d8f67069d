"""Access to Kaggle through its official client.

- `session`: a signed-in session that sends nothing twice;
- `credentials`, `client`, `retrying_client`: what it is based on;
- `request_errors`: failed requests in one line;
- `competitions`: details, limits, submissions;
- `download`: files of competitions and data sets;
- `datasets`, `kernels`: the user's own data sets and notebooks;
- `own_content`: data sets and notebooks that medfold made, for `clean-kaggle`;
- `notebook_job`: a data set and a notebook that reads it, run at most once.
"""

from medfold.kaggle.competitions import KaggleCompetitions, KaggleSubmission
from medfold.kaggle.download import (
    competition_files,
    dataset_files,
    request_competition_archive,
    request_dataset_archive,
)
from medfold.kaggle.kernels import AttachedData, KaggleKernels
from medfold.kaggle.notebook_job import FailedNotebookError, NotebookJob, run_notebook_job
from medfold.kaggle.own_content import list_content, remove_content
from medfold.kaggle.session import KaggleSession, kaggle_name

__all__ = [
    "AttachedData",
    "FailedNotebookError",
    "KaggleCompetitions",
    "KaggleKernels",
    "KaggleSession",
    "KaggleSubmission",
    "NotebookJob",
    "competition_files",
    "dataset_files",
    "kaggle_name",
    "list_content",
    "remove_content",
    "request_competition_archive",
    "request_dataset_archive",
    "run_notebook_job",
]
