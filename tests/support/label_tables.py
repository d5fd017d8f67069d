"""A table of labels, and the facts that describe it."""

from tests.support.helpers import competition_facts

NUMBERS = range(8)


def facts(images=None, **labels):
    labels = {"file": "table.csv", "id": "id", "targets": ["sick"], **labels}
    images = {"train": "images/{id}.png", "channels": 1, **(images or {})}
    return competition_facts("binary", labels=labels, images=images, upload="none")


def rows_of(raw, split, sick):
    rows = [f"{number},{split[number]},{sick[number]}" for number in NUMBERS]
    (raw / "table.csv").write_text("\n".join(["id,split,sick", *rows]) + "\n")


SPLITS = ["train", "Train", "training", "train", "val", "test", "test", "Testing"]
SICK = ["0", "1", "1.0", " 0", "1", "0", "1", "1"]


def other_labels(wide, table: str, **labels):
    raw, facts = wide
    (raw / "train.csv").write_text(table)
    return raw, facts.model_copy(update={"labels": facts.labels.model_copy(update=labels)})
