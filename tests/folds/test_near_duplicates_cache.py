"""The near-duplicates of a competition: computed once, then read from data/."""

import numpy as np
import pandas as pd
import pytest

from medfold.folds import near_duplicates, near_duplicates_cache
from medfold.folds.near_duplicates_cache import cached_near_duplicates, read_near_duplicates
from medfold.system import json_files


@pytest.fixture
def computed(monkeypatch):
    """Replaces the search for near-duplicates: the first two images are a pair. Holds the number of searches."""
    calls = []

    def find(hashes, thumbnails):
        calls.append(len(hashes))
        return near_duplicates.NearDuplicateForest(np.array([[0, 1]]), np.array([0.97]))

    monkeypatch.setattr(near_duplicates_cache, "find_near_duplicates", find)
    return calls


@pytest.fixture
def appearance(small):
    """Three images; the last has one value everywhere."""
    small.paths.appearance.parent.mkdir(parents=True)
    small.paths.appearance.write_text("id,perceptual_hash\n")
    np.save(small.paths.thumbnails, np.zeros((3, 8, 8), np.uint8))
    hashes = ["h1", "h2", f"{near_duplicates_cache.ONE_VALUE_PREFIX}7"]
    return pd.DataFrame(
        {"id": ["a", "b", "c"], "pixel_hash": hashes, "perceptual_hash": ["0", "1", "2"], "row": [0, 1, 2]}
    )


def test_images_of_one_value_are_left_out(small, appearance, computed):
    found = cached_near_duplicates(small.paths, appearance)
    assert computed == [2]
    assert found.pairs == [("a", "b")]
    assert found.component_of(appearance["id"]).tolist() == [0, 0, 1]


def test_pairs_of_identical_pixels_share_a_component_but_are_no_pair(small, appearance, computed):
    found = cached_near_duplicates(small.paths, appearance.assign(pixel_hash=["h1", "h1", "h2"]))
    assert found.pairs == []
    assert found.component_of(appearance["id"]).tolist() == [0, 0, 1]


def test_near_duplicates_are_computed_again_only_for_other_images(small, appearance, computed):
    assert read_near_duplicates(small.paths) == []
    for _ in range(2):
        cached_near_duplicates(small.paths, appearance)
    assert len(computed) == 1
    assert read_near_duplicates(small.paths) == [("a", "b")]
    small.paths.appearance.write_text("id,perceptual_hash\nmore\n")
    cached_near_duplicates(small.paths, appearance)
    assert len(computed) == 2


def test_damaged_file_is_made_again(small, appearance, computed, capsys):
    cached_near_duplicates(small.paths, appearance)
    small.paths.near_duplicates.write_text("{")
    assert cached_near_duplicates(small.paths, appearance).pairs == [("a", "b")]
    assert len(computed) == 2
    assert "has changed since it was written: made again" in capsys.readouterr().out


def test_most_similar_pairs_are_read_first(small, appearance, monkeypatch):
    pairs, similarity = np.array([[0, 1], [0, 2], [1, 2]]), np.array([0.91, 0.99, 0.95])
    forest = near_duplicates.NearDuplicateForest(pairs, similarity)
    monkeypatch.setattr(near_duplicates_cache, "find_near_duplicates", lambda *_: forest)
    expected = [("a", "c"), ("b", "c"), ("a", "b")]
    assert cached_near_duplicates(small.paths, appearance.assign(pixel_hash=["h1", "h2", "h3"])).pairs == expected
    assert read_near_duplicates(small.paths) == expected


@pytest.mark.parametrize("pairs", [[["a", "b"]], [["a", "b", "near"]], [[1, 2, 0.9]], {"a": "b"}, "ab", None])
def test_pairs_of_another_form_are_computed_again(small, appearance, computed, capsys, pairs):
    cached_near_duplicates(small.paths, appearance)
    content = json_files.read(small.paths.near_duplicates) | {"pairs": pairs}
    json_files.write(content, small.paths.near_duplicates, sealed=True)
    assert read_near_duplicates(small.paths) == []
    assert cached_near_duplicates(small.paths, appearance).pairs == [("a", "b")]
    assert len(computed) == 2
    assert "near_duplicates.json has changed since it was written: made again" in capsys.readouterr().out
