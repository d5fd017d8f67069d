"""Paths of the files beside a submission."""

from medfold.paths import SubmissionPaths


def test_record_is_beside_the_submission_and_recheck_files_in_a_folder(tmp_path):
    paths = SubmissionPaths(tmp_path / "20260102-030405-one.csv")
    assert paths.record == tmp_path / "20260102-030405-one.json"
    assert paths.recheck_parameters == tmp_path / "recheck" / "20260102-030405-one.npz"
    assert paths.recheck_oof == tmp_path / "recheck" / "20260102-030405-one.csv"
