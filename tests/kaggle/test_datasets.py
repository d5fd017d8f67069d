"""Data sets at Kaggle: versions, and waiting until one can be used."""

from tests.support.helpers import refused
from tests.support.kaggle_server import HostedDataset, instead, status
from tests.support.remote_runs import KIT, labelled, run


def test_other_files_make_a_new_version_with_nothing_of_the_old(hosted, sent):
    run(sent)
    (sent.manifest.parent / "weights.h5").unlink()
    (sent.manifest.parent / "other.h5").write_bytes(b"w")
    ran = run(labelled(sent, "second"))
    assert (ran.dataset.version, ran.notebook.version) == (2, 2)
    assert {"kit.json", "other.h5"} == {name for name in hosted.datasets[KIT].files if "version" not in name}


def test_a_public_data_set_is_not_written_to(hosted, sent):
    hosted.datasets[KIT] = HostedDataset(private=False)
    with refused(f"{KIT}: this data set is public, and would publish your folds. Make it private"):
        run(sent)
    assert hosted.asked("upload") == hosted.asked("CreateDatasetVersion") == 0


def test_a_data_set_that_cannot_be_unpacked_is_sent_anew(hosted, sent):
    hosted.fault("GetDatasetStatus", instead(status="BLOBS_RECEIVED"), instead(status="FAILED"))
    with refused(r"Kaggle could not unpack the data set \(failed\). Run the same command again to upload it"):
        run(sent)
    hosted.fault("GetDatasetStatus", instead(status="FAILED"))
    assert run(sent).dataset.version == 2


def test_a_data_set_that_is_never_ready(hosted, sent):
    hosted.datasets[KIT] = HostedDataset(private=True, states=["BLOBS_RECEIVED"] * 1000)
    with refused(r"the data set is not ready after 30.* min \(blobs_received\). Run the same command again later"):
        run(sent)


def test_a_version_that_is_not_shown_yet_is_waited_for(hosted, sent):
    run(sent)
    hosted.datasets[KIT].lag = 3
    run(labelled(sent, "second"))
    assert hosted.asked("ListDatasetFiles") >= 4
    hosted.fault("GetDatasetStatus", None, status(403), status(404))
    run(labelled(sent, "third"))
    assert hosted.datasets[KIT].version == 3
