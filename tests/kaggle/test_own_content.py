"""Content that medfold put on Kaggle: listed and removed."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from medfold.kaggle import KaggleSession
from medfold.kaggle.own_content import OwnContent, list_content, remove_content
from tests.support.helpers import refused
from tests.support.kaggle_server import HostedDataset, instead
from tests.support.notebook_jobs import DATASET, REF, run


def test_own_content_is_listed_and_removed(hosted, job):
    run(job)
    run(replace(job, name="medfold-other-run", dataset_name="medfold-other-run-kit"))
    hosted.datasets["alice/mine"] = HostedDataset()
    hosted.datasets["bob/medfold-his"] = HostedDataset()
    session = KaggleSession.connect()
    listed = list(list_content(session, "medfold-"))
    assert [(each.kind, each.full_name) for each in listed] == [
        ("notebook", REF),
        ("notebook", "alice/medfold-other-run"),
        ("data set", DATASET),
        ("data set", "alice/medfold-other-run-kit"),
    ]
    for each in listed:
        remove_content(session, each)
    assert set(hosted.datasets) == {"alice/mine", "bob/medfold-his"}
    assert not hosted.notebooks


@pytest.mark.parametrize(
    ("kind", "method", "answer"), [("notebook", "DeleteKernel", "errorMessage"), ("data set", "DeleteDataset", "error")]
)
def test_refused_removal_raises_with_the_reason(hosted, job, kind, method, answer):
    run(job)
    hosted.fault(method, instead(**{answer: "In use"}))
    ref = REF if kind == "notebook" else DATASET
    with refused(f"{ref}: Kaggle does not delete the {kind}: In use"):
        remove_content(KaggleSession.connect(), OwnContent(kind, ref))


def test_names_of_users_are_compared_without_case():
    """Kaggle shows a user name as it was typed, and writes it in small letters in the address."""
    notebooks = [SimpleNamespace(ref=ref) for ref in ("alice/medfold-b", "alice/medfold-a", "bob/medfold-c")]
    pages = {"your notebooks": [SimpleNamespace(kernels=notebooks)], "your data sets": [SimpleNamespace(datasets=None)]}
    session = SimpleNamespace(
        user="Alice",
        api=SimpleNamespace(kernels_list_with_response=None, dataset_list_with_response=None),
        pages=lambda where, ask, **options: pages[where],
    )
    listed = [each.full_name for each in list_content(session, "medfold-")]
    assert listed == ["alice/medfold-a", "alice/medfold-b"]
