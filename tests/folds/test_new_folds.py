"""New folds, and the former ones."""

from medfold.commands.folds import make_folds


def test_remade_equal_folds_are_not_archived(two_runs, capsys):
    make_folds(two_runs, force=True)
    assert [path.name for path in two_runs.paths.folds.parent.glob("small*.csv")] == ["small.csv"]
