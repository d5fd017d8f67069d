"""Damage to each file that one stage leaves for another is named, or made good: as in reliability-tests.md."""

import random
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from medfold.commands.folds import make_folds
from medfold.commands.recheck import recheck
from medfold.commands.runs import list_runs
from medfold.commands.scores import scores
from medfold.commands.submit import submit
from medfold.competition import Competition, preparation_settings
from medfold.data import make_dataset, scan_dataset
from medfold.errors import UserError
from medfold.images import load_store, store_key, verify_store
from medfold.system import json_files
from medfold.system.hashes import sha256
from tests.support.finished_runs import finished_run
from tests.support.helpers import REPOSITORY
from tests.support.small_project import copy_project

pytestmark = pytest.mark.slow
KINDS = ["truncated", "empty", "one byte", "binary", "missing"]


def read_table() -> list[tuple[str, str, str]]:
    """Reads (file, kind of damage, what happens) from the page."""
    page = (REPOSITORY / "docs" / "development" / "reliability-tests.md").read_text(encoding="utf-8")
    head = "| file | " + " | ".join(KINDS) + " |\n"
    table = page.partition(head)[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[1:]]
    return [
        (file.strip().strip("`"), kind, outcome.strip())
        for file, *outcomes in rows
        for kind, outcome in zip(KINDS, outcomes, strict=True)
    ]


def damage(path, kind):
    content, rng = path.read_bytes(), random.Random(f"{path.name} {kind}")
    if kind == "missing":
        path.unlink()
    elif kind == "one byte":
        position = len(content) // 2
        digit = content[position : position + 1].isdigit()
        changed = (content[position] - 47) % 10 + 48 if digit else content[position] ^ 1
        path.write_bytes(content[:position] + bytes([changed]) + content[position + 1 :])
    else:
        path.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "binary": rng.randbytes(300)}[kind])


def add_other_files(fold_paths):
    """Adds the files of a trained fold that are not tables of predictions."""
    fold_paths.weights.write_bytes(random.Random(0).randbytes(300))
    fold_paths.history.write_text("epoch,loss\n1,0.5\n2,0.25\n")
    json_files.write([], fold_paths.self_check_warnings)
    hashes = {
        path.name: sha256(path) for path in (fold_paths.weights, fold_paths.history, fold_paths.self_check_warnings)
    }
    json_files.write({**json_files.read(fold_paths.trained_marker), **hashes}, fold_paths.trained_marker)
    json_files.write({"seconds": 12.5, "finished": "2026-01-01T00:00:00+00:00"}, fold_paths.timing)


@pytest.fixture(scope="session")
def finished_once(once, folded_once):
    """A project with a store, two finished runs and a submission; only to copy."""

    def make(root):
        shutil.copytree(folded_once, root, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = Competition.open("small")
            scan_dataset(competition, preparation_settings(competition, "baseline"))
            finished_run(competition, "one")
            finished_run(competition, "two", 0.5)
            for fold in range(competition.facts.folds.k):
                add_other_files(competition.paths.run("one").fold(fold))
            submit(competition, run_names=["one", "two"])

    return once("finished", make)


def run_all_commands(competition):
    """Runs what reads the files of earlier stages, and returns what must not depend on damage."""
    make_folds(competition)
    settings = preparation_settings(competition, "baseline")
    scan_dataset(competition, settings)
    dataset, key = make_dataset(competition), store_key(competition, settings)
    verify_store(competition.paths, key)
    store = load_store(competition.paths, key)
    pixels = store.pixels[store.rows_of(dataset.train["id"])].tobytes()
    run_list = [(run.name, run.value) for run in list_runs(competition).runs]
    submit(competition, run_names=["one", "two"], force=True)
    rechecked = [(result.kind, result.differences) for result in recheck(competition)]
    scores(competition.project_paths, "small")
    submissions = {sha256(path) for path in competition.paths.submissions.glob("*.csv")}
    table = dataset.train[["id", "group", "fold"]].to_csv()
    return pixels, table, dataset.targets.tolist(), run_list, rechecked, submissions


@pytest.fixture(scope="session")
def undamaged(finished_once, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        copy_project(finished_once, tmp_path_factory.mktemp("undamaged"), patch)
        return run_all_commands(Competition.open("small"))


class Finished(NamedTuple):
    """What all commands did after damage to a file."""

    path: Path
    result: tuple
    output: str


@pytest.fixture
def run_after_damage(finished_once, tmp_path, monkeypatch, capsys):
    """Returns a function that damages a file of a finished project, and runs all commands."""

    def run(name, kind):
        root = copy_project(finished_once, tmp_path, monkeypatch)
        path = sorted(root.glob(name))[0]
        damage(path, kind)
        capsys.readouterr()
        return Finished(path, run_all_commands(Competition.open("small")), capsys.readouterr().out)

    return run


def damages(outcome: str) -> list[tuple[str, str]]:
    """Returns (file, kind of damage) of the rows of the page with this outcome."""
    return [(file, kind) for file, kind, found in read_table() if found == outcome]


def test_page_has_only_the_four_outcomes():
    assert {outcome for _, _, outcome in read_table()} == {"refused", "named", "made again", "no effect"}


# Messages without the name of the damaged file, as patterns: they name what it belongs to, or what differs from it.
OTHER_MESSAGES = {
    ("data/small/store/*/images.npy", "one byte"): r"^data/small/store/\w+: \d+ of \d+ prepared images lie in blocks",
    ("runs/small/one/fold1/done.json", "one byte"): r"^runs/small/one/fold1: net\.weights\.h5 is missing or changed",
    ("submissions/small/*.json", "one byte"): r"^small: \d+ differences?: [\d-]+-one\+two\.csv: ",
    (
        "submissions/ledger.csv",
        "one byte",
    ): r"recomputed: no submissions/small/\S+, which submissions/ledger\.csv lists",
}


@pytest.mark.parametrize(("name", "kind"), damages("refused"))
def test_damage_is_refused_in_one_line_with_the_file(finished_once, run_after_damage, name, kind):
    file = sorted(finished_once.glob(name))[0].name
    with pytest.raises(UserError) as caught:
        run_after_damage(name, kind)
    assert "\n" not in str(caught.value)
    assert re.search(OTHER_MESSAGES.get((name, kind), re.escape(file)), str(caught.value))


@pytest.mark.parametrize(("name", "kind"), damages("named"))
def test_damage_is_named(run_after_damage, name, kind):
    found = run_after_damage(name, kind)
    file = re.escape(found.path.name)
    named = rf"{file} is (missing|damaged)|cannot be recomputed: no \S*{file}"
    assert re.search(OTHER_MESSAGES.get((name, kind), named), found.output)


@pytest.mark.parametrize(("name", "kind"), damages("made again"))
def test_damage_is_repaired_by_making_the_file_again(undamaged, run_after_damage, name, kind):
    found = run_after_damage(name, kind)
    assert re.search(rf"{re.escape(found.path.name)}.*made again", found.output)
    assert found.result == undamaged
    assert found.path.is_file()


@pytest.mark.parametrize(("name", "kind"), damages("no effect"))
def test_damage_has_no_effect(undamaged, run_after_damage, name, kind):
    assert run_after_damage(name, kind).result == undamaged
