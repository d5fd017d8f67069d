"""The command line: a process, its output, its exit code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from medfold.cli import app, main
from medfold.terminal.command_text import BY_MAKE
from tests.support.finished_runs import finished_run
from tests.support.helpers import REPOSITORY, replaced
from tests.support.python_warnings import warnings_on_stderr
from tests.support.small_project import SMALL, add_competition


@pytest.fixture(autouse=True)
def _typed(typed_medfold):
    """The tests of this module type `medfold`."""


def medfold(*words, env=None):
    return subprocess.run(
        [sys.executable, "-m", "medfold", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), **(env or {})},
    )


def run_main(monkeypatch, *words) -> int:
    """Runs medfold with these words in this process, and returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["medfold", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "-c", "small", "--recipe", "baselin"), "unknown recipe (did you mean 'baseline'?)"),
        (("train", "-c", "small", "--fold", "first"), "--fold first: expected numbers of folds, or 'all'"),
        (("train", "-c", "small", "--on", "aws"), "--on aws: expected 'here', 'ray' or 'kaggle'"),
        (
            ("train", "-c", "small", "--seeds", "0 x"),
            '--seeds "0 x": expected whole numbers from 0 to 4,294,967,295',
        ),
        (
            ("train", "-c", "small", "--set", "training.epoch=1"),
            "unknown key 'training.epoch' (did you mean 'training.epochs'?)",
        ),
        (("train", "-c", "small", "--set", "training.epochs=many"), "received 'many'"),
        (("ensemble", "-c", "small"), '--runs: not given. Example: --runs "baseline baseline-s1"'),
        (("compare", "-c", "small", "--runs", " "), '--runs: not given. Example: --runs "simple_cnn baseline"'),
        (("predict", "-c", "small"), "--images: not given. Example: --images my-images"),
        (("trian",), "no such command 'trian' (did you mean 'train'?). See: medfold --help"),
        (
            ("train", "tiny"),
            "a word without an option: tiny. Write --competition, --recipe or another. See: medfold train",
        ),
        (("train", "-c", ""), "--competition: not given. Example: --competition phantom-chest"),
        (("train", "--folds", "0"), "no such option: --folds (Possible options: --fold"),
        (
            ("download", "-c", "small", "--from", ".", "--files", "a.csv"),
            "--from and --files: cannot be combined",
        ),
        (("train", "--fold"), "option '--fold' requires an argument. See: medfold train --help"),
        (("folds", "-c", "small", "-r", "baselin"), "unknown recipe (did you mean 'baseline'?)"),
        (("ensemble", "-c", "small", "--runs", "a b a"), "--runs: 'a' is named twice. Name each run once"),
        (
            ("train", "-c", "small", "--set", "training.epochs=1 training.epochs=2"),
            "--set: the key 'training.epochs' occurs twice. Keep one of the two",
        ),
        (("new",), "--competition: not given. Example: --competition skin-lesions --from skin-lesions.zip"),
        (("submit", "-c", "small"), "run 'baseline' is not trained"),
        (("download", "-c", "small", "--from", "x.zip", "--force"), "--from x.zip: no such file or folder"),
    ],
)
def test_user_errors_print_one_line_and_exit_with_2(folded, words, message, monkeypatch, capsys):
    with warnings_on_stderr():
        assert run_main(monkeypatch, *words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("medfold: ")
    assert message in said


NUMBERS = [("train", "--fold"), ("train", "--seeds"), ("train", "--jobs"), ("train", "--workers"), ("export", "--fold")]


@pytest.mark.parametrize(("command", "option"), NUMBERS)
@pytest.mark.parametrize("value", ["²", "--1", "1.5", "0x1", "1e3", "½", "0 ²", "nan"])
def test_text_that_is_no_number_is_refused(folded, command, option, value, monkeypatch, capsys):
    assert run_main(monkeypatch, command, "-c", "small", f"{option}={value}") == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    typed = f'"{value}"' if " " in value else value
    assert line.startswith(f"medfold: {option} {typed}: expected ")


def test_unexpected_error_prints_one_line_and_keeps_the_traceback(folded, monkeypatch, capsys):
    def fail(competition):
        raise ValueError("of two\nlines")

    monkeypatch.setattr("medfold.commands.runs.list_runs", fail)
    assert run_main(monkeypatch, "runs", "-c", "small") == 1
    line = capsys.readouterr().err
    assert line.startswith("medfold: unexpected error, ValueError: of two lines. This is a bug: please report it with ")
    file = Path(line.split()[-1])
    assert "in fail" in file.read_text()
    file.unlink()


ERRORS = [  # the words after the name of the program, and parts of the message: by make, by medfold
    (
        "download --competition smal",
        "COMPETITION=smal: unknown competition (did you mean 'small'?)",
        "--competition smal: unknown competition (did you mean 'small'?)",
    ),
    (
        "train --competition small --fold 9",
        "medfold: FOLD=9: there is no fold 9. Choose 0 to 2, or all\n",
        "medfold: --fold 9: there is no fold 9. Choose 0 to 2, or all\n",
    ),
    ("train --competition small --recipe baselin", "RECIPE=baselin: unknown", "--recipe baselin: unknown"),
    ("submit --competition small", "Run: make train COMPETITION=small", "Run: medfold train --competition small"),
    ("data --delete raw", "DELETE: no competition named", "--delete: no competition named"),
]


@pytest.mark.parametrize(("words", "by_make", "by_medfold"), ERRORS)
def test_errors_name_commands_and_options_as_the_user_typed_them(
    folded, words, by_make, by_medfold, monkeypatch, capsys
):
    assert run_main(monkeypatch, *words.split()) == 2
    line = capsys.readouterr().err
    assert by_medfold in line
    assert by_make not in line
    monkeypatch.setenv(BY_MAKE, "1")
    assert run_main(monkeypatch, *words.split()) == 2
    line = capsys.readouterr().err
    assert by_make in line
    assert by_medfold not in line


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("new", "COMPETITION: not given. Example: COMPETITION=skin-lesions FROM=skin-lesions.zip"),
        ("ensemble", 'RUNS: not given. Example: RUNS="baseline baseline-s1"'),
        ("compare", 'RUNS: not given. Example: RUNS="simple_cnn baseline"'),
        ("predict", "IMAGES: not given. Example: IMAGES=my-images"),
    ],
)
def test_missing_variable_is_named_with_an_example(folded, command, example, monkeypatch, capsys):
    monkeypatch.setenv(BY_MAKE, "1")
    competition = [] if command == "new" else ["--competition", "small"]
    assert run_main(monkeypatch, command, *competition) == 2
    assert capsys.readouterr().err == f"medfold: {example}\n"


@pytest.mark.parametrize("folder", ["data", "data/small", "folds", "runs/small", "submissions"])
def test_file_in_place_of_a_folder_is_named(project_folder, folder, monkeypatch, capsys):
    (project_folder / folder).parent.mkdir(exist_ok=True)
    (project_folder / folder).write_text("")
    assert run_main(monkeypatch, "train", "--competition", "small") == 2
    assert f"medfold: {folder}: a file is where a folder must be. Move it away\n" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--debug", "scores", "-c", "smal"), ("scores", "-c", "smal", "--debug")])
def test_debug_option_may_stand_anywhere(folded, words, monkeypatch, capsys):
    assert run_main(monkeypatch, *words) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "UserError: " in shown
    assert "unknown competition" in shown


def test_errors_in_facts_name_file_and_key(project_folder, monkeypatch, capsys):
    add_competition(project_folder, "typo", replaced(SMALL, ("folds: {k:", "folds: {kk:")))
    assert run_main(monkeypatch, "folds", "-c", "typo") == 2
    message = "competition/typo/competition.yaml: unknown key 'folds.kk' (did you mean 'folds.k'?)"
    assert message in capsys.readouterr().err.replace("\\", "/")


def test_refused_files_leave_nothing_behind(project_folder, tmp_path, monkeypatch, capsys):
    given = tmp_path / "given"
    given.mkdir()
    (given / "train.csv").write_text("id,target\n1,0\n")
    before = set(project_folder.rglob("*"))
    add_competition(project_folder, "own", re.sub(r"source: .*", "source: {kind: own}", SMALL))
    for words, message in (
        (["new", "-c", "fresh"], f"{given}: contains no images"),
        (["download", "-c", "own"], "competition/own/competition.yaml: 'submission.sample': "),
    ):
        assert run_main(monkeypatch, *words, "--from", str(given)) == 2
        assert message in capsys.readouterr().err
    left = set(project_folder.rglob("*")) - before
    assert {path.relative_to(project_folder).parts[:2] for path in left} == {("competition", "own")}
    assert [path.name for path in given.iterdir()] == ["train.csv"]


def test_ctrl_c_prints_one_line_and_exits_with_130(project_folder, monkeypatch, capsys):
    def interrupted(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("medfold.commands.runs.list_runs", interrupted)
    assert run_main(monkeypatch, "runs", "-c", "small") == 130
    assert capsys.readouterr().err == "medfold: stopped; run the same command again to continue\n"


def test_help_and_version_need_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = medfold("--help")
    assert shown.returncode == 0
    for command in ("demo", "download", "folds", "train", "submit"):
        assert command in shown.stdout
    assert medfold("--version").stdout.startswith("medfold 0.")


SPY = """
import sys
from medfold.cli import main
for words in {commands!r}:
    sys.argv = ["medfold", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
    heavy = sorted(name for name in ("tensorflow", "keras", "albumentations", "pandas") if name in sys.modules)
    print("LOADED", *heavy)
"""


def imported_packages(*commands):
    """The heavy packages that are imported after each command, all run in one new process."""
    result = subprocess.run(
        [sys.executable, "-c", SPY.format(commands=commands)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
    )
    return [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("LOADED")]


def test_help_imports_no_heavy_package(project_folder):
    assert imported_packages(["--help"]) == [[]]


@pytest.mark.slow
def test_commands_on_finished_runs_import_no_tensorflow(folded):
    finished_run(folded)
    commands = [["folds"], ["submit"], ["train", "--fold", "0"], ["runs"]]
    assert imported_packages(*([*words, "-c", "small"] for words in commands)) == [["pandas"]] * 4


def test_help_of_a_command_is_that_of_its_make_target():
    described = dict(re.findall(r"^([a-z-]+):.*?## (.*?)(?:   |$)", (REPOSITORY / "Makefile").read_text(), re.M))
    for name, command in typer.main.get_command(app).commands.items():
        assert command.help.splitlines()[0] == f"{described[name][0].upper()}{described[name][1:]}.", name
