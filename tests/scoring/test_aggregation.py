"""Predictions of images aggregated to units."""

import numpy as np
import pandas as pd
import pytest

from medfold.scoring.aggregation import aggregate, aggregate_predictions
from tests.support.helpers import competition_facts

SCORE = {"metric": "auc", "unit": "{patient}_{side}"}


def facts_of(task="binary", **score):
    columns = {"binary": 1, "multilabel": 2, "ordinal": 3}[task]
    metric = "auc" if task == "binary" else "mean_auc"
    return competition_facts(task, score={**SCORE, "metric": metric, **score}), columns


def test_samples_without_units_are_unchanged():
    facts, _ = facts_of()
    predictions = np.array([[0.1], [0.7]], np.float32)
    aggregated = aggregate(facts, np.array(["a", "b"]), np.array([0, 1]), predictions)
    assert aggregated.unit_ids.tolist() == ["a", "b"]
    assert aggregated.first_rows.tolist() == [0, 1]
    assert (aggregated.predictions == predictions.astype(np.float64)).all()


@pytest.mark.parametrize("task", ["binary", "multilabel", "ordinal"])
@pytest.mark.parametrize("how", ["mean", "max"])
def test_aggregation_matches_slow_loop(task, how):
    facts, columns = facts_of(task, aggregate=how)
    rng = np.random.default_rng(0)
    names = rng.choice([f"unit{n}" for n in range(9)], 40)
    predictions = rng.random((40, columns))
    if task == "ordinal":
        predictions /= predictions.sum(axis=1, keepdims=True)
    targets = rng.integers(0, 2, (40, 2)) if task == "multilabel" else rng.integers(0, columns + 1, 40)
    aggregated = aggregate(facts, names, targets, predictions)
    order = list(dict.fromkeys(names))
    assert aggregated.unit_ids.tolist() == order
    for number, name in enumerate(order):
        here = names == name
        expected = getattr(predictions[here], how)(axis=0)
        if task == "ordinal" and how == "max":
            expected = expected / expected.sum()
        assert aggregated.predictions[number] == pytest.approx(expected, abs=1e-12)
        assert (aggregated.targets[number] == targets[here].max(axis=0)).all()
        assert aggregated.first_rows[number] == np.flatnonzero(here)[0]
    table = pd.DataFrame(predictions, columns=facts.prediction_columns).assign(id=[f"i{n}" for n in range(40)])
    shuffled = table.sample(frac=1, random_state=1)
    by_table = aggregate_predictions(facts, shuffled, pd.Series(names, index=table["id"])).set_index("id")
    assert by_table.loc[order, facts.prediction_columns].to_numpy() == pytest.approx(aggregated.predictions, abs=1e-12)
