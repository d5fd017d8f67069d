"""The commit of a git repository."""

import subprocess

from medfold.system.git import git_commit


def git(folder, *words):
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True)


def test_commit_has_a_plus_if_files_differ_from_it(tmp_path):
    assert git_commit(tmp_path) is None
    git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-m", "a")
    clean = git_commit(tmp_path)
    assert len(clean) == 12
    (tmp_path / "a.txt").write_text("b")
    assert git_commit(tmp_path) == f"{clean}+"


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) is None
