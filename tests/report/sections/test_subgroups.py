"""The section on subgroups."""

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.scoring import METRICS
from tests.support.report_pages import cells, read_page


def test_subgroup_table_matches_scores_by_sex_and_age(competition, good):
    found = ensemble_runs(competition, ["good"], dataset := make_dataset(competition))
    rows = cells(read_page(good), "Subgroup scores as numbers")
    assert [row[:2] for row in rows if row[0] == "sex"] == [["sex", "F"], ["sex", "M"]]
    ages = [row for row in rows if row[0] == "age"]
    assert sum(int(row[2]) for row in ages) == 59
    sex = dataset.train.set_index("unit").loc[found.oof.unit_ids, "sex"].to_numpy()
    for _, value, units, positive, score, _ in rows[-2:]:
        here = sex == value
        assert int(units) == here.sum()
        assert positive == f"{found.oof.targets[here].mean():.1%}"
        assert score == f"{METRICS['auc'](found.oof.targets[here], found.oof.predictions[here]):.4f}"
