"""Removal of what the user names: unknown names, the question, sizes."""

import pytest

from medfold.commands.shared import removal
from tests.support.helpers import refused


def test_names_are_selected_once_in_the_order_they_were_written():
    assert removal.select_names({"a": 1, "b": 2, "c": 3}, ["c", "a", "c"], "runs") == ["c", "a"]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (
            {"baseline": 1, "wide": 2},
            r"DELETE=.*: there is no basline among the runs \(did you mean 'baseline'\?\)\. Known: baseline, wide",
        ),
        ({}, 'DELETE="wide basline": there is no wide, basline among the runs$'),
    ],
)
def test_unknown_names_are_refused(known, message):
    with refused(message):
        removal.select_names(known, ["wide", "basline"], "runs")


@pytest.mark.parametrize(("answer", "skip_question"), [(True, False), (False, False), (False, True)])
def test_items_are_removed_after_the_question(tmp_path, capsys, monkeypatch, answer, skip_question):
    manifest = tmp_path / "raw.csv"
    folder = tmp_path / "raw"
    manifest.write_text("file")
    folder.mkdir()
    removed = []
    monkeypatch.setattr(removal.files, "remove", removed.append)
    monkeypatch.setattr(removal, "confirm", lambda question: answer)
    removal.remove_after_confirmation({"raw data, 4 bytes": [folder, manifest]}, "data", skip_question)
    output = capsys.readouterr().out
    assert "to be removed: raw data, 4 bytes" in output
    is_removed = answer or skip_question
    assert removed == ([manifest, folder] if is_removed else [])  # the manifest first
    assert ("removed: 1" if is_removed else "nothing was removed") in output


def test_size_counts_files_in_folders_and_a_link_as_itself(tmp_path):
    folder = tmp_path / "raw" / "a"
    folder.mkdir(parents=True)
    (folder / "image.png").write_bytes(b"x" * 1000)
    (tmp_path / "raw.csv").write_bytes(b"y" * 20)
    (tmp_path / "raw" / "link").symlink_to("gone")
    assert removal.total_size([tmp_path / "raw", tmp_path / "raw.csv", tmp_path / "not there"]) == 1020 + len("gone")
