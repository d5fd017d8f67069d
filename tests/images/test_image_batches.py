"""Batches of prepared images for prediction."""

import numpy as np

from medfold.competition import ImageFacts, PreparationSettings
from medfold.images import prepare_image, read_image
from medfold.images.image_batches import read_batches
from tests.support.helpers import picture

FACTS = ImageFacts(train="x", channels=1)


def test_batches_cover_all_images_in_order(tmp_path):
    names = [f"{number}.png" for number in range(5)]
    for number, name in enumerate(names):
        picture(tmp_path / name, seed=number)
    (tmp_path / "1.png").write_bytes(b"not an image")
    settings = [PreparationSettings(size=8), PreparationSettings(size=16)]
    batches = list(read_batches(tmp_path, names, FACTS, settings, batch_size=2))
    assert [batch.rows.tolist() for batch in batches] == [[0, 2], [3, 4]]
    assert [list(batch.unreadable) for batch in batches] == [[1], []]
    assert "not a picture" in batches[0].unreadable[1]
    for batch in batches:
        for pixels, chosen in zip(batch.pixels, settings, strict=True):
            expected = [prepare_image(read_image(tmp_path, names[row], FACTS), chosen) for row in batch.rows]
            np.testing.assert_array_equal(pixels, expected)


def test_last_batch_may_have_no_readable_image(tmp_path):
    picture(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"")
    first, last = read_batches(tmp_path, ["0.png", "1.png"], FACTS, [PreparationSettings(size=8)], batch_size=1)
    assert (first.rows.tolist(), last.rows.tolist(), list(last.unreadable)) == ([0], [], [1])
    assert last.pixels == []
