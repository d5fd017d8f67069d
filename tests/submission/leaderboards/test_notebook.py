"""Submissions by notebook, from trained folds to the ledger; the notebook's output is simulated."""

import json

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.notebook import notebook
from medfold.commands.scores import scores
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.notebooks import wheels
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import write_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused, replaced, zipped
from tests.support.histology import HISTOLOGY, auc_of, histology
from tests.support.kaggle_machines import Ended
from tests.support.kaggle_server import HostedCompetition, instead, lose, status
from tests.support.processes import finish, kill_when, start
from tests.support.small_project import add_competition, copy_project
from tests.support.submissions import ledger
from tests.support.weights_files import keras_weights

REF = "alice/medfold-histology-baseline"
DATASET = f"{REF}-kit"
NO_WHEELS = (
    "import pathlib; from medfold.notebooks import wheels; "
    "wheels.build_wheel = lambda out: pathlib.Path(out, 'medfold.whl').write_bytes(b'wheel')"
)


@pytest.fixture
def hosted(kaggle, files_and_truth, histology_once, tmp_path, monkeypatch):
    """A notebook competition on the local server; pushed notebooks write the local submission."""
    content, truth = files_and_truth
    kaggle.competitions["histology"] = HostedCompetition(
        archive=zipped(content), judge=auc_of(truth), notebooks_only=True
    )
    copy_project(histology_once("notebook"), tmp_path, monkeypatch)
    competition = Competition.open("histology")
    for fold in (0, 1):
        trained = competition.paths.run("baseline").fold(fold)
        keras_weights(trained.weights, value=fold)
        json_files.write(
            {**json_files.read(trained.trained_marker), trained.weights.name: sha256(trained.weights)},
            trained.trained_marker,
        )
    monkeypatch.setattr(wheels, "build_wheel", lambda out: (out / "medfold.whl").write_bytes(b"wheel"))

    def run(pushed) -> Ended:
        local_submission = max(competition.paths.submissions.glob("*.csv"))
        return Ended({"submission.csv": local_submission.read_bytes()}, "predicted\n")

    kaggle.runner = run
    return kaggle


def metadata(competition):
    (path,) = competition.paths.submissions.glob("*.json")
    return json.loads(path.read_text())


def test_submit_pushes_notebook_and_records_its_score(hosted, competition):
    hosted.states = ["QUEUED", "RUNNING"]
    hosted.competitions["histology"].polls = 2
    submit(competition)
    (row,), (received,) = ledger(competition), hosted.submissions
    assert received["text"] == (competition.project_paths.root / row["file"]).read_bytes()
    assert metadata(competition)["content_id"] in received["description"]
    assert (row["ref"], row["status"]) == ("41000001", "scored")
    assert row["public"] == f"{float(received['verdict']['publicScore']):.6f}"
    facts = metadata(competition)["kaggle"]
    assert facts["dataset"] == {"ref": DATASET, "version": 1, "link": f"https://www.kaggle.com/datasets/{DATASET}"}
    assert facts["notebook"] == {"ref": REF, "version": 1, "link": f"https://www.kaggle.com/code/{REF}"}
    output = hosted.said()
    for words in (
        "5 left today",
        f"as {DATASET}, private",
        "running, 0 s",
        "8 rows, checked; they differ from the local predictions by at most 0",
        "version 1 of the notebook as 41000001: medfold baseline, OOF AUC",
        "scored submission 1 of this leaderboard",
    ):
        assert words in output
    assert hosted.asked("CreateSubmission") == 0


def test_uploaded_dataset_is_a_complete_bundle(hosted, competition, tmp_path):
    submit(competition)
    for name, data in hosted.datasets[DATASET].files.items():
        (tmp_path / name).write_bytes(data)
    from medfold.notebooks import SubmissionBundle

    bundle = SubmissionBundle.open(tmp_path)
    assert bundle.manifest.slug == "histology"
    assert [len(member.weights_files) for member in bundle.members] == [2]
    assert hosted.datasets[DATASET].private


def test_same_folds_are_submitted_again_only_with_force(hosted, competition):
    submit(competition)
    submit(competition)
    assert len(hosted.submissions) == 1
    submit(competition, force=True)
    assert (len(hosted.submissions), hosted.notebooks[REF].version, hosted.datasets[DATASET].version) == (2, 2, 1)


def test_dry_run_uploads_nothing(hosted, competition):
    submit(competition, dry_run=True)
    assert hosted.asked("GetSubmissionLimits") == 1
    assert hosted.asked("StartBlobUpload") == hosted.asked("SaveKernel") == 0
    assert ledger(competition)[0]["status"] == "written"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entered": False}, "you have not joined this competition. Accept its rules at"),
        ({"disabled": True}, "this competition accepts no more submissions; nothing was uploaded"),
        ({"allowed": 0}, "today's submissions are used up; nothing was uploaded"),
    ],
)
def test_notebook_obstacles_raise_before_upload(hosted, competition, change, message):
    for name, value in change.items():
        setattr(hosted.competitions["histology"], name, value)
    with refused(message):
        submit(competition)
    assert hosted.asked("StartBlobUpload") == hosted.asked("SaveKernel") == 0


def set_notebook_output(hosted, text):
    hosted.runner = lambda pushed: Ended({"submission.csv": text.encode()})


def test_faulty_notebook_output_is_not_submitted(hosted, competition):
    original_runner = hosted.runner

    def without_a_row(pushed):
        text = original_runner(pushed).files["submission.csv"]
        return Ended({"submission.csv": b"\n".join(text.splitlines()[:-1])})

    hosted.runner = without_a_row
    with refused("was not submitted: .*1 id missing: .*FORCE=1"):
        submit(competition)
    assert not hosted.submissions
    hosted.runner = original_runner
    submit(competition, force=True)
    assert len(hosted.submissions) == 1


def test_error_page_as_output_is_refused(hosted, competition):
    set_notebook_output(hosted, "<html>Not Found</html>")
    with refused("Kaggle sends an error page instead of submission.csv"):
        submit(competition)
    assert not hosted.submissions


def test_difference_from_local_predictions_is_reported(hosted, competition):
    def constant_predictions(pushed):
        local_submission = next(competition.paths.submissions.glob("*.csv"))
        return Ended({"submission.csv": pd.read_csv(local_submission).assign(label=0.25).to_csv(index=False).encode()})

    hosted.runner = constant_predictions
    submit(competition)
    assert "they differ from the local predictions by at most 0." in hosted.said()


def test_failed_notebook_is_not_submitted_and_runs_again(hosted, competition):
    original_runner = hosted.runner
    hosted.runner = lambda pushed: Ended(log="Traceback\nMemoryError\n", state="ERROR", message="Out of memory")
    with refused("the notebook failed: Out of memory"):
        submit(competition)
    assert "MemoryError" in hosted.said()
    assert ledger(competition)[0]["status"] == "written"
    hosted.runner = original_runner
    submit(competition)
    assert (hosted.notebooks[REF].version, hosted.datasets[DATASET].version) == (2, 1)
    assert [row["status"] for row in ledger(competition)] == ["scored"]


def test_lost_answer_does_not_cause_second_notebook_submission(hosted, competition):
    hosted.fault("CreateCodeSubmission", lose)
    submit(competition)
    assert hosted.asked("CreateCodeSubmission") == 1
    assert ledger(competition)[0]["status"] == "scored"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            instead(message="The notebook has no such output", ref=0),
            "no submission was made: The notebook has no such outpu",
        ),
        (
            status(400, "Submission not allowed: the code tab takes them"),
            "not allowed",
        ),
    ],
)
def test_refused_notebook_raises_and_can_be_retried(hosted, competition, fault, message):
    hosted.fault("CreateCodeSubmission", fault)
    with refused(message):
        submit(competition)
    submit(competition)
    assert len(hosted.submissions) == hosted.notebooks[REF].version == hosted.datasets[DATASET].version == 1


def test_late_score_keeps_notebook_version(hosted, competition, monkeypatch):
    from medfold.submission.leaderboards import kaggle

    monkeypatch.setattr(kaggle, "MAX_WAIT_SECONDS", 0)
    hosted.competitions["histology"].polls = 1
    submit(competition)
    assert ledger(competition)[0]["status"] == "pending"
    scores(competition.project_paths, "histology")
    assert ledger(competition)[0]["status"] == "scored"
    assert metadata(competition)["kaggle"]["notebook"]["version"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["CreateDataset", "SaveKernel", "GetKernelSessionStatus", "CreateCodeSubmission"])
def test_killed_submit_resumes_and_repeats_nothing(hosted, competition, method):
    hosted.states = ["RUNNING"] * 3
    words = "submit --competition histology"
    quick = f"{NO_WHEELS}; from medfold.system import waiting; waiting.pause = lambda seconds: None"
    kill_when(start(competition.project_paths.root, words, quick), lambda: hosted.asked(method))
    finish(competition.project_paths.root, words, quick)
    assert len(hosted.submissions) == hosted.notebooks[REF].version == hosted.datasets[DATASET].version == 1
    assert [row["status"] for row in ledger(competition)] == ["scored"]


def test_notebook_command_does_not_contact_kaggle(hosted, competition):
    packed = notebook(competition, ["baseline"])
    assert hosted.log == []
    assert json_files.read(packed.folder / "kit.json")["content_id"] in packed.notebook.read_text()


@pytest.mark.slow
def test_other_folds_with_same_predictions_are_submitted(hosted, competition):
    submit(competition)
    finished_run(competition)  # the same predictions again
    for fold in (0, 1):
        trained = competition.paths.run("baseline").fold(fold)
        oof = pd.read_csv(trained.oof)
        oof["label"] = oof["label"] * 0.999
        write_csv(oof, trained.oof)
        keras_weights(trained.weights, value=7)
        marker = {name: sha256(trained.folder / name) for name in json_files.read(trained.trained_marker)}
        json_files.write({**marker, trained.weights.name: sha256(trained.weights)}, trained.trained_marker)
    submit(competition)
    assert len(hosted.submissions) == hosted.notebooks[REF].version == 2
    assert len({row["sha256"] for row in ledger(competition)}) == 1


@pytest.mark.slow
def test_metadata_keeps_notebook_ref_while_score_is_pending(hosted, competition):
    submit(competition)
    hosted.fault("GetSubmission", *[status(500)] * 6)
    submit(competition, force=True)
    assert [row["status"] for row in ledger(competition)] == ["scored", "pending"]
    for path in competition.paths.submissions.glob("*.json"):
        assert json.loads(path.read_text())["kaggle"]["notebook"]["ref"] == REF


@pytest.mark.slow
def test_empty_public_test_part_is_submitted(kaggle, project_folder, monkeypatch):
    """All of the test set is hidden: it has no rows locally, and will have some on Kaggle."""
    content, _ = histology(24, 8, "png")
    shown = {name: data for name, data in content.items() if not name.startswith("test/")}
    shown["sample_submission.csv"] = b"id,label\n"
    # Kaggle runs the notebook again on the hidden test set, and scores that.
    scored = {"status": "COMPLETE", "publicScore": "0.9", "privateScore": ""}
    kaggle.competitions["histology"] = HostedCompetition(
        archive=zipped(shown), judge=lambda text: scored, notebooks_only=True
    )
    add_competition(project_folder, "histology", replaced(HISTOLOGY, ("upload: csv", "upload: notebook")))
    competition = Competition.open("histology")
    download(competition)
    assert "24 training and 0 test images" in kaggle.said()
    finished_run(competition)
    for fold in (0, 1):
        trained = competition.paths.run("baseline").fold(fold)
        keras_weights(trained.weights, value=fold)
        json_files.write(
            {**json_files.read(trained.trained_marker), trained.weights.name: sha256(trained.weights)},
            trained.trained_marker,
        )
    monkeypatch.setattr(wheels, "build_wheel", lambda out: (out / "medfold.whl").write_bytes(b"wheel"))
    kaggle.runner = lambda pushed: Ended({"submission.csv": b"id,label\n"}, "predicted\n")
    submit(competition)
    output = kaggle.said()
    assert "the public test set is empty" in output
    assert "0 rows, checked" in output
    assert len(kaggle.submissions) == 1
