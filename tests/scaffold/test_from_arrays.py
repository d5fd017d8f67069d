"""Facts of competitions whose images and labels are arrays."""

import numpy as np
import pytest

from medfold.scaffold import draft_facts
from tests.support.drafts import drafted
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("shape", "dtype", "channels"), [((9, 8, 8, 1), "int32", 1), ((9, 3, 8, 8), "uint8", 3), ((9, 8, 8, 4), "uint8", 3)]
)
def test_one_hot_arrays_with_any_channel_axis_are_drafted(tmp_path, shape, dtype, channels):
    images, marks = np.zeros(shape, dtype), np.eye(3, dtype=int)[np.arange(9) % 3]
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=marks, test_images=images, test_labels=marks)
    facts, _ = drafted(tmp_path)
    assert (facts["task"], facts["images"]["channels"]) == ("ordinal", channels)
    (tmp_path / "a.npz").write_bytes(b"PK nothing")
    with refused("a.npz: (damaged|not an array)"):
        draft_facts(tmp_path)


LABELS = np.arange(6)[:, None] % 3


@pytest.mark.parametrize(
    ("array", "values"),
    [
        ("train_images", np.array(1)),
        ("train_images", np.zeros(6, np.uint8)),
        ("train_images", np.array(["a"] * 6)),
        ("train_labels", np.array(1)),
        ("test_labels", np.array(1)),
        ("train_labels", LABELS[:0]),
        ("test_labels", np.zeros((6, 3), int)),
        ("train_labels", np.zeros((6, 2, 2), int)),
        ("train_labels", LABELS.astype(complex)),
        ("train_labels", LABELS.astype("datetime64[s]")),
        ("train_labels", np.zeros(6, [("a", "i4")])),
    ],
)
def test_arrays_of_another_form_are_refused(tmp_path, array, values):
    images = np.zeros((6, 8, 8), np.uint8)
    arrays = {"train_images": images, "train_labels": LABELS, "test_images": images, "test_labels": LABELS}
    np.savez(tmp_path / "a.npz", **arrays | {array: values})
    with refused("a.npz: 't(rain|est)_(images' is|labels': labels) of shape .*, expected"):
        draft_facts(tmp_path)
