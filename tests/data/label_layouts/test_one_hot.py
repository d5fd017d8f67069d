"""Label layout `one_hot`: a column per class."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from medfold.errors import UserError
from tests.support.helpers import competition_facts, picture


def test_one_hot_columns_give_one_class_per_image(tmp_path):
    raw = tmp_path / "raw"
    rows = ["1,0,0", "0,1.0,0", " 0,False,TRUE"]
    for number in range(3):
        picture(raw / f"i{number}.png", seed=number)
    header = "image,mel,nv,bcc\n"
    (raw / "train.csv").write_text(header + "".join(f"i{number},{row}\n" for number, row in enumerate(rows)))
    labels = {"layout": "one_hot", "file": "train.csv", "id": "image", "targets": ["label"], "holdout": 0.3}
    facts = competition_facts(
        task="multiclass",
        classes=["mel", "nv", "bcc"],
        labels=labels,
        images={"train": "{id}.png"},
        score={"metric": "accuracy"},
    )
    train, test, _ = LAYOUTS["one_hot"](facts, raw)
    assert (train["label"].tolist(), test) == (["mel", "nv", "bcc"], None)
    (raw / "train.csv").write_text(header + "i0,1,1,0\ni1,0,0,0\ni2,0,0,1\n")
    with pytest.raises(
        UserError, match="train.csv: 2 rows do not have one 1 and else 0 in mel, nv, bcc: i0, i1. With several"
    ):
        LAYOUTS["one_hot"](facts, raw)
