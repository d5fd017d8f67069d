"""Facts of competitions whose images and labels are arrays."""

import numpy as np
import pytest

from medfold.scaffold.from_files import draft_facts
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
