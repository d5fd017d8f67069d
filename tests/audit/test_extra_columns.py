"""Columns of the label table that no fact uses."""

import pandas as pd

from medfold.audit.extra_columns import read_extra_columns


def test_columns_without_a_fact_are_read_in_the_order_of_the_ids(small):
    small.paths.raw.mkdir(parents=True)
    table = small.paths.raw / "train.csv"
    table.write_text("id,target,patient_id,age,sex,site\na,0,1,50,f,x\nb,1,2,60,m,y\na,0,1,50,f,z\n")
    ids = pd.Series(["b", "train/a"], index=[7, 3])
    columns = read_extra_columns(small.facts, small.paths, ids)
    assert columns.to_dict() == {"site": {7: "y", 3: "x"}}
    assert read_extra_columns(small.facts, small.paths, pd.Series(["a", "other"])).shape == (2, 0)
    table.unlink()
    assert read_extra_columns(small.facts, small.paths, ids).shape == (2, 0)
