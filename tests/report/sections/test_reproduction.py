"""The recipe of a run, and the commands, versions and hashes that reproduce it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from medfold.competition import Recipe, load_recipe
from medfold.report.sections.reproduction import recipe_section, reproduction_section
from medfold.runs import Run, RunMetadata

METADATA = {
    "recipe": {},
    "facts": {"folds": {"k": 3}, "images": {"symmetry": "none"}},
    "commit": "0123abc",
    "seed": 3,
    "versions": {"keras": "3.1", "numpy": "2.0"},
    "folds_fingerprint": "f" * 64,
    "store_key": "0a1b2c",
}


def ensemble_of(*runs):
    return SimpleNamespace(run_names=[run.name for run in runs], runs=runs)


def recipe_table(competition, recipe: Recipe) -> dict:
    (table,) = recipe_section(competition, ensemble_of(SimpleNamespace(name="mine", recipe=recipe))).parts
    return table


def test_recipe_is_compared_with_the_baseline(small):
    baseline = load_recipe(small.paths, "baseline", {})
    changes = {"preparation": {"size": 32}, "training": {"epochs": 5}}
    changed = load_recipe(small.paths, "baseline", changes)
    table = recipe_table(small, changed)
    assert table["caption"] == "mine: differences from baseline"
    assert table["columns"] == ["key", "baseline", "mine"]
    assert table["rows"] == [
        ["preparation.size", str(baseline.preparation.size), "32"],
        ["training.epochs", str(baseline.training.epochs), "5"],
    ]


def test_baseline_is_compared_with_the_defaults(small):
    baseline = load_recipe(small.paths, "baseline", {})
    table = recipe_table(small, baseline)
    assert table["caption"] == "mine: differences from the defaults"
    assert ["training.epochs", str(Recipe().training.epochs), "2"] in table["rows"]


def test_recipe_is_compared_with_the_defaults_where_there_is_no_baseline(small):
    (small.paths.folder / "baseline.yaml").unlink()
    rows = recipe_table(small, Recipe.model_validate({"tta": not Recipe().tta}))["rows"]
    assert rows == [["tta", str(Recipe().tta), str(not Recipe().tta)]]


@pytest.fixture
def reproduced(small):
    """Returns a function: the commands, and the rows of the table, of an ensemble of these runs."""
    recorded = {"one": "make train COMPETITION=small RECIPE=one SEEDS=0"}

    def run(*run_names, metadata=METADATA, **variables):
        runs = [Run(small.paths.run(name), RunMetadata(**metadata, command=recorded.get(name))) for name in run_names]
        code, table = reproduction_section(small, ensemble_of(*runs), variables).parts
        return code["text"].splitlines(), dict(table["rows"])

    return run


def test_commands_go_from_the_data_to_the_report(reproduced):
    commands, _ = reproduced("one", METHOD=None)
    assert commands == [
        "make download COMPETITION=small",
        "make folds COMPETITION=small",
        "make train COMPETITION=small RECIPE=one SEEDS=0",
        "make submit COMPETITION=small RUNS=one",
        "make report COMPETITION=small RUNS=one",
    ]


def test_data_of_the_user_is_given_by_from(small):
    own = replace(small, facts=small.facts.model_copy(update={"source": {"kind": "own"}}))
    code, _ = reproduction_section(own, ensemble_of(Run(small.paths.run("one"), RunMetadata(**METADATA))), {}).parts
    assert code["text"].splitlines()[0] == "make download COMPETITION=small FROM=folder-or-archive"


def test_run_of_an_earlier_version_has_no_command(reproduced):
    commands, _ = reproduced("one", "two", METHOD="rank")
    assert commands[3] == "# two: started by an earlier version, its command is unknown"
    assert commands[4:] == [
        'make submit COMPETITION=small RUNS="one two" METHOD=rank',
        'make report COMPETITION=small RUNS="one two" METHOD=rank',
    ]


def test_versions_seed_and_hashes_are_listed(reproduced):
    assert reproduced("one")[1] == {
        "commit": "0123abc",
        "seed": "3",
        "keras": "3.1",
        "numpy": "2.0",
        "folds table, SHA-256": "f" * 16,
        "prepared images": "0a1b2c",
    }
    assert reproduced("one", metadata={**METADATA, "commit": None})[1]["commit"] == "outside git"


def test_keys_that_run_json_lacks_are_named_and_left_out(reproduced, capsys):
    metadata = {key: METADATA[key] for key in ("recipe", "facts", "seed", "folds_fingerprint")}
    assert reproduced("one", metadata=metadata)[1] == {"seed": "3", "folds table, SHA-256": "f" * 16}
    said = " ".join(capsys.readouterr().out.split())
    assert "runs/small/one/run.json: no commit, versions, store_key: left out of the report. Restore the file" in said
