"""`make report`: writes a web page about a run or an ensemble."""

from pathlib import Path

from medfold.competition import Competition
from medfold.data import scan_dataset
from medfold.ensemble import check_method, ensemble_runs
from medfold.paths import EnsemblePaths
from medfold.project_root import display_path
from medfold.report import build_page, render
from medfold.runs import dataset_of_runs
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
    check_method(method, run_names)
    dataset = dataset_of_runs(competition, run_names)
    ensemble = ensemble_runs(competition, run_names, dataset, method, per_class)
    # Fills the store that heat maps need, if it is missing.
    _, scan = scan_dataset(competition, ensemble.runs[0].recipe.preparation)
    variables = {"METHOD": method, "PER_CLASS": per_class}
    page = build_page(competition, dataset, ensemble, scan.measurements, variables)
    text = render(page)
    path = EnsemblePaths(competition.paths, ensemble.run_names).report
    files.write_text(text, path)
    for section in page.sections:
        if section.summary:
            say("report", section.summary)
    say("report", f"{display_path(path)}, {format_size(len(text.encode()))}: open it in a browser")
    return path
