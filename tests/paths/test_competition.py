"""Paths of the files of a competition."""

from pathlib import Path

from medfold.paths import ProjectPaths


def test_files_of_a_competition_are_in_documented_places(project_folder):
    paths = ProjectPaths.find().competition("small")
    fold = paths.run("baseline").fold(2)
    shown = {
        path.relative_to(project_folder).as_posix()
        for path in (paths.folds_table, paths.samples, paths.groups, fold.oof)
    }
    assert shown == {
        "folds/small.csv",
        "data/small/samples.csv",
        "data/small/groups.csv",
        "runs/small/baseline/fold2/oof.csv",
    }
    assert ProjectPaths.find().ledger == Path(project_folder) / "submissions" / "ledger.csv"


def test_the_solution_is_read_from_its_former_folder(project_folder):
    paths = ProjectPaths.find().competition("small")
    assert paths.solution == paths.data / "solution" / "solution.csv"
    (paths.data / "hidden").mkdir(parents=True)
    assert paths.solution == paths.data / "hidden" / "solution.csv"
    (paths.data / "solution").mkdir()
    assert paths.solution == paths.data / "solution" / "solution.csv"
