"""Malformed words and files end in one line and exit code 2, or are made again; never in a traceback."""

import json
import os
import re
import shutil
from pathlib import Path
from zlib import crc32

import pytest

from tests.layouts.clinic import medfold
from tests.support.helpers import slow_but_first

RUN = Path("runs/clinic/noise")
USES = [
    ("runs", "-c", "clinic"),
    ("report", "-c", "clinic", "--runs", "noise"),
    ("submit", "-c", "clinic", "--runs", "noise", "--force"),
    ("recheck", "-c", "clinic"),
    ("data",),
]
CONTENTS = {
    "null": "null",
    "a number": "3",
    "a list": "[]",
    "a mapping": "{}",
    "another mapping": '{"recipe": 1}',
    "a word": '"x"',
    "deep": "[" * 100_000,
    "a long number": "9" * 5000,
    "cut off": '{"a": ',
    "bytes": b"\xff\xfe\x00",
    "empty": "",
    "not a number": '{"seed": NaN}',
}
KEYS = [
    "recipe",
    "recipe.training",
    "recipe.training.keep",
    "recipe.preparation",
    "facts",
    "facts.folds.k",
    "facts.images.symmetry",
    "facts.labels.targets",
    "folds_fingerprint",
    "seed",
    "store_key",
    "images_fingerprints",
    "labels_fingerprint",
    "command",
    "commit",
    "versions",
]


def one_of(commands: list[tuple[str, ...]], *case: object) -> tuple[str, ...]:
    """Returns one of the commands for a case, always the same: all of them would take an hour."""
    return commands[crc32(repr(case).encode()) % len(commands)]


def passes(*words: str) -> None:
    """Runs a command, which either works or ends in one line and exit code 2."""
    ended = medfold(*words)
    assert ended.code in (0, 2), (words, ended.code, ended.errors)
    assert ended.errors.count("\n") == (ended.code == 2), (words, ended.errors)
    assert "unexpected error" not in ended.errors + ended.said


def replace(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.slow
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize(
    "name", ["run.json", "score.json", "fold0/done.json", "fold0/timing.json", "fold0/self_check_warnings.json"]
)
def test_malformed_json_of_a_run_gives_no_traceback(name, content, clinic):
    clinic("trained")
    replace(RUN / name, content)
    passes(*one_of(USES, name, content))


@pytest.mark.slow
@pytest.mark.parametrize("value", [None, "x", {"a": [1]}], ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_wrong_type_in_run_json_gives_no_traceback(key, value, clinic):
    clinic("trained")
    content = json.loads((RUN / "run.json").read_text())
    content.pop("checksum")
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    section[last] = value
    replace(RUN / "run.json", json.dumps(content))
    passes(*one_of(USES, key, value))


@pytest.mark.slow
@pytest.mark.parametrize("value", [None, "x", {"a": [1]}], ids=str)
@pytest.mark.parametrize("key", ["metric", "value", "per_fold", "trained_folds", "facts", "more_metrics", "num_units"])
def test_wrong_type_in_score_json_gives_no_traceback(key, value, clinic):
    clinic("trained")
    content = json.loads((RUN / "score.json").read_text())
    content.pop("checksum")
    content[key] = value
    replace(RUN / "score.json", json.dumps(content))
    passes(*one_of(USES, key, value))


@pytest.mark.slow
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize(
    "name",
    [
        "folds/clinic.json",
        "data/clinic/samples.json",
        "data/clinic/image_list.json",
        "data/clinic/near_duplicates.json",
        "data/clinic/raw.csv",
    ],
)
def test_malformed_json_of_a_project_gives_no_traceback(name, content, clinic):
    clinic("trained")
    replace(Path(name), content)
    passes(*one_of([("folds", "-c", "clinic"), *USES], name, content))


def edited(text: str, kind: str) -> str | bytes:
    """Returns a table with one kind of damage."""
    head = text.partition("\n")[0]
    return {
        "empty": "",
        "line ends": "\n\n\n",
        "header only": f"{head}\n",
        "zero bytes": b"\0\0\0",
        "other encoding": text.encode() + b"\xff\xfe,\n",
        "other columns": "a,b\n1,2\n",
        "columns twice": f"{head},{head}\n",
        "words for numbers": text.replace("0", "x"),
        "huge numbers": text.replace("0", "9" * 400),
        "other numbers": re.sub(r"0\.\d", "0.5", text),
        "not numbers": text.replace("0.", "nan"),
        "rows twice": text + text.partition("\n")[2],
        "an open quote": text + '"',
        "longer rows": text + "1," * 50 + "\n",
        "many columns": "a," * 1000 + "\n",
        "JSON": "{}",
    }[kind]


KINDS = ["empty", "line ends", "header only", "zero bytes", "other encoding", "other columns", "columns twice"]
KINDS += ["words for numbers", "huge numbers", "not numbers", "rows twice", "an open quote", "longer rows"]
KINDS += ["many columns", "JSON"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    [
        "runs/clinic/noise/oof.csv",
        "runs/clinic/noise/fold0/oof.csv",
        "runs/clinic/noise/fold0/test.csv",
        "folds/clinic.csv",
        "data/clinic/samples.csv",
        "data/clinic/raw.csv",
        "data/clinic/solution/solution.csv",
        "submissions/ledger.csv",
        "competition/clinic/leaderboard.csv",
    ],
)
def test_malformed_table_of_a_project_gives_no_traceback(name, kind, clinic):
    root = clinic("trained")
    if name == "submissions/ledger.csv":
        assert medfold("submit", "-c", "clinic", "--runs", "noise", "--force").code == 0
    path = root / name
    replace(path, edited(path.read_text() if path.is_file() else "team,score\na,0.5\n", kind))
    passes(*one_of([("folds", "-c", "clinic"), ("scores",), *USES[:4]], name, kind))


def submit() -> tuple[bytes, dict]:
    """Submits the run, and returns the submission and its recorded score."""
    shutil.rmtree("submissions", ignore_errors=True)
    assert medfold("submit", "-c", "clinic", "--runs", "noise").code == 0
    (file,) = Path("submissions/clinic").glob("*.csv")
    return file.read_bytes(), json.loads(file.with_suffix(".json").read_text())["score"]


# The kind that is not slow leaves a valid table, which would give another score.
PREDICTION_KINDS = slow_but_first("other numbers", *KINDS)


@pytest.mark.parametrize("kind", PREDICTION_KINDS)
@pytest.mark.parametrize("name", ["fold0/oof.csv", "fold0/test.csv"])
def test_damaged_predictions_of_a_fold_are_refused(name, kind, clinic, refusal):
    clinic("trained")
    replace(RUN / name, edited((RUN / name).read_text(), kind))
    for command in ("submit", "report"):
        message = f"{Path(name).name} is missing or changed since the training"
        assert message in refusal(command, "-c", "clinic", "--runs", "noise")
    assert f"{name} is not the file recorded in done.json" in refusal("recheck", "-c", "clinic")
    assert not Path("submissions").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", PREDICTION_KINDS)
def test_damaged_oof_table_of_a_run_does_not_change_its_submission(kind, clinic, refusal):
    clinic("trained")
    expected = submit()
    replace(RUN / "oof.csv", edited((RUN / "oof.csv").read_text(), kind))
    assert "noise: " in (line := refusal("recheck", "-c", "clinic"))
    assert "oof.csv" in line
    assert submit() == expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["train.csv", "sample_submission.csv"])
def test_malformed_table_of_the_user_gives_no_traceback(name, kind, clinic):
    clinic("bare")
    path = Path("given", name)
    replace(path, edited(path.read_text(), kind))
    passes("download", "-c", "clinic", "--from", "given")
    passes("new", "-c", "fresh", "--from", "given")


@pytest.mark.parametrize("column", ["id", "part", "image", "group", "unit", "fold", "patient", "usage", "expected"])
def test_kept_column_of_a_name_that_medfold_uses_is_refused(column, clinic, refusal):
    clinic("bare")
    facts = Path("competition/clinic/competition.yaml")
    facts.write_text(facts.read_text().replace("  group: patient", f"  keep_columns: [{column}]"))
    assert "labels.keep_columns" in refusal("download", "-c", "clinic", "--from", "given")


@pytest.mark.parametrize("column", ["finding", "origin", "pixel_hash", "unreadable_reason", "Id", "ID ", ""])
def test_kept_column_of_an_odd_name_gives_no_traceback(column, clinic):
    clinic("bare")
    facts = Path("competition/clinic/competition.yaml")
    facts.write_text(facts.read_text().replace("  group: patient", f"  keep_columns: ['{column}']"))
    table = Path("given/train.csv")
    if column != "finding":
        table.write_text(table.read_text().replace("patient", column, 1))
    passes("download", "-c", "clinic", "--from", "given")
    passes("folds", "-c", "clinic")


WORDS = ["²", "٣x", "--5", "-1", "1.5", "1e3", "9" * 5000, "0x1", "one", " ", "1,2", "\0", "½", "1_0", "+1", "\ud800"]


@pytest.mark.parametrize("word", WORDS, ids=ascii)
@pytest.mark.parametrize("option", ["--seeds", "--fold", "--jobs", "--workers", "--on", "--recipe"])
def test_malformed_option_of_train_is_refused(option, word, clinic, refusal):
    clinic("downloaded")
    if option == "--fold" and word in ("-1", "+1"):
        word = "--"
    refusal("train", "-c", "clinic", option, word)


@pytest.mark.parametrize("word", ["²", "--5", "9" * 5000, "all", "0 1", "\0", "x"], ids=ascii)
def test_malformed_fold_to_export_is_refused(word, clinic, refusal):
    clinic("trained")
    refusal("export", "-c", "clinic", "--run", "noise", "--fold", word)


@pytest.mark.parametrize(
    "out", ["/dev/null/x", "given", ".", "x" * 300, "a/" + "x" * 300 + "/b", "a\0b", "given/train.csv/x"]
)
@pytest.mark.parametrize("command", ["predict", "export"])
def test_output_file_in_an_impossible_place_is_refused(command, out, clinic, refusal):
    clinic("trained")
    words = {"predict": ["--runs", "noise", "--images", "given/test"], "export": ["--run", "noise"]}[command]
    refusal(command, "-c", "clinic", *words, "--out", out)


@pytest.mark.parametrize("path", ["nowhere", "x" * 300, "a\0b", "/dev/null", "/dev/null/x", "~nobody/x", "given\n"])
def test_path_that_does_not_exist_is_refused(path, clinic, refusal):
    clinic("trained")
    refusal("download", "-c", "clinic", "--force", "--from", path)
    refusal("new", "-c", "fresh", "--from", path)
    refusal("predict", "-c", "clinic", "--runs", "noise", "--images", path)


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="file names are text there")
def test_file_names_that_are_not_utf8_give_no_traceback(clinic):
    clinic("bare")
    for folder in (b"given/train/", b"given/", b"given/test/"):
        Path(os.fsdecode(folder + b"b\xff\xfe.png")).write_bytes(Path("given/test/t0.png").read_bytes())
    passes("download", "-c", "clinic", "--from", "given")
    passes("folds", "-c", "clinic")
    passes("new", "-c", "fresh", "--from", "given")
    passes("new", "-c", "images", "--from", "given/train")


@pytest.mark.slow
def test_huge_cell_gives_no_traceback(clinic):
    clinic("bare")
    Path("given/train.csv").write_text("x" * 100_000_000)
    passes("download", "-c", "clinic", "--from", "given")
    passes("new", "-c", "fresh", "--from", "given")
    Path("given/train.csv").write_text('id,patient,finding\n"' + "x" * 100_000_000 + '",a,b\n')
    passes("download", "-c", "clinic", "--from", "given")
    passes("new", "-c", "fresh", "--from", "given")
