"""Every preset can be trained: a step or two on its look-alike, to a submission of one fold."""

import pandas as pd
import pytest

from medfold import leaderboards, stages
from medfold.recipe import parse_overrides
from tests.helpers import NoLeaderboard

pytestmark = pytest.mark.slow
STEP = "images.size=32 backbone.width=4 training.epochs=1 training.batch_size=16 training.warmup=0 tta=false"


def test_a_preset_trains_and_submits(taken, monkeypatch):
    project = taken.project
    monkeypatch.chdir(project.root.root)
    if project.competition.upload != "local":
        monkeypatch.setattr(leaderboards, "of", lambda upload: NoLeaderboard)
    stages.train(project, overrides=parse_overrides(STEP), folds=[0], run="step")
    run = project.paths.run("step")
    oof = pd.read_csv(run.fold(0).oof)
    assert oof[project.competition.columns].to_numpy().std() > 0
    assert oof["fold"].eq(0).all()
    before = set(project.paths.submissions.glob("*.csv"))
    stages.submit(project, names=["step"])
    assert len(set(project.paths.submissions.glob("*.csv")) - before) == 1
