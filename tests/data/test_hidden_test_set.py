"""The test set alone, read without the labels of the training set."""

from medfold.data import Source, build_samples
from medfold.data.hidden_test_set import read_test_set
from tests.support.helpers import refused


def test_test_set_is_that_of_the_sample_table_and_needs_no_labels(small):
    Source(small.facts.source, small.paths).fetch()
    samples = build_samples(small.facts, small.paths)
    (small.paths.raw / small.facts.labels.file).unlink()
    test, sample = read_test_set(small.facts, small.paths.raw_root(small.facts.images.root))
    expected = samples[samples["part"] == "test"]
    assert test[["id", "image", "unit"]].values.tolist() == expected[["id", "image", "unit"]].values.tolist()
    assert sample["id"].tolist() == expected["unit"].tolist()


def test_missing_sample_submission_is_refused(small):
    Source(small.facts.source, small.paths).fetch()
    (small.paths.raw / small.facts.submission.sample).unlink()
    with refused("sample_submission.csv"):
        read_test_set(small.facts, small.paths.raw_root(small.facts.images.root))
