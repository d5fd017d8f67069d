"""The table of minutes at the end of `make test-all`."""

from types import SimpleNamespace

from tests.support import budgets


def test_show_lists_minutes_by_area_and_marks_overruns():
    lines: list[str] = []
    minutes = {
        "tests/training/test_fold.py::a": 12,
        "tests/training/test_checkpoint.py::b": 5,
        "tests/test_models.py::c": 1,
    }
    reports = [SimpleNamespace(nodeid=test, duration=60 * spent) for test, spent in minutes.items()]
    reports.append(SimpleNamespace(nodeid="tests/images/test_worker_pool.py::d", duration=30.0))
    terminal = SimpleNamespace(
        stats={"passed": reports[:2], "failed": reports[2:], "warnings": [SimpleNamespace(message="no duration")]},
        write_sep=lambda *words: None,
        write_line=lines.append,
    )
    budgets.show(terminal, processes=2)
    assert [line.split()[:4] for line in lines] == [
        ["models", "0.5", "of", "6"],
        ["others", "0.2", "of", "6"],
        ["training", "8.5", "of", "8"],
    ]
    assert [("OVER" in line) for line in lines] == [False, False, True]
