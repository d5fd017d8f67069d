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


def checks_by_topic(competition):
    return {check.topic: check for check in examine(competition)}


def test_doctor_without_errors_reports_ok(competition, kaggle):
    assert all(check.level != "error" for check in doctor(competition))
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
    check = checks_by_topic(competition)["packages"]
    assert check.level == "error"
    assert "keras is 3." in check.text
    assert "needed <3" in check.text
    assert "not-there is missing" in check.text


def test_extras_are_named_with_their_versions(competition, project_folder):
    assert "extras" not in checks_by_topic(competition)
    (project_folder / "pyproject.toml").write_text(
        '[project.optional-dependencies]\ntables = ["numpy>=1"]\nwandb = ["not-there>=1"]\ndev = ["keras<1"]\n'
    )
    check = checks_by_topic(competition)["extras"]
    assert check.level == "ok"
    assert re.fullmatch(r"numpy 2[\d.]+; not installed, and needed only for what uses them: not-there", check.text)
    (project_folder / "pyproject.toml").write_text('[project.optional-dependencies]\ntables = ["numpy<2"]\n')
    check = checks_by_topic(competition)["extras"]
    assert (check.level, check.text.split()[-2:]) == ("warning", ["(needed", "<2)"])


def test_packages_that_were_not_installed_from_the_lock_are_a_warning(
    competition, project_folder, tmp_path, monkeypatch
):
    (project_folder / "requirements.txt").write_text("numpy>=1.0\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    check = checks_by_topic(competition)["packages"]
    assert check.level == "warning"
    assert "as required in requirements.txt. Not installed from requirements.lock: no hashes were checked" in check.text
    (tmp_path / "medfold.stamp").touch()
    assert checks_by_topic(competition)["packages"].level == "ok"


def test_missing_credentials_are_an_error_only_where_needed(competition, small, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    check = checks_by_topic(competition)["Kaggle"]
    assert check.level == "error"
    assert "no Kaggle credentials found" in check.text
    assert any(check.level == "error" for check in doctor(competition))
    check = checks_by_topic(small)["Kaggle"]
    assert check.level == "warning"
    assert "not needed for small; for Kaggle: no Kaggle credentials found" in check.text


@pytest.mark.parametrize(
    ("change", "topic", "state", "text"),
    [
        ({"entered": False}, "joined", "error", "/competitions/histology/rules"),
        ({"deadline": "2019-03-30T23:59:00Z"}, "deadline", "warning", "2019-03-30 23:59 UTC, over"),
        ({"allowed": 0}, "submit", "warning", "0 submissions left today"),
        ({"notebooks_only": True}, "submit", "ok", "notebooks only"),
        ({"disabled": True}, "submit", "warning", "Kaggle takes no submissions: see the page of the competition"),
    ],
)
def test_status_at_kaggle_has_its_level_and_text(competition, kaggle, change, topic, state, text):
    vars(kaggle.competitions["histology"]).update(change)
    check = checks_by_topic(competition)[topic]
    assert check.level == state
    assert text in check.text


def test_error_exits_with_code_2(competition, kaggle, monkeypatch):
    kaggle.competitions["histology"].entered = False
    monkeypatch.setattr(sys, "argv", ["medfold", "doctor", "-c", "histology"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "joined     error" in kaggle.said()
