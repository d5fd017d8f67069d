"""A bundle is opened if it is complete; its content id does not depend on wheels."""

import pytest

from medfold.notebooks.bundle import BundleManifest, aligned_lines, complete_bundle, open_bundle, say_written
from medfold.system import files, json_files
from medfold.system.hashes import sha256
from tests.support.helpers import refused

MANIFEST = "manifest.json"


def write_bundle(folder, **changes):
    """Writes a manifest that names one file and one package."""
    (folder / "a.txt").write_text("a")
    manifest = {"files": {"a.txt": sha256(folder / "a.txt")}, "packages": ["numpy"], **changes}
    json_files.write(manifest, folder / MANIFEST)


def test_complete_bundle_is_opened(tmp_path):
    write_bundle(tmp_path, mark=1)

    class MarkedManifest(BundleManifest):
        mark: int

    assert open_bundle(tmp_path, MANIFEST, MarkedManifest).mark == 1


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
        open_bundle(tmp_path, MANIFEST, BundleManifest)


def test_folder_without_manifest_is_refused(tmp_path):
    with refused(f"no {MANIFEST}. Attach the data set that was uploaded with the notebook"):
        open_bundle(tmp_path, MANIFEST, BundleManifest)


def test_completed_bundle_is_opened_with_its_hashes_and_sizes(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    sizes = complete_bundle(tmp_path, {"packages": []}, MANIFEST, ["identity"])
    assert sizes == {"a.txt": 1, MANIFEST: (tmp_path / MANIFEST).stat().st_size}
    manifest = open_bundle(tmp_path, MANIFEST, BundleManifest)
    assert list(json_files.read(tmp_path / MANIFEST)) == ["packages", "files", "content_id"]
    assert manifest.files == {"a.txt": sha256(tmp_path / "a.txt")}


def test_files_are_printed_with_their_sizes_before_they_are_sent(tmp_path, capsys):
    say_written(tmp_path / "kit", {"plugins.py": 3, "kit.json": 2000})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["3", "B", "plugins.py"] in lines
    assert ["2", "kB", "kit.json"] in lines


def test_content_id_changes_with_files_and_identity_but_not_with_wheels_or_the_manifest(tmp_path):
    def content_id(identity, manifest=None, **contents):
        folder = tmp_path / "bundle"
        files.remove(folder)
        folder.mkdir()
        for name, text in contents.items():
            (folder / name.replace("_", ".")).write_text(text)
        complete_bundle(folder, manifest or {}, MANIFEST, identity)
        return json_files.read(folder / MANIFEST)["content_id"]

    first = content_id(["identity"], a_txt="a", medfold_whl="version 1")
    assert first == content_id(["identity"], {"medfold": "2"}, a_txt="a", medfold_whl="version 2")
    others = {content_id(["identity"], a_txt="b"), content_id(["other"], a_txt="a")}
    assert len(others | {first}) == 3


def test_lines_are_aligned():
    assert aligned_lines({"run": "baseline", "OOF score": "AUC"}) == "run          baseline\nOOF score    AUC"
