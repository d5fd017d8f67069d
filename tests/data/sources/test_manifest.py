"""The list of raw files, by which missing or changed ones are found."""

from medfold.data.sources.manifest import missing_files
from medfold.data.sources.source import Source


def test_is_complete_checks_the_size_of_every_file(small):
    source = Source(small.competition.source, small.paths)
    assert not source.is_complete
    source.get()
    assert source.is_complete
    victim = small.paths.raw / "train.csv"
    victim.write_text(victim.read_text()[:-5])
    assert missing_files(small.paths) == ["train.csv"]
