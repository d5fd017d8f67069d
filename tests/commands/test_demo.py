"""make demo: the whole pipeline on a phantom."""

import re

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medfold.commands.demo import demo


@pytest.mark.slow
def test_demo_trains_scores_submits_reports_and_rechecks(small, capsys):
    demo(small)
    said = capsys.readouterr().out
    steps = ["download", "prepare", "folds", "train", "fold 0", "OOF score", "submit", "report", "run", "demo"]
    assert [step for step in steps if not re.search(rf"^{step} ", said, re.MULTILINE)] == []

    raw, run = small.paths.raw, small.paths.run("baseline")
    labels, oof = pd.read_csv(raw / "train.csv"), pd.read_csv(run.oof)
    both = labels.merge(oof, on="id", suffixes=("", "_predicted"), validate="one_to_one")
    auc = roc_auc_score(both["target"], both["target_predicted"])
    num_samples = len(labels)
    score = rf"^OOF score  AUC {auc:.4f} \(95 % interval .*\), all 3 folds, {num_samples} of {num_samples} samples$"
    assert len(re.findall(score, said, re.MULTILINE)) == 1
    assert said.count("OOF score") == 1
    assert said.count("not for the diagnosis of patients") == 1

    (submission,) = small.paths.submissions.glob("*.csv")
    assert f"submit     44 rows, checked -> submissions/small/{submission.name}\n" in said
    table, sample = pd.read_csv(submission), pd.read_csv(raw / "sample_submission.csv")
    assert table["id"].tolist() == sample["id"].tolist()
    assert run.report.is_file()
    assert said.count("recomputed: identical") == 2  # the run and the submission
    assert "demo       done in " in said
