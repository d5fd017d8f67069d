"""Files of a project damaged at random: a command works, or is refused in one line; nothing outside is touched."""

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import BaseModel

from medfold.competition import Competition, CompetitionFacts, Recipe, load_recipe
from medfold.ensemble import read_fitted_ensemble
from medfold.images import worker_pool
from tests.campaigns.fuzzed import READ, Subject
from tests.campaigns.fuzzed.damage import (
    HOSTILE_NAMES,
    cut,
    damaged,
    damaged_table,
    damaged_value,
    odd_value,
    pick,
    rezipped,
)
from tests.layouts.clinic import FACTS, make_in_state, medfold
from tests.support.helpers import REPOSITORY, shipped
from tests.support.small_project import TINY_RECIPE

PROJECT = "my project"
RUN = "runs/clinic/noise"
RUN_FILES = (
    *("run.json", "score.json", "oof.csv", "ensemble.json", "ensemble.npz"),
    *(f"fold0/{name}" for name in ("oof.csv", "test.csv", "history.csv", "done.json", "timing.json")),
    "fold1/self_check_warnings.json",
)
RUN_COMMANDS = [
    ("runs", "-c", "clinic"),
    ("compare", "-c", "clinic", "--runs", "noise noise2"),
    ("recheck", "-c", "clinic"),
    ("report", "-c", "clinic", "--runs", "noise"),
    ("report", "-c", "clinic", "--runs", "noise noise2"),
    ("submit", "-c", "clinic", "--runs", "noise", "--force"),
    ("submit", "-c", "clinic", "--runs", "noise noise2", "--force"),
    ("ensemble", "-c", "clinic", "--runs", "noise noise2"),
    ("data",),
]
PROJECT_COMMANDS = [
    *RUN_COMMANDS[2:],
    ("folds", "-c", "clinic"),
    ("prepare", "-c", "clinic"),
    ("download", "-c", "clinic"),
    ("scores",),
]
YAML_PIECES = [
    "&a ",
    "*a",
    "<<: *a",
    "!!python/object/apply:os.system [touch ../../planted/new]",
    "!!binary ",
    "!!set ",
    "!!map x",
    "? ",
    "- ",
    "---\n",
    "%YAML 9\n",
    "\t",
    "\0",
    "\ufeff",
    "\x85",
    "|\n",
    ">-\n ",
    "{",
    "}",
    "[" * 60,
    '"\\x"',
    "# ",
    ": ",
    "\n",
    "  ",
    "~",
    "0x" + "f" * 200,
    "1:2:3",
    "0o17",
    "2020-13-45",
    "é",
]


def key_names(model: type[BaseModel]) -> list[str]:
    """Names of the keys of a schema, with those of its sections."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found |= set(key_names(section))
    return sorted(found)


FACT_KEYS = [*key_names(CompetitionFacts), "kind", "variants", "extends"]
RECIPE_KEYS = [*key_names(Recipe), "extends"]


def _prepare(folder: Path) -> None:
    """Makes a project with two runs, a report, an ensemble and submissions."""
    root = folder / PROJECT
    root.mkdir()
    make_in_state(root, "trained")
    history = pd.DataFrame({"phase": ["all"] * 3, "epoch": range(3), "learning_rate": 0.1, "loss": 0.5, "val_auc": 0.6})
    history.to_csv(root / RUN / "fold0" / "history.csv", index=False)
    (root / RUN / "fold0" / "timing.json").write_text('{"seconds": 3.5, "epochs": 3}')
    (root / RUN / "fold1" / "self_check_warnings.json").write_text('["a warning"]')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for words in (RUN_COMMANDS[3], RUN_COMMANDS[5], RUN_COMMANDS[7]):
            assert medfold(*words).code == 0
        for run in ("noise", "noise+noise2"):
            assert medfold("ensemble", "-c", "clinic", "--runs", run.replace("+", " ")).code == 0


def _project(given: Path, place: Path, patch: pytest.MonkeyPatch) -> Path:
    """A copy of the project as working directory; images are read in this process."""
    root = Path(shutil.copytree(given / PROJECT, place / PROJECT))
    patch.chdir(root)
    patch.setattr(worker_pool, "try_worker_pool", lambda *arguments: None)
    return root


def _told(*words: str) -> str:
    """Runs a command: `READ`, or the line of its refusal."""
    ended = medfold(*words)
    said = ended.said + ended.errors
    assert ended.code in (0, 2), f"{words} ended with {ended.code}: {said}"
    assert "Traceback" not in said, said
    assert "diary of the user" not in said, said
    assert ended.errors.count("\n") == (ended.code == 2), ended.errors
    assert len(ended.errors) < 20_000, ended.errors[:2000]
    return ended.errors.rstrip("\n") or READ


def _check_place(place: Path) -> None:
    assert [path.name for path in place.iterdir()] == [PROJECT], "something lies beside the project"
    for path in (place / PROJECT).rglob("*"):
        if path.is_file() and path.suffix in (".csv", ".json", ".html"):
            assert b"diary of the user" not in path.read_bytes(), f"{path}: holds a file from outside"


def damaged_yaml(text: str, rng: np.random.Generator, keys: list[str]) -> bytes:
    """A YAML file with values, keys, words or bytes changed."""
    if rng.random() < 0.75:
        content = yaml.safe_load(text)
        content = damaged_value(content, rng, keys)
        if isinstance(content, dict) and rng.random() < 0.3:  # a plausible key with an odd value
            sections = [value for value in content.values() if isinstance(value, dict)] or [content]
            pick(sections, rng)[pick(keys, rng)] = odd_value(rng)
        text = yaml.safe_dump(content, allow_unicode=bool(rng.integers(2)), sort_keys=False)
    if rng.random() < 0.3:
        at = int(rng.integers(len(text) + 1))
        text = text[:at] + pick(YAML_PIECES, rng) + text[at:]
    data = text.encode("utf-8", "surrogateescape")
    return damaged(data, rng) if rng.random() < 0.2 else data


def _attempt_facts(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    """Changes competition.yaml, and reads the raw data again; then makes folds, or uses the runs."""
    with pytest.MonkeyPatch.context() as patch:
        root = _project(given, place, patch)
        text, commands = FACTS, [("download", "-c", "clinic", "--from", "given", "--force")]
        if rng:
            if rng.random() < 0.25:
                text = pick(_shipped_texts("competition.yaml"), rng)
            (root / "competition" / "clinic" / "competition.yaml").write_bytes(damaged_yaml(text, rng, FACT_KEYS))
            commands.append(pick(PROJECT_COMMANDS, rng))
        told = [_told(*words) for words in commands]
        _check_place(place)
    return next((each for each in told if each != READ), READ)


def _shipped_texts(name: str) -> list[str]:
    paths = [REPOSITORY / "competition" / each / name for each in shipped()]
    return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


def _attempt_recipe(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        root = _project(given, place, patch)
        if rng:
            text = pick([TINY_RECIPE, *_shipped_texts("baseline.yaml")], rng)
            (root / "competition" / "clinic" / "baseline.yaml").write_bytes(damaged_yaml(text, rng, RECIPE_KEYS))
        load_recipe(Competition.open("clinic").paths, "baseline", {})
        told = _told("prepare", "-c", "clinic") if rng is None or rng.random() < 0.2 else READ
        _check_place(place)
    return told


def _damage(path: Path, rng: np.random.Generator) -> None:
    """Changes, cuts, empties or removes a file, or puts a folder in its place."""
    data = path.read_bytes()
    match int(rng.integers(10)):
        case 0:
            path.write_bytes(cut(data, rng))
        case 1:
            path.write_bytes(damaged(data, rng))
        case 2:
            path.unlink()
            if rng.random() < 0.3:
                path.mkdir()
        case _:
            path.write_bytes(_changed(data, path.suffix, rng))


def _changed(data: bytes, suffix: str, rng: np.random.Generator) -> bytes:
    if suffix == ".json":
        content = json.loads(data)
        keys = sorted(content) if isinstance(content, dict) and content else ["a"]
        if isinstance(content, dict) and rng.random() < 0.9:
            content.pop("checksum", None)
        return json.dumps(damaged_value(content, rng, [*keys, *HOSTILE_NAMES[:3]])).encode()
    if suffix == ".csv":
        return damaged_table(data.decode(), rng)
    return rezipped(data, rng) if suffix == ".npz" else damaged(data, rng)


def _correct_hashes(folder: Path) -> None:
    """Writes the hashes that files have now into the marker of a fold."""
    marker = folder / "done.json"
    names = [name for name in ("oof.csv", "test.csv") if (folder / name).is_file()]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    marker.write_text(json.dumps(hashes))


def _attempt_run(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        root, commands = _project(given, place, patch), RUN_COMMANDS[:1]
        if rng:
            for name in rng.choice(RUN_FILES, rng.integers(1, 3), replace=False):
                _damage(root / RUN / name, rng)
                if name in ("fold0/oof.csv", "fold0/test.csv") and rng.random() < 0.7:
                    _correct_hashes(root / RUN / "fold0")
            commands = [pick(RUN_COMMANDS, rng)]
            read_fitted_ensemble(Competition.open("clinic"), ["noise"])
        told = [_told(*words) for words in commands]
        _check_place(place)
    return next((each for each in told if each != READ), READ)


def _attempt_project(rng: np.random.Generator | None, given: Path, place: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        root, commands = _project(given, place, patch), PROJECT_COMMANDS[:1]
        if rng:
            folders = ("data/clinic", "folds", "submissions")
            paths = sorted(path for name in folders for path in (root / name).rglob("*") if path.is_file())
            paths = [path for path in paths if "raw" not in path.parts and path.suffix != ".lock"]
            for number in rng.choice(len(paths), rng.integers(1, 3), replace=False):
                _damage(paths[number], rng)
            commands = [pick(PROJECT_COMMANDS, rng)]
        told = [_told(*words) for words in commands]
        _check_place(place)
    return next((each for each in told if each != READ), READ)


ATTEMPTS: dict[str, tuple[Any, int]] = {
    "competition.yaml": (_attempt_facts, 10),
    "recipe": (_attempt_recipe, 5),
    "run": (_attempt_run, 10),
    "project": (_attempt_project, 5),
}
SUBJECTS = {kind: Subject(partial(_prepare), attempt, blocks) for kind, (attempt, blocks) in ATTEMPTS.items()}
