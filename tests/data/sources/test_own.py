"""Source `own`: it has no address, and takes any file or folder."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from medfold.data.sources import own
from medfold.data.sources.kinds import SourceFolders
from tests.support.helpers import refused


def test_fetch_asks_for_a_file_or_folder(tmp_path):
    folders = SourceFolders(tmp_path / "raw", tmp_path / "solution", tmp_path / "downloads")
    with refused(r"source\.kind: the data is your own: .*Name it: FROM=folder-or-archive"):
        own.fetch(own.Options(kind="own"), folders)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["given/images.zip", "given/folder", "given/table.csv"])
def test_any_file_or_folder_keeps_its_name(path):
    assert own.KIND.accept(own.Options(kind="own"), Path(path)) == Path(path).name


def test_settings_have_no_other_key():
    with pytest.raises(ValidationError, match="slug"):
        own.Options(kind="own", slug="a/b")
