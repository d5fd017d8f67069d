"""Facts of others name only files of their own competition: no file elsewhere is read, written or removed."""

from pathlib import Path

import pytest

from tests.layouts.clinic import FACTS, medfold
from tests.support.helpers import picture

pytestmark = pytest.mark.slow

FACTS_FILE = Path("competition/clinic/competition.yaml")
FOLDS = ("folds", "-c", "clinic")
OUTSIDE = [
    "{outside}/token.csv",
    "../../../../outside/token.csv",
    "x/../../../../../outside/token.csv",
    "~/token.csv",
    "..\\\\..\\\\outside\\\\token.csv",
    "C:/outside/token.csv",
    "//host/share/token.csv",
    "to\\x00ken.csv",
    "to\\x1b[2Jken.csv",
]
KEYS = {
    "labels.file": ("  file: train.csv", '  file: "{path}"'),
    "labels.test_file": ("  file: train.csv", '  file: train.csv\n  test_file: "{path}"'),
    "submission.sample": ("sample: sample_submission.csv", 'sample: "{path}"'),
    "images.root": ("channels: 1,", 'channels: 1, root: "{path}",'),
    "images.train": ('train: "train/{id}.png"', 'train: "{path}"'),
    "images.test": ('test: "test/{id}.png"', 'test: "{path}"'),
    "source.file": (
        "source: {kind: own}",
        'source: {kind: url, url: "http://127.0.0.1:9/x", md5: d41d8cd98f00b204e9800998ecf8427e, file: "{path}"}',
    ),
}


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("key", KEYS)
def test_a_path_that_leads_elsewhere_is_refused(key, path, clinic, refusal, tmp_path):
    clinic("downloaded")
    old, new = KEYS[key]
    assert old in FACTS
    path = path.replace("{outside}", (tmp_path / "outside").as_posix())
    FACTS_FILE.write_text(FACTS.replace(old, new.replace("{path}", path)))
    for command in (FOLDS, ("download", "-c", "clinic", "--force")):
        assert key.rpartition(".")[2] in refusal(*command)


@pytest.mark.parametrize(
    "name", ["../../outside/token", "a/../../x", "/etc/passwd", "_base/gpu", ".hidden", "a\\b", ""]
)
def test_extends_names_no_file_elsewhere(name, clinic, refusal):
    clinic("bare")
    Path("competition/clinic/baseline.yaml").write_text(f"extends: '{name}'\n")
    assert "is not the name of a file" in refusal("prepare", "-c", "clinic")


@pytest.mark.parametrize("name", ["../../outside", "a/b", "/tmp/x", ".hidden", "a\\b", "3: {}\n  x"])
def test_a_variant_has_a_plain_name(name, clinic, refusal):
    clinic("bare")
    FACTS_FILE.write_text(FACTS + f"variants:\n  {name}: {{title: Other}}\n  good: {{title: Good}}\n")
    assert "cannot be the name of a competition" in refusal(*("folds", "-c", "good"))


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("-c", "../clinic"),
        ("-c", "clinic\0"),
        ("-c", "x" * 300),
        ("--recipe", "../baseline"),
        ("--recipe", "/etc/passwd"),
        ("--recipe", "base\0line"),
        ("--run", "../../outside"),
        ("--run", "a/b"),
        ("--run", "x" * 300),
        ("--run", "a\x1bb"),
        ("--run", "a\0b"),
        ("--run", "a\\b"),
    ],
)
def test_names_on_the_command_line_are_plain(option, name, clinic, refusal):
    clinic("folded")
    competition = () if option == "-c" else ("-c", "clinic")
    refusal("train", *competition, option, name)


@pytest.mark.parametrize("name", ["../x", "a/../../x", ".hidden", "a\\b", "a\0b", "a\x1bb", "x" * 300, "~", "C:x"])
def test_a_new_competition_has_a_plain_name(name, clinic, refusal):
    clinic("bare")
    refusal("new", "-c", name, "--from", "given")


@pytest.mark.parametrize("id", ["../../../../outside/token", "/etc/hostname", "x/../../../../../outside/token", ".."])
def test_an_id_that_leads_elsewhere_is_no_image(id, clinic, refusal):
    root = clinic("downloaded")
    picture(root / "data" / "clinic" / "secret.png")
    table = root / "data" / "clinic" / "raw" / "train.csv"
    table.write_text(table.read_text().replace("i03,", f"{id},"))
    Path("given/train.csv").write_text(table.read_text())
    assert "missing" in refusal("download", "-c", "clinic", "--from", "given", "--force")


@pytest.mark.parametrize("name", ["train.csv", "sample_submission.csv", "train/i03.png", "test/t1.png", "train"])
def test_a_link_in_raw_that_leads_out_is_refused(name, clinic, refusal, tmp_path):
    root = clinic("downloaded")
    path = root / "data" / "clinic" / "raw" / name
    elsewhere = tmp_path / "outside" if path.is_dir() else tmp_path / "outside" / "token.csv"
    path.rename(root / "moved")
    path.symlink_to(elsewhere)
    Path("data/clinic/raw.csv").unlink()
    Path("competition/clinic").rename("competition/other")
    Path("data/clinic").rename("data/other")
    refusal("new", "-c", "other2", "--from", "data/other/raw")


def test_data_folder_that_is_a_link_and_links_within_it_work(clinic):
    root = clinic("downloaded")
    (root / "data" / "clinic").rename(root / "disk")
    (root / "data" / "clinic").symlink_to(root / "disk")
    raw = root / "disk" / "raw"
    (raw / "train" / "i03.png").rename(raw / "kept.png")
    (raw / "train" / "i03.png").symlink_to(raw / "kept.png")
    (raw / "kept.png").touch()
    (root / "disk" / "samples.json").unlink()
    (root / "disk" / "raw.csv").touch()
    ended = medfold("folds", "-c", "clinic")
    assert ended.code == 0, ended.errors
