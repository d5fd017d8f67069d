"""A wrong input ends in one line and exit code 2, leaves no files, and works once it is corrected."""

import re
import shutil

import pytest

from tests.layouts.clinic import files_of, make_in_state, medfold
from tests.layouts.corpus import CORPUS, DOWNLOAD
from tests.support.small_project import copy_project

FIRST_OF_KIND = {(case.area, case.command[0]): name for name, case in reversed(CORPUS.items())}
CASES = [name if name in FIRST_OF_KIND.values() else pytest.param(name, marks=pytest.mark.slow) for name in CORPUS]
# Files that a refused command leaves, by area and command or by case, so that the next one need not begin anew; all
# others would be half done. A download without raw.csv is not complete; `make new` keeps the raw data.
KEPT_IN_DATA = {
    ("tables", "download"): r"data/clinic/raw/.*",
    ("archives", "download"): r"data/clinic/raw/.*",
    ("tables", "new"): r"data/fresh/raw(\.csv|/.*)",
    ("archives", "new"): r"data/fresh/raw(\.csv|/.*)",
    ("images", "folds"): r"data/clinic/(unreadable_images\.csv|store/\.\w+\.unfinished/.*)",
    "too many folds": r"data/clinic/((measurements|appearance)\.csv|thumbnails\.npy|near_duplicates\.json|store/.*)",
}


@pytest.fixture(scope="session")
def state_of(once):
    """`state_of("folded")` returns a project in that state, only to be copied."""

    return lambda state: once(f"clinic {state}", lambda root: make_in_state(root, state))


def test_corpus_covers_every_area():
    assert len(CORPUS) >= 150
    assert {case.area for case in CORPUS.values()} == {
        "tables",
        "archives",
        "images",
        "facts",
        "recipes",
        "words",
        "kept files",
    }


@pytest.mark.parametrize("name", CASES)
def test_wrong_input_prints_one_line_and_works_once_corrected(name, state_of, tmp_path, monkeypatch):
    case = CORPUS[name]
    root = copy_project(state_of(case.state), tmp_path, monkeypatch)
    case.breaks()
    before = files_of(root)
    ended = medfold(*case.command)
    assert ended.code == 2, (ended.code, ended.said, ended.errors)
    assert ended.errors.startswith("medfold: "), ended.errors
    assert ended.errors.count("\n") == 1, ended.errors
    assert re.search(case.says, ended.errors), ended.errors
    after = files_of(root)
    assert set(before) <= set(after), set(before) - set(after)
    left = {path for path, content in after.items() if before.get(path) != content}
    kept = KEPT_IN_DATA.get(name) or KEPT_IN_DATA.get((case.area, case.command[0]), "no file")
    assert not {path for path in left if not re.fullmatch(kept, path)}, left
    template = state_of(case.state)
    for folder in ("competition", "given", "folds", "runs", "submissions"):
        shutil.rmtree(root / folder, ignore_errors=True)
        if (template / folder).is_dir():
            shutil.copytree(template / folder, root / folder)
    if case.area == "kept files":
        shutil.rmtree(root / "data")
        shutil.copytree(template / "data", root / "data")
    if case.area == "images":
        assert medfold(*DOWNLOAD, "--force").code == 0
    again = medfold(*(case.works or case.command))
    assert again.code == 0, (again.said, again.errors)
