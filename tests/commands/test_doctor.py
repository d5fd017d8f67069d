"""The health table: what it finds at fault, and what it says of one's standing at Kaggle."""

import sys

import pytest

from medfold.cli import main
from medfold.commands.doctor import doctor, examine
from medfold.competition.project import Project
from tests.conftest import add_competition
from tests.support.helpers import HISTOLOGY
from tests.support.kaggle_server import HostedCompetition


@pytest.fixture
def project(kaggle, project_folder):
    kaggle.competitions["histology"] = HostedCompetition(deadline="2099-01-02T03:04:00Z", allowed=3)
    add_competition(project_folder, "histology", HISTOLOGY)
    return Project.open("histology")


def found(project):
    return {finding.topic: finding for finding in examine(project.workspace, project.competition)}


def test_all_is_well(project, kaggle):
    assert all(finding.level != "fault" for finding in doctor(project))
    said = kaggle.said()
    for words in (
        f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}",
        "cv2 4.",
        "free for data/ and runs/",
        "Kaggle     ok     alice, by the token in KAGGLE_API_TOKEN",
        "joined     ok     histology",
        "deadline   ok     2099-01-02 03:04 UTC",
        "submit     ok     3 submissions left today (UTC), files",
    ):
        assert words in said


def test_a_missing_or_wrong_package_is_a_fault(project, project_folder):
    (project_folder / "requirements.txt").write_text("numpy>=1.0  # fine\nkeras<3\nnot-there>=1\n")
    finding = found(project)["packages"]
    assert finding.level == "fault"
    assert "keras is 3." in finding.text
    assert "needed <3" in finding.text
    assert "not-there is missing" in finding.text


def test_missing_credentials_are_a_fault_only_where_they_are_needed(project, small, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    finding = found(project)["Kaggle"]
    assert finding.level == "fault"
    assert "no Kaggle credentials found" in finding.text
    assert any(finding.level == "fault" for finding in doctor(project))
    finding = found(small)["Kaggle"]
    assert finding.level == "note"
    assert "not needed here" in finding.text


@pytest.mark.parametrize(
    ("change", "topic", "state", "text"),
    [
        ({"entered": False}, "joined", "fault", "/competitions/histology/rules"),
        ({"deadline": "2019-03-30T23:59:00Z"}, "deadline", "note", "2019-03-30 23:59 UTC, over"),
        ({"allowed": 0}, "submit", "note", "0 submissions left today"),
        ({"notebooks_only": True}, "submit", "ok", "notebooks only"),
        ({"disabled": True}, "submit", "note", "closed"),
    ],
)
def test_the_standing_at_kaggle(project, kaggle, change, topic, state, text):
    vars(kaggle.competitions["histology"]).update(change)
    finding = found(project)[topic]
    assert finding.level == state
    assert text in finding.text


def test_a_fault_is_exit_code_2(project, kaggle, monkeypatch):
    kaggle.competitions["histology"].entered = False
    monkeypatch.setattr(sys, "argv", ["medfold", "doctor", "-c", "histology"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "joined     fault" in kaggle.said()
