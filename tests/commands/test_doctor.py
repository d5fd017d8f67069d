"""make doctor: errors of the installation, and the user's status on Kaggle."""

import re
import sys

import pytest

from medfold.cli import main
from medfold.commands.doctor import doctor, examine
from medfold.competition import Competition
from tests.support.histology import HISTOLOGY
from tests.support.kaggle_server import HostedCompetition
from tests.support.small_project import add_competition


@pytest.fixture
def competition(kaggle, project_folder):
    kaggle.competitions["histology"] = HostedCompetition(deadline="2099-01-02T03:04:00Z", allowed=3)
    add_competition(project_folder, "histology", HISTOLOGY)
    return Competition.open("histology")


def findings_by_topic(competition):
    return {finding.topic: finding for finding in examine(competition)}


def test_doctor_without_errors_reports_ok(competition, kaggle):
    assert all(finding.level != "error" for finding in doctor(competition))
    said = kaggle.said()
    for words in (
        f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}",
        "cv2 4.",
        "free for data/ and runs/",
        "Kaggle     ok      alice, by the token in KAGGLE_API_TOKEN",
        "joined     ok      histology",
        "deadline   ok      2099-01-02 03:04 UTC",
        "submit     ok      3 submissions left today (UTC), files",
    ):
        assert words in said


def test_missing_or_wrong_package_is_an_error(competition, project_folder):
    (project_folder / "requirements.txt").write_text("numpy>=1.0  # fine\nkeras<3\nnot-there>=1\n")
    finding = findings_by_topic(competition)["packages"]
    assert finding.level == "error"
    assert "keras is 3." in finding.text
    assert "needed <3" in finding.text
    assert "not-there is missing" in finding.text


def test_extras_are_named_with_their_versions(competition, project_folder):
    assert "extras" not in findings_by_topic(competition)
    (project_folder / "pyproject.toml").write_text(
        '[project.optional-dependencies]\ntables = ["numpy>=1"]\nwandb = ["not-there>=1"]\ndev = ["keras<1"]\n'
    )
    finding = findings_by_topic(competition)["extras"]
    assert finding.level == "ok"
    assert re.fullmatch(r"numpy 2[\d.]+; not installed, and needed only for what uses them: not-there", finding.text)
    (project_folder / "pyproject.toml").write_text('[project.optional-dependencies]\ntables = ["numpy<2"]\n')
    finding = findings_by_topic(competition)["extras"]
    assert (finding.level, finding.text.split()[-2:]) == ("warning", ["(needed", "<2)"])


def test_packages_that_were_not_installed_from_the_lock_are_a_warning(
    competition, project_folder, tmp_path, monkeypatch
):
    (project_folder / "requirements.txt").write_text("numpy>=1.0\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    finding = findings_by_topic(competition)["packages"]
    assert finding.level == "warning"
    assert (
        "as required in requirements.txt. Not installed from requirements.lock: no hashes were checked" in finding.text
    )
    (tmp_path / "medfold.stamp").touch()
    assert findings_by_topic(competition)["packages"].level == "ok"


def test_missing_credentials_are_an_error_only_where_needed(competition, small, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    finding = findings_by_topic(competition)["Kaggle"]
    assert finding.level == "error"
    assert "no Kaggle credentials found" in finding.text
    assert any(finding.level == "error" for finding in doctor(competition))
    finding = findings_by_topic(small)["Kaggle"]
    assert finding.level == "warning"
    assert "not needed for small; for Kaggle: no Kaggle credentials found" in finding.text


@pytest.mark.parametrize(
    ("change", "topic", "state", "text"),
    [
        ({"entered": False}, "joined", "error", "/competitions/histology/rules"),
        ({"deadline": "2019-03-30T23:59:00Z"}, "deadline", "warning", "2019-03-30 23:59 UTC, over"),
        ({"allowed": 0}, "submit", "warning", "0 submissions left today"),
        ({"notebooks_only": True}, "submit", "ok", "notebooks only"),
        ({"disabled": True}, "submit", "warning", "closed"),
    ],
)
def test_status_at_kaggle_has_its_level_and_text(competition, kaggle, change, topic, state, text):
    vars(kaggle.competitions["histology"]).update(change)
    finding = findings_by_topic(competition)[topic]
    assert finding.level == state
    assert text in finding.text


def test_error_exits_with_code_2(competition, kaggle, monkeypatch):
    kaggle.competitions["histology"].entered = False
    monkeypatch.setattr(sys, "argv", ["medfold", "doctor", "-c", "histology"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "joined     error" in kaggle.said()
