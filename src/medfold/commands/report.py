"""`make report`: writes a web page about a run or an ensemble."""

from pathlib import Path

from medfold.competition import Competition
from medfold.ensemble import ensemble_runs
from medfold.report import build_page, render
from medfold.runs import EnsemblePaths, load_dataset_of_runs
from medfold.system import files
from medfold.terminal.console import format_size, say


def report(competition: Competition, run_names: list[str], method: str | None = None, per_class: bool = False) -> Path:
    """Writes the page.

    Args:
        competition: the competition of the runs; the page is put beside them.
        run_names: names of the runs, one per member.
        method: name of the method to combine the runs by. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Returns:
        The path of the page.

    Raises:
        UserError: untrained runs, or runs that do not fit together.
    """
    data = load_dataset_of_runs(competition, run_names)
    ensemble = ensemble_runs(competition, run_names, data, method, per_class)
    text = render(build_page(competition, data, ensemble, {"METHOD": method, "PER_CLASS": per_class}))
    path = EnsemblePaths(competition.paths, ensemble.run_names).report
    files.write_text(text, path)
    say("report", f"{competition.display(path)}, {format_size(len(text.encode()))}: open it in a browser")
    return path
