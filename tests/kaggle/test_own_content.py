"""What the kit put on Kaggle is listed, and removed."""

from dataclasses import replace

import pytest

from medfold.kaggle.own_content import OwnContent, list_content, remove_content
from medfold.kaggle.session import KaggleSession
from tests.support.helpers import refused
from tests.support.kaggle_server import HostedDataset, instead
from tests.support.remote_runs import KIT, REF, run


def test_what_the_kit_put_there_is_listed_and_removed(hosted, sent):
    run(sent)
    run(replace(sent, name="medfold-other-run", dataset="medfold-other-run-kit"))
    hosted.datasets["alice/mine"] = HostedDataset()
    hosted.datasets["bob/medfold-his"] = HostedDataset()
    session = KaggleSession.connect()
    listed = list(list_content(session, "medfold-"))
    assert [(each.kind, each.ref) for each in listed] == [
        ("notebook", REF),
        ("notebook", "alice/medfold-other-run"),
        ("data set", KIT),
        ("data set", "alice/medfold-other-run-kit"),
    ]
    for each in listed:
        remove_content(session, each)
    assert set(hosted.datasets) == {"alice/mine", "bob/medfold-his"}
    assert not hosted.notebooks


@pytest.mark.parametrize(
    ("kind", "method", "answer"), [("notebook", "DeleteKernel", "errorMessage"), ("data set", "DeleteDataset", "error")]
)
def test_what_cannot_be_removed_says_so(hosted, sent, kind, method, answer):
    run(sent)
    hosted.fault(method, instead(**{answer: "In use"}))
    ref = REF if kind == "notebook" else KIT
    with refused(f"{ref}: Kaggle does not delete the {kind}: In use"):
        remove_content(KaggleSession.connect(), OwnContent(kind, ref))
