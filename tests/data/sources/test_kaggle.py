"""Downloads of competitions and data sets by the real client, whole and in single files, through faults."""

import os
import re
import zipfile

import pytest

from medfold.commands.download import download
from medfold.competition import Competition
from medfold.data import open_source
from tests.support.helpers import refused, replaced, zipped
from tests.support.histology import HISTOLOGY as FACTS
from tests.support.kaggle_server import drop, lose, stall, status
from tests.support.processes import finish, kill_when, start
from tests.support.small_project import add_competition
from tests.support.sources import raw_files


def leftovers(competition):
    return [path for path in competition.paths.data.rglob("*") if ".tmp" in path.name or "download" in path.name]


def test_download_writes_all_files_of_a_competition(hosted, competition, content):
    download(competition)
    assert raw_files(competition.paths) == content
    assert leftovers(competition) == []
    said = hosted.said()
    assert "kaggle     as alice, by the token in KAGGLE_API_TOKEN" in said
    assert "24 training and 8 test images" in said


def test_second_download_sends_no_request(hosted, competition):
    download(competition)
    hosted.log.clear()
    hosted.said()
    download(competition)
    assert "complete: 34 files" in hosted.said()
    assert hosted.log == []


def test_ended_competition_is_reported(hosted, competition):
    hosted.competitions["histology"].deadline = "2019-03-30T23:59:00Z"
    download(competition)
    assert "histology ended on 2019-03-30; its data is still available" in hosted.said()


def test_unaccepted_rules_and_unknown_competition_raise(hosted, competition, project_folder):
    hosted.competitions["histology"].entered = False
    with refused("Accept its rules at https://www.kaggle.com/competitions/histology/rules"):
        download(competition)
    hosted.competitions["histology"].entered = True
    hosted.fault("DownloadDataFiles", status(403, "You must accept this competition's rules"))
    with refused("Kaggle refuses: You must accept .*/histology/rules; a phone number"):
        download(competition)
    add_competition(project_folder, "typo", replaced(FACTS, ("competitions/histology", "competitions/histolgy")))
    with refused("no such competition on Kaggle .did you mean 'histology'"):
        download(Competition.open("typo"))


@pytest.mark.parametrize(
    "faults",
    [
        {"DownloadDataFiles": [status(429)]},
        {"DownloadDataFiles": [status(503), status(503)]},
        {"storage": [status(429)]},
        {"storage": [status(503), status(503)]},
        {"storage": [drop(after=200_000)]},
        {"storage": [drop(after=200_000), None, status(403)]},
        {"storage": [drop(after=200_000), None, drop(after=200_000), None, status(503)]},
    ],
)
def test_download_survives_network_faults(hosted, competition, content, faults):
    for where, actions in faults.items():
        hosted.fault(where, *actions)
    download(competition)
    assert raw_files(competition.paths) == content
    assert leftovers(competition) == []


def test_download_survives_a_stall(hosted, competition, content, monkeypatch):
    monkeypatch.setattr("medfold.system.http_download.TIMEOUT", (1, 0.3))
    hosted.fault("storage", stall(2, after=200_000))
    download(competition)
    assert raw_files(competition.paths) == content


def test_archive_damaged_once_is_downloaded_again(hosted, competition, content):
    whole = hosted.competitions["histology"].archive
    hosted.competitions["histology"].archive = whole[: len(whole) // 2]  # truncated already on Kaggle
    hosted.fault("DownloadDataFiles", None, heal(hosted, whole))
    download(competition)
    assert raw_files(competition.paths) == content
    assert "damaged archive" in hosted.said()


def heal(hosted, whole):
    def action(handler, answer):
        hosted.competitions["histology"].archive = whole
        answer()

    return action


def corrupt(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [lambda data: data[:-100], corrupt, lambda data: b"<html>Sorry</html>"])
def test_archive_damaged_twice_is_refused(hosted, competition, damage):
    hosted.competitions["histology"].archive = damage(hosted.competitions["histology"].archive)
    with refused(r"histology: the archive arrived damaged twice .*FROM=archive.zip"):
        download(competition)
    assert not competition.paths.raw.exists()
    assert not open_source(competition).is_complete


def test_hostile_archive_is_not_unpacked(hosted, competition, tmp_path):
    hosted.competitions["histology"].archive = zipped({"train_labels.csv": b"id", "../../../evil.txt": b"x"})
    with refused("unsafe member '../../../evil.txt'"):
        download(competition)
    assert not list(tmp_path.rglob("evil.txt"))
    assert not competition.paths.raw.exists()


def test_competition_larger_than_the_disk_is_not_downloaded(hosted, competition, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10**6}))
    with refused("too little disk space"):
        download(competition)
    assert not list(competition.paths.data.rglob("*.part"))


def test_split_and_nested_archives_are_unpacked(hosted, competition, content):
    train = zipped({name: data for name, data in content.items() if name.startswith("train/")})
    half = len(train) // 2
    outer = {name: data for name, data in content.items() if not name.startswith("train/")}
    outer["train_labels.csv.zip"] = zipped({"train_labels.csv": outer.pop("train_labels.csv")})
    hosted.competitions["histology"].archive = zipped(
        {**outer, "train.zip.001": train[:half], "train.zip.002": train[half:]}
    )
    download(competition)
    assert raw_files(competition.paths) == content


def test_corrected_facts_need_no_second_download(hosted, competition, project_folder, content):
    wrong = project_folder / "competition" / "histology" / "competition.yaml"
    wrong.write_text(replaced(FACTS, ("targets: [label]", "targets: [lable]")))
    with refused("no column 'lable' .did you mean 'label'"):
        download(Competition.open("histology"))
    wrong.write_text(FACTS)
    hosted.log.clear()
    download(Competition.open("histology"))
    assert hosted.log == []
    assert raw_files(competition.paths) == content


def test_single_files_keep_their_folders(hosted, competition, content):
    download(competition, patterns=["train_labels.csv", "test/*"])
    expected = {name: data for name, data in content.items() if name == "train_labels.csv" or name.startswith("test/")}
    assert raw_files(competition.paths) == expected
    assert "training needs more files" in hosted.said()
    assert not open_source(competition).is_complete
    assert leftovers(competition) == []


def test_single_files_add_up_to_complete_data(hosted, competition, content):
    download(competition, patterns=["train_labels.csv", "test/*"])
    hosted.log.clear()
    download(competition, patterns=["*.csv", "train/*"])
    assert hosted.asked("DownloadDataFile") == 25  # train_labels.csv is there already
    assert "complete for training" in hosted.said()
    assert open_source(competition).is_complete
    assert raw_files(competition.paths) == content


def test_single_file_zipped_by_kaggle_is_unpacked(hosted, competition, content):
    packed = zipped({"train_labels.csv": content["train_labels.csv"]})
    hosted.competitions["histology"].files["train_labels.csv"] = packed
    download(competition, patterns=["train_labels.csv"])
    assert raw_files(competition.paths) == {"train_labels.csv": content["train_labels.csv"]}


def test_unmatched_file_pattern_is_refused(hosted, competition):
    with refused(r"FILES=train_label.csv: no file matches .did you mean 'train_labels.csv'"):
        download(competition, patterns=["train_label.csv"])


def test_file_names_outside_the_folder_are_refused(hosted, competition, tmp_path):
    for name in ("../../../../../evil.txt", f"{tmp_path}/elsewhere/evil.txt"):
        hosted.competitions["histology"].files = {name: b"x"}
        with refused("unsafe file name"):
            download(competition, patterns=["*evil.txt"])
    assert not list(tmp_path.rglob("evil.txt*"))


def test_single_files_are_refused_for_other_sources(small):
    with refused("FILES: source phantom has no downloads of single files"):
        download(small, patterns=["train.csv"])


def test_only_missing_or_changed_files_are_downloaded_again(hosted, competition, content):
    download(competition)
    names = sorted(content)
    (competition.paths.raw / names[3]).unlink()
    changed = competition.paths.raw / names[5]
    changed.write_bytes(changed.read_bytes()[::-1])  # of the same size
    hosted.log.clear()
    download(competition)
    assert raw_files(competition.paths) == content
    assert hosted.asked("DownloadDataFile") == 2
    assert hosted.asked("DownloadDataFiles") == 0
    assert "2 files are missing or changed" in hosted.said()


@pytest.mark.parametrize("gone", [True, False])
def test_unrepairable_file_causes_a_full_download(hosted, competition, content, gone):
    download(competition)
    name = sorted(content)[3]
    (competition.paths.raw / name).unlink()
    if gone:
        del hosted.competitions["histology"].files[name]
    else:
        hosted.competitions["histology"].files[name] = b"renewed"
    download(competition)
    assert raw_files(competition.paths) == content
    assert "downloading everything" in hosted.said()


def test_single_files_leave_damaged_data_incomplete(hosted, competition, content):
    download(competition)
    victim = competition.paths.raw / sorted(content)[3]
    victim.write_bytes(b"damaged")
    download(competition, patterns=["sample_submission.csv"])
    assert "1 other is missing" in hosted.said()
    assert not open_source(competition).is_complete
    download(competition, patterns=[sorted(content)[3]])
    assert open_source(competition).is_complete
    assert raw_files(competition.paths) == content


def test_single_files_keep_a_partial_archive(hosted, competition, content):
    hosted.fault("storage", drop(after=300_000), *[status(503)] * 6)
    with refused("run the same command to resume"):
        download(competition)
    download(competition, patterns=["train_labels.csv"])
    assert (competition.paths.downloads / "histology.zip.part").stat().st_size > 200_000
    download(competition)
    assert raw_files(competition.paths) == content


def test_damaged_single_archive_raises_and_is_downloaded_again(hosted, competition):
    whole = zipped({"extra/1.txt": b"1" * 1000})
    hosted.competitions["histology"].files["extra.zip"] = whole[:-30]
    with refused("damaged archive"):
        download(competition, patterns=["extra.zip"])
    hosted.competitions["histology"].files["extra.zip"] = whole
    download(competition, patterns=["extra.zip"])
    assert raw_files(competition.paths) == {"extra/1.txt": b"1" * 1000}


def test_one_part_of_a_split_archive_downloads_the_others(hosted, competition):
    whole = zipped({"t/1.txt": b"1" * 1000})
    parts = {"t.zip.001": whole[:500], "t.zip.002": whole[500:]}
    hosted.competitions["histology"].files = parts
    download(competition, patterns=["t.zip.002"])
    assert raw_files(competition.paths) == {"t/1.txt": b"1" * 1000}


def test_json_file_is_streamed_and_resumed(hosted, competition):
    hosted.competitions["histology"].files["boxes.json"] = data = b'{"code": 500, "message": "' + b"x" * 900_000 + b'"}'

    hosted.fault("storage", drop(after=300_000))
    download(competition, patterns=["boxes.json"])
    assert raw_files(competition.paths) == {"boxes.json": data}
    assert any("Range" in headers for _, headers in hosted.log)


def test_download_waits_for_a_lost_network(hosted, competition, content):
    hosted.fault("storage", drop(after=300_000))
    hosted.fault("DownloadDataFiles", None, *[lose] * 6)
    download(competition)
    assert raw_files(competition.paths) == content


def test_hostile_archive_is_deleted_and_downloaded_again(hosted, competition, content):
    hosted.competitions["histology"].archive = zipped({"/evil.txt": b"x"})
    with refused("unsafe member"):
        download(competition)
    hosted.competitions["histology"].archive = zipped(content)
    download(competition)
    assert raw_files(competition.paths) == content


def test_force_replaces_a_kept_archive(hosted, competition, content):
    competition.paths.downloads.mkdir(parents=True)
    (competition.paths.downloads / "histology.zip").write_bytes(zipped({**content, "train_labels.csv": b"old"}))
    download(competition, force=True)
    assert raw_files(competition.paths) == content


@pytest.mark.slow
def test_killed_download_resumes(hosted, competition, project_folder, content):
    hosted.fault("storage", stall(30, after=300_000))
    part = competition.paths.downloads / "histology.zip.part"
    kill_when(start(project_folder, "download -c histology"), lambda: part.is_file() and part.stat().st_size > 200_000)
    assert not competition.paths.raw.exists()
    kept = part.stat().st_size
    hosted.log.clear()
    assert "resuming at" in finish(project_folder, "download -c histology")
    assert [headers["Range"] for _, headers in hosted.log if "Range" in headers] == [f"bytes={kept}-"]
    assert raw_files(competition.paths) == content
    assert leftovers(competition) == []


@pytest.mark.slow
def test_killed_unpacking_starts_again_without_download(hosted, competition, project_folder, content):
    slow = (
        "import time; from medfold.data.sources.source import archives; original = archives._extract; "
        "archives._extract = lambda *all: (original(*all), time.sleep(0.2))"
    )
    unpacked = lambda: list(competition.paths.data.glob(".raw.*.tmp/**/*.png"))  # noqa: E731
    kill_when(start(project_folder, "download -c histology", slow), unpacked)
    assert not competition.paths.raw.exists()
    assert unpacked()
    hosted.log.clear()
    finish(project_folder, "download -c histology")
    assert hosted.asked("DownloadDataFiles") == 0  # the archive was complete
    assert raw_files(competition.paths) == content
    assert leftovers(competition) == []


@pytest.mark.slow
def test_killed_forced_download_keeps_the_old_data(hosted, competition, project_folder, content):
    download(competition)
    hosted.fault("storage", stall(30, after=300_000))
    part = competition.paths.downloads / "histology.zip.part"
    kill_when(
        start(project_folder, "download -c histology --force"),
        lambda: part.is_file() and part.stat().st_size > 200_000,
    )
    assert open_source(competition).is_complete
    assert raw_files(competition.paths) == content


@pytest.mark.slow
def test_download_of_a_gigabyte_takes_little_memory(hosted, competition, project_folder, content, tmp_path, kaggle):
    """Peak memory of download and unpacking, less that at the start."""
    archive = tmp_path / "big.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
        with file.open("volume.bin", "w", force_zip64=True) as member:
            for _ in range(1000):
                member.write(os.urandom(10**6))
    hosted.competitions["histology"].archive = archive
    watch = (
        "import atexit, resource; from medfold.commands import download; "
        "from medfold.kaggle.client import official_client; "
        "official_client(); peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000; began = peak(); "
        "atexit.register(lambda: print(f'memory {began:.0f} {peak() - began:.0f} MB'))"
    )
    said = finish(project_folder, "download -c histology", watch, timeout=300)
    more = int(re.search(r"memory (\d+) (\d+) MB", said)[2])
    assert (competition.paths.raw / "volume.bin").stat().st_size == 10**9
    assert more < 300
    archive.unlink()
