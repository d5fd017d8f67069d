"""Data sets on Kaggle: new versions, and waiting until one is ready."""

from tests.support.helpers import refused
from tests.support.kaggle_server import HostedDataset, instead, status
from tests.support.notebook_jobs import DATASET, labelled, run


def test_new_version_has_no_old_files(hosted, job):
    run(job)
    (job.manifest.parent / "weights.h5").unlink()
    (job.manifest.parent / "other.h5").write_bytes(b"w")
    ran = run(labelled(job, "second"))
    assert (ran.dataset_version.version, ran.notebook_version.version) == (2, 2)
    assert {"kit.json", "other.h5"} == {name for name in hosted.datasets[DATASET].files if "version" not in name}


def test_public_data_set_is_refused(hosted, job):
    hosted.datasets[DATASET] = HostedDataset(private=False)
    with refused(f"{DATASET}: this data set is public, and would publish your folds. Make it private"):
        run(job)
    assert hosted.asked("upload") == hosted.asked("CreateDatasetVersion") == 0


def test_failed_data_set_is_uploaded_again(hosted, job):
    hosted.fault("GetDatasetStatus", instead(status="BLOBS_RECEIVED"), instead(status="FAILED"))
    with refused(r"could not unpack the data set \(failed\).*same command again"):
        run(job)
    hosted.fault("GetDatasetStatus", instead(status="FAILED"))
    assert run(job).dataset_version.version == 2


def test_data_set_that_is_never_ready_is_reported(hosted, job):
    hosted.datasets[DATASET] = HostedDataset(private=True, states=["BLOBS_RECEIVED"] * 1000)
    with refused(r"not ready after 30.* min \(blobs_received\).*same command again"):
        run(job)


def test_run_waits_until_the_new_version_is_listed(hosted, job):
    run(job)
    hosted.datasets[DATASET].lag = 3
    run(labelled(job, "second"))
    assert hosted.asked("ListDatasetFiles") >= 4
    hosted.fault("GetDatasetStatus", None, status(403), status(404))
    run(labelled(job, "third"))
    assert hosted.datasets[DATASET].version == 3
