"""Own data, from its folders and tables to scores: unknown patients, and a test table with labels."""

import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition import Competition
from tests.support.finished_runs import finished_run
from tests.support.helpers import picture, replaced
from tests.support.holdouts import FACTS, add_holdout_project
from tests.support.small_project import add_competition


@pytest.mark.slow
def test_every_score_warns_of_unknown_patients(project_folder, tmp_path, capsys):
    holdout_project = add_holdout_project(project_folder, tmp_path / "given")
    make_folds(holdout_project)
    finished_run(holdout_project, "noise", quality=0.5)
    assert "unknown: the OOF score may be too high" in capsys.readouterr().out
    submit(holdout_project, run_names=["noise"], force=True)
    assert "; patients unknown: it may be too high" in capsys.readouterr().out
    report(holdout_project, ["noise"])
    assert "patients unknown: it may be too high" in holdout_project.paths.run("noise").report.read_text()


@pytest.mark.slow
def test_labels_in_test_table_become_the_hidden_solution(project_folder, tmp_path, capsys):
    given = tmp_path / "given"
    for part, count in (("train", 20), ("test", 8)):
        rows = ["id,sick"]
        for number in range(count):
            picture(given / part / f"{part}{number}.png", seed=number + 50 * (part == "test"))
            rows.append(f"{part}{number},{['no', 'yes'][number % 2]}")
        (given / f"{part}.csv").write_text("\n".join(rows) + "\n")
    facts = replaced(
        FACTS,
        ("{layout: folders, targets: [sick], holdout: 0.3}", "{file: train.csv, test_file: test.csv, targets: [sick]}"),
    )
    facts = replaced(facts, ('train: "{label}/{id}.png"', 'train: "train/{id}.png", test: "test/{id}.png"'))
    add_competition(project_folder, "local", facts)
    competition = Competition.open("local")
    download(competition, path=given)
    assert "test.csv has labels: they become the solution" in capsys.readouterr().out
    finished_run(competition, "noise", quality=1.0)
    submit(competition, run_names=["noise"], force=True)
    assert "8 images" in capsys.readouterr().out
