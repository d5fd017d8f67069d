"""Kaggle: session, competitions, data sets, notebooks, remote runs."""

from medfold.kaggle.client import SITE
from medfold.kaggle.datasets import Machines, name_of
from medfold.kaggle.remote_run import FailedNotebookError, RemoteRun, contents_of
from medfold.kaggle.session import KaggleSession, KaggleSubmission

__all__ = [
    "SITE",
    "FailedNotebookError",
    "KaggleSession",
    "KaggleSubmission",
    "Machines",
    "RemoteRun",
    "contents_of",
    "name_of",
]
