"""`make submit` for a notebook competition: the pushed notebook is executed, and its output is submitted."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.paths import ProjectPaths
from medfold.submission import read_ledger
from tests.support import kaggle_image
from tests.support.kaggle_server import HostedCompetition


@pytest.mark.slow
def test_submit_runs_notebook_and_submits_its_output(kaggle, packed_project, tmp_path, monkeypatch):
    root = tmp_path / "my project"
    shutil.copytree(packed_project.competition.project_paths.root, root)
    for path in root.glob("submissions/**/*.*"):
        path.unlink()
    facts = root / "competition" / "small" / "competition.yaml"
    kept = [line for line in facts.read_text().splitlines() if not line.startswith(("source:", "upload:"))]
    facts.write_text("\n".join([*kept, "source: {kind: kaggle, slug: small}", "upload: notebook"]))
    monkeypatch.chdir(root)
    competition = Competition.open("small", ProjectPaths(root))
    solution = pd.read_csv(competition.paths.solution, index_col="id")["target"]
    python = kaggle_image.make(tmp_path / "venv")

    def judge(text: bytes) -> dict:
        rows = dict(line.split(",") for line in text.decode().splitlines()[1:])
        score = roc_auc_score(solution, np.array([float(rows[id]) for id in solution.index]))
        return {"status": "COMPLETE", "publicScore": f"{score:.5f}", "privateScore": ""}

    kaggle.competitions["small"] = HostedCompetition(judge=judge, notebooks_only=True)
    kaggle.runner = kaggle_image.machine(kaggle, tmp_path, python, {"small": competition.paths.raw}, "submission.csv")
    submit(competition, run_names=["baseline"])
    (row,), (arrived,) = read_ledger(competition.project_paths).to_dict("records"), kaggle.submissions
    assert arrived["text"] == (root / row["file"]).read_bytes() == packed_project.submission
    assert (row["status"], row["public"]) == ("scored", f"{float(arrived['verdict']['publicScore']):.6f}")
    beside = json.loads((root / row["file"]).with_suffix(".json").read_text())
    assert beside["kaggle"]["notebook"]["version"] == 1
    assert "44 rows, checked" in (competition.paths.run("baseline").notebook / "log.txt").read_text()
    assert "they differ from the local predictions by at most 0" in kaggle.said()
