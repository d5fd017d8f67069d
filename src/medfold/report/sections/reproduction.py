"""Report sections: the recipe, and how to do it again."""

from typing import Any

from medfold import config
from medfold.competition import Project, Recipe, load_recipe
from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.runs import read_run


def recipe_section(project: Project, found: Ensemble, origin: dict[str, Any]) -> Section:
    """Choices that differ from the baseline; of the baseline itself, from the defaults."""
    section = Section("recipe", "The recipe")
    ours = config.flat(Recipe.model_validate(origin["recipe"]).model_dump(mode="json"))
    known = project.paths.folder / "baseline.yaml"
    parent = load_recipe(project.paths, project.workspace.base_folder, "baseline", {}) if known.is_file() else Recipe()
    theirs, name = config.flat(parent.model_dump(mode="json")), "baseline"
    if ours == theirs:
        theirs, name = config.flat(Recipe().model_dump(mode="json")), "the defaults"
    differ = [[key, theirs.get(key, ""), value] for key, value in ours.items() if theirs.get(key) != value]
    section.table(f"{isolate(found.names[0])}: what differs from {name}", ["key", name, found.names[0]], differ)
    return section


def reproduction_section(project: Project, found: Ensemble, origin: dict[str, Any], words: dict[str, Any]) -> Section:
    """Commands that give the same again, with versions, seed and hashes."""
    section = Section("again", "Do it again")
    commands = [project.command("download"), project.command("folds")]
    for each in found.names:
        run = read_run(project.paths.run(each))
        commands.append(run.get("command") or f"# {each}: begun by an earlier version, its command is not known")
    named = " ".join(found.names)
    quoted = f'"{named}"'
    commands += [project.command(target, RUNS=quoted, **words) for target in ("submit", "report")]
    section.code("\n".join(commands))
    rows = [["commit", origin["commit"] or "outside git"], ["seed", origin["seed"]]]
    rows += [[name, number] for name, number in origin["versions"].items()]
    rows += [["folds table, SHA-256", origin["folds"][:16]], ["prepared images", origin["store"]]]
    section.table(f"What {isolate(found.names[0])} was made with", ["", "value"], rows)
    return section
