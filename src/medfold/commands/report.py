"""`make report`: a web page about a run, or several together."""

from pathlib import Path

from medfold import files
from medfold.competition import RESEARCH_NOTICE, Project
from medfold.console import format_size, say
from medfold.ensemble import ensemble_runs
from medfold.report import build_page, render
from medfold.runs import combined_name, load_dataset_for


def report(project: Project, names: list[str], method: str | None = None, per_class: bool = False) -> Path:
    """Writes the page.

    Args:
        names: of the runs.
        method, per_class: how to put several together, as `ensemble` takes them.

    Returns:
        Where it is.

    Raises:
        UserError: runs that are not trained, or do not fit together.
    """
    data = load_dataset_for(project, names)
    found = ensemble_runs(project, names, data, method, per_class)
    words = {"METHOD": method, "PER_CLASS": 1 if per_class else None}
    text = render(build_page(project, data, found, {key: word for key, word in words.items() if word}))
    several = project.paths.runs / f"{combined_name(found.names)}.html"
    path = project.paths.run(found.names[0]).report if len(found.names) == 1 else several
    files.write_text(text, path)
    say("report", f"{project.display(path)}, {format_size(len(text.encode()))}: open it in a browser")
    say("", RESEARCH_NOTICE)
    return path
