"""Archives of folds that were trained on another machine."""

from zipfile import ZipFile

from medfold.training.fold_archive import pack_folds, unpack_folds
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_trained_folds_and_checkpoints_reach_the_run(folded, tmp_path):
    finished_run(folded, "there", folds=[0])
    there, here = folded.paths.run("there"), folded.paths.run("here")
    (there.folder / "fold1").mkdir()
    there.fold(1).checkpoint.write_bytes(b"state")
    pack_folds(there, [0, 1, 2], tmp_path / "folds.zip", comment="job 7")
    with ZipFile(tmp_path / "folds.zip") as archive:
        assert archive.comment == b"job 7"
    assert unpack_folds(tmp_path / "folds.zip", here, [0, 1, 2]) == ([0], [1])
    for name in ("oof.csv", "test.csv", "done.json"):
        assert (here.fold(0).folder / name).read_bytes() == (there.fold(0).folder / name).read_bytes()
    assert here.fold(1).checkpoint.read_bytes() == b"state"
    assert not (tmp_path / "folds.zip").exists()


def test_new_fold_replaces_the_old_one_whole(folded, tmp_path):
    finished_run(folded, "there", folds=[0])
    pack_folds(folded.paths.run("there"), [0], tmp_path / "folds.zip")
    here = folded.paths.run("here")
    here.fold(0).folder.mkdir(parents=True)
    (here.fold(0).folder / "checkpoint.npz").write_bytes(b"old")
    unpack_folds(tmp_path / "folds.zip", here, [0])
    assert not (here.fold(0).folder / "checkpoint.npz").exists()
    assert here.fold(0).trained_marker.is_file()


def test_fold_that_differs_from_its_hashes_is_refused(folded, tmp_path):
    finished_run(folded, "there", folds=[0])
    there = folded.paths.run("there")
    pack_folds(there, [0], tmp_path / "folds.zip")
    with ZipFile(tmp_path / "folds.zip") as archive:
        names = archive.namelist()
        content = {name: archive.read(name) for name in names}
    with ZipFile(tmp_path / "damaged.zip", "w") as archive:
        for name in names:
            archive.writestr(name, content[name] + (b"x" if name.endswith("oof.csv") else b""))
    with refused("fold 0 was damaged in transfer"):
        unpack_folds(tmp_path / "damaged.zip", folded.paths.run("here"), [0])
    assert not folded.paths.run("here").fold(0).folder.exists()
