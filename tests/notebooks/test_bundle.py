"""A bundle is opened if it is complete."""

import pytest

from medfold.notebooks.bundle import open_bundle
from medfold.system import files
from medfold.system.hashes import sha256
from tests.support.helpers import refused

MANIFEST = "manifest.json"


def write_bundle(folder, **changes):
    """Writes a manifest that names one file and one package."""
    (folder / "a.txt").write_text("a")
    manifest = {"files": {"a.txt": sha256(folder / "a.txt")}, "packages": ["numpy"], **changes}
    files.write_json(manifest, folder / MANIFEST)


def test_complete_bundle_is_opened(tmp_path):
    write_bundle(tmp_path, mark=1)
    assert open_bundle(tmp_path, MANIFEST)["mark"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {"a.txt": "0" * 64}}, "files are missing or damaged: a.txt. Upload the data set again"),
        ({"files": {"b.txt": "0" * 64}}, "files are missing or damaged: b.txt"),
        ({"packages": ["no-such-package"]}, "packages are not installed: no-such-package. Run the notebook's first"),
    ],
)
def test_incomplete_bundle_is_refused(tmp_path, changes, message):
    write_bundle(tmp_path, **changes)
    with refused(message):
        open_bundle(tmp_path, MANIFEST)


def test_folder_without_manifest_is_refused(tmp_path):
    with refused(f"no {MANIFEST}. Attach the data set that was uploaded with the notebook"):
        open_bundle(tmp_path, MANIFEST)
