"""Training of every preset: one epoch on its look-alike, to a submission of one fold."""

import pandas as pd
import pytest

from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import parse_overrides

pytestmark = pytest.mark.slow
STEP = "preparation.size=32 backbone.width=4 training.epochs=1 training.batch_size=16 training.warmup=0 tta=false"


def test_preset_trains_and_submits(competition):
    train(competition, overrides=parse_overrides(STEP), folds=[0], run="step")
    run = competition.paths.run("step")
    oof = pd.read_csv(run.fold(0).oof)
    assert oof[competition.facts.prediction_columns].to_numpy().std() > 0
    assert oof["fold"].eq(0).all()
    submit(competition, run_names=["step"], force=True)  # one epoch is no better than chance
    assert len(list(competition.paths.submissions.glob("*.csv"))) == 1
