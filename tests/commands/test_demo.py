"""make demo: the whole pipeline on a phantom."""

import pytest

from medfold.commands.demo import demo


@pytest.mark.slow
def test_demo_runs_from_download_to_recheck(small, capsys):
    demo(small)
    said = capsys.readouterr().out
    assert "computed again, equal" in said
    assert "done in" in said
    assert said.count("OOF score") == 1
    assert said.count("not for the diagnosis of patients") == 1
    assert small.paths.run("baseline").report.is_file()
    assert len(list(small.paths.submissions.glob("*.csv"))) == 1
