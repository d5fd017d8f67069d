"""Files of the sample table: what counts as fresh, damaged, or written by an earlier version."""

from medfold.commands.folds import make_folds
from medfold.data import Source, build_samples
from medfold.data.sample_files import samples_are_fresh, samples_fingerprint
from medfold.earlier_versions import SAMPLES, with_former_names
from medfold.images.image_list import read_image_list_fingerprint
from medfold.system import json_files
from tests.support.helpers import competition_facts


def test_sample_table_of_an_earlier_version_is_fresh(small):
    Source(small.facts.source, small.paths).fetch()
    build_samples(small.facts, small.paths)
    noted = {"image_list_fingerprint": read_image_list_fingerprint(small.paths)}
    metadata = json_files.read(small.paths.samples_metadata) | noted
    written = with_former_names(metadata, SAMPLES)
    assert {"made from", "images", "undivided"} <= set(written)
    json_files.write(written, small.paths.samples_metadata, sealed=True)
    assert samples_are_fresh(small.facts, small.paths)


def test_sample_table_with_damaged_metadata_is_rebuilt(small):
    Source(small.facts.source, small.paths).fetch()
    table = build_samples(small.facts, small.paths)
    assert samples_are_fresh(small.facts, small.paths)
    small.paths.samples_metadata.write_text("{")
    assert not samples_are_fresh(small.facts, small.paths)
    assert make_folds(small).train["id"].isin(table["id"]).all()


def test_the_fingerprint_of_samples_is_that_of_earlier_versions(small):
    """A sample table that was written when labels.layout was called labels.shape is still fresh."""
    layout = {"labels": {"layout": "lists", "file": "a.csv", "value": "v", "targets": ["a", "b"]}}
    submission = {"submission": {"sample": "s.csv", "layout": "lists"}}
    facts = competition_facts("multilabel", **layout, **submission, score={"metric": "macro_f1"})
    small.paths.raw_manifest.parent.mkdir(parents=True)
    small.paths.raw_manifest.write_text("file,bytes,sha256\n")
    assert samples_fingerprint(facts, small.paths) == "346eb47d4e398c34"


def test_damaged_sample_table_is_named_and_not_fresh(small, capsys):
    Source(small.facts.source, small.paths).fetch()
    build_samples(small.facts, small.paths)
    assert samples_are_fresh(small.facts, small.paths) is True
    assert capsys.readouterr().out == ""
    damaged = small.paths.samples, small.paths.groups, small.paths.image_list
    for path in damaged:
        build_samples(small.facts, small.paths)
        if path == small.paths.samples:
            path.write_text(path.read_text() + "x")
        else:
            path.unlink()
        assert samples_are_fresh(small.facts, small.paths) is False
    printed = capsys.readouterr().out
    for path in damaged:
        assert f"damaged    {path.name} is missing or has changed since it was written: made again" in printed
