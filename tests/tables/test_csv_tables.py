"""CSV tables: values are read as they were written."""

import numpy as np
import pandas as pd

from medfold.tables import read_csv, write_csv


def test_csv_keeps_float32_values_exactly(tmp_path):

    values = np.random.default_rng(0).random(1000).astype(np.float32)
    write_csv(pd.DataFrame({"id": [f"00{n}" for n in range(1000)], "p": values}), tmp_path / "t.csv")
    read = read_csv(tmp_path / "t.csv")
    assert (read["p"].to_numpy(np.float32) == values).all()
    assert read["id"].iloc[1] == "001"
