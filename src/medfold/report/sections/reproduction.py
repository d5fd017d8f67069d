"""Report sections about the recipe and how to reproduce the result."""

from typing import Any

from medfold import config
from medfold.competition import Project, Recipe, load_recipe
from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.runs import read_run


def recipe_section(project: Project, ensemble: Ensemble, origin: dict[str, Any]) -> Section:
    """Lists the choices that differ from the baseline; of the baseline itself, from the defaults."""
    section = Section("recipe", "The recipe")
    recipe = config.flat(Recipe.model_validate(origin["recipe"]).model_dump(mode="json"))
    baseline_path = project.paths.folder / "baseline.yaml"
    parent = Recipe()
    if baseline_path.is_file():
        parent = load_recipe(project.paths, project.workspace.base_folder, "baseline", {})
    reference, name = config.flat(parent.model_dump(mode="json")), "baseline"
    if recipe == reference:
        reference, name = config.flat(Recipe().model_dump(mode="json")), "the defaults"
    differ = [[key, reference.get(key, ""), value] for key, value in recipe.items() if reference.get(key) != value]
    section.table(f"{isolate(ensemble.names[0])}: what differs from {name}", ["key", name, ensemble.names[0]], differ)
    return section


def reproduction_section(
    project: Project, ensemble: Ensemble, origin: dict[str, Any], words: dict[str, Any]
) -> Section:
    """Lists the commands that reproduce the result, with versions, seed and hashes."""
    section = Section("again", "Do it again")
    commands = [project.command("download"), project.command("folds")]
    for each in ensemble.names:
        run = read_run(project.paths.run(each))
        commands.append(run.get("command") or f"# {each}: begun by an earlier version, its command is unknown")
    named = " ".join(ensemble.names)
    quoted = f'"{named}"'
    commands += [project.command(target, RUNS=quoted, **words) for target in ("submit", "report")]
    section.code("\n".join(commands))
    rows = [["commit", origin["commit"] or "outside git"], ["seed", origin["seed"]]]
    rows += [[name, number] for name, number in origin["versions"].items()]
    rows += [["folds table, SHA-256", origin["folds"][:16]], ["prepared images", origin["store"]]]
    section.table(f"What {isolate(ensemble.names[0])} was made with", ["", "value"], rows)
    return section
