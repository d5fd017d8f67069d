"""Budgets of minutes for each area of the tests in `make test-all`, shown at its end."""

from collections import defaultdict
from pathlib import Path

from _pytest.terminal import TerminalReporter

# Minutes on two cores, by folder or file of tests/.
BUDGETS = {
    "campaigns": 8,
    "cluster": 12,
    "end_to_end": 7,
    "hostile": 8,
    "layouts": 6,
    "lookalikes": 3,
    "models": 6,
    "notebooks": 5,
    "report": 2,
    "scoring": 3,
    "training": 8,
}
OTHERS = 6  # all others together


def area(test: str) -> str:
    """Returns the area of a test id, such as tests/training/test_fold.py::test_x."""
    first = Path(test.partition("::")[0]).parts[1]
    name = first.removeprefix("test_").removesuffix(".py")
    return name if name in BUDGETS else "others"


def show(terminal: TerminalReporter, processes: int) -> None:
    """Writes the minutes of each area beside its budget."""
    spent: dict[str, float] = defaultdict(float)
    for reports in terminal.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                spent[area(report.nodeid)] += report.duration / 60 / processes
    terminal.write_sep("=", "minutes by area")
    for name in sorted(spent):
        budget = BUDGETS.get(name, OTHERS)
        over = "  OVER ITS BUDGET: make it faster, or make it a campaign" if spent[name] > budget else ""
        terminal.write_line(f"{name:<12} {spent[name]:5.1f} of {budget}{over}")
