"""Report sections about the recipe and how to reproduce the result."""

from typing import Any

from medfold import config
from medfold.competition import Competition, Recipe, load_recipe
from medfold.data import download_variables
from medfold.ensemble import Ensemble
from medfold.project_root import display_path
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.terminal.console import warn
from medfold.text import shorten_list


def recipe_section(competition: Competition, ensemble: Ensemble) -> Section:
    """Lists the settings that differ from the baseline; for the baseline itself, from the defaults."""
    section = Section("recipe", "Recipe")
    run = ensemble.runs[0]
    recipe = config.flat(run.recipe.model_dump(mode="json"))
    baseline_path = competition.paths.folder / "baseline.yaml"
    parent = Recipe()
    if baseline_path.is_file():
        parent = load_recipe(competition.paths, "baseline", {})
    reference, name = config.flat(parent.model_dump(mode="json")), "baseline"
    if recipe == reference:
        reference, name = config.flat(Recipe().model_dump(mode="json")), "the defaults"
    differ = [[key, reference.get(key, ""), value] for key, value in recipe.items() if reference.get(key) != value]
    section.table(f"{isolate(run.name)}: differences from {name}", ["key", name, run.name], differ)
    return section


def reproduction_section(competition: Competition, ensemble: Ensemble, variables: dict[str, Any]) -> Section:
    """Lists the commands that reproduce the result, with versions, seed and hashes."""
    section = Section("again", "Reproduction")
    download = competition.make_command("download", **download_variables(competition))
    commands = [download, competition.make_command("folds")]
    for run in ensemble.runs:
        commands.append(run.metadata.command or f"# {run.name}: started by an earlier version, its command is unknown")
    joined = " ".join(ensemble.run_names)
    commands += [competition.make_command(target, RUNS=joined, **variables) for target in ("submit", "report")]
    section.code("\n".join(commands))
    first_run = ensemble.runs[0]
    metadata = first_run.metadata
    if missing := [key for key in ("commit", "versions", "store_key") if key not in metadata.model_fields_set]:
        text = f"no {shorten_list(missing)}: left out of the report. Restore the file from a backup, if you can"
        warn("report", f"{display_path(first_run.paths.metadata)}: {text}")
    rows = [["commit", metadata.commit or "outside git"]] if "commit" not in missing else []
    rows += [["seed", metadata.seed], *(metadata.versions or {}).items()]
    rows += [["folds table, SHA-256", metadata.folds_fingerprint[:16]]]
    rows += [["prepared images", metadata.store_key]] if "store_key" not in missing else []
    section.table(f"Versions and hashes of {isolate(first_run.name)}", ["", "value"], rows)
    return section
