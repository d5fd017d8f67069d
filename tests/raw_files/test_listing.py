"""Files of the raw data: hidden, system and excluded files are left out."""

from medfold.raw_files.listing import found_folders, is_excluded, list_files


def test_list_files_leaves_out_hidden_system_and_excluded_files(tmp_path):
    for name in ("b.png", "deep/a.png", "deep/a_mask.png", ".hidden/a.png", "._b.png", "__MACOSX/b.png", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list_files(tmp_path) == ["b.png", "deep/a.png", "deep/a_mask.png"]
    assert list_files(tmp_path, "deep", ["*_mask.png"]) == ["deep/a.png"]


def test_exclude_patterns_match_across_folders_and_case_matters():
    assert is_excluded("masks/deep/a.png", ["masks/*"])
    assert is_excluded("deep/a_mask.png", ["x", "*_mask.png"])
    assert not is_excluded("Masks/a.png", ["masks/*"])


def test_folders_with_files_are_named():
    assert found_folders(["train/a.png", "train/b.png", "x.csv"]) == "Folders found: ., train"
    assert found_folders([f"{number}/a.png" for number in range(7)]) == "Folders found: 0, 1, 2, 3, 4 and 2 more"
