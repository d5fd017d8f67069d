"""Paths of the files of one run, or of several runs combined."""

import pytest

from medfold.paths import EnsemblePaths, combined_name


@pytest.mark.parametrize(
    ("run_names", "expected"),
    [
        (
            ["a"],
            ["a/report.html", "a/ensemble.npz", "a/ensemble.probabilities.npz", "a/ensemble.json", "a/notebook"],
        ),
        (
            ["a", "b"],
            [
                "a+b.html",
                "a+b.ensemble.npz",
                "a+b.ensemble.probabilities.npz",
                "a+b.ensemble.json",
                "a/notebook-a+b",
            ],
        ),
    ],
    ids=["one run", "two runs"],
)
def test_files_of_several_runs_are_named_by_all_of_them(small, run_names, expected):
    paths = EnsemblePaths(small.paths, run_names)
    listed = (paths.report, paths.fitted, paths.fitted_probabilities, paths.fitted_metadata, paths.notebook)
    assert [path.relative_to(small.paths.runs).as_posix() for path in listed] == expected


def test_combined_name_of_many_runs_is_short_and_unique():
    names = [f"mobilenet-s{number}-18dff9" for number in range(40)]
    assert combined_name(names[:2]) == "mobilenet-s0-18dff9+mobilenet-s1-18dff9"
    assert len(combined_name(names)) < 160
    assert combined_name(names) != combined_name(names[:39])
