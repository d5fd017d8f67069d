"""Two commands at the same time in one project end as if they had run one after the other."""

import shutil

import pytest

from tests.campaigns.pipeline import result
from tests.support.processes import start

pytestmark = pytest.mark.slow
PAIRS = {
    "all folds twice": (
        "folded",
        ["train -c small", "train -c small"],
    ),
    "two folds from raw data": (
        "raw",
        ["train -c small --fold 0", "train -c small --fold 1"],
    ),
    "prepare and folds": (
        "raw",
        ["prepare -c small", "folds -c small"],
    ),
    "submit twice": (
        "trained",
        ["submit -c small", "submit -c small"],
    ),
    "report while training": (
        "trained",
        ["report -c small", "train -c small --seeds 1 --fold 0"],
    ),
    "predict twice": (
        "trained",
        ["predict -c small --images data/small/raw/test", "predict -c small --images data/small/raw/test"],
    ),
    "predict and submit": (
        "trained",
        ["predict -c small --images data/small/raw/test", "submit -c small"],
    ),
    "notebook and submit": (
        "trained",
        ["notebook -c small", "submit -c small"],
    ),
}


@pytest.fixture
def projects(folded_once, trained_once, tmp_path):
    """Returns a function: two copies of a project before the commands; their paths have a space."""

    def copies(kind: str):
        template = trained_once if kind == "trained" else folded_once
        roots = [shutil.copytree(template, tmp_path / name / "my project") for name in ("together", "in turn")]
        if kind == "raw":
            for root in roots:
                shutil.rmtree(root / "data")
                for file in (root / "folds").glob("small*"):
                    file.unlink()
        return roots

    return copies


@pytest.mark.parametrize("pair", PAIRS)
def test_two_commands_together_end_as_in_turn(projects, pair):
    kind, commands = PAIRS[pair]
    together, in_turn = projects(kind)
    for command in commands:
        process = start(in_turn, command)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, output + errors
    processes = [start(together, command) for command in commands]
    for process in processes:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, output + errors
        assert "Traceback" not in output + errors
    assert result(together) == result(in_turn)
    ledger = together / "submissions" / "ledger.csv"
    assert not ledger.is_file() or len(ledger.read_text().splitlines()) == 2


def test_second_notebook_of_the_same_runs_is_refused_or_equal(projects):
    together, in_turn = projects("trained")
    process = start(in_turn, "notebook -c small")
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, output + errors
    processes = [start(together, "notebook -c small") for _ in range(2)]
    ends = [(*process.communicate(timeout=600), process.returncode) for process in processes]
    codes = sorted(code for _, _, code in ends)
    assert codes in ([0, 0], [0, 2]), ends
    for output, errors, code in ends:
        assert "Traceback" not in output + errors
        assert code == 0 or "being packed or submitted in another process" in errors
    assert result(together) == result(in_turn)
