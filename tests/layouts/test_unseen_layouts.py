"""Unseen layouts of raw data: to a valid submission by four commands and one edited line, the metric."""

import gzip
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from medfold.competition import Competition
from tests.layouts.clinic import medfold
from tests.support.finished_runs import noisy_run
from tests.support.helpers import REPOSITORY, picture
from tests.support.small_project import add_base_recipes

LAYOUTS: dict[str, tuple[str, Callable[[Path], None], dict]] = {}


def layout(name: str, metric: str, **expected):
    """Registers a function that writes raw data, the metric to fill in, and facts that must be guessed."""

    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        LAYOUTS[name] = metric, make, expected
        return make

    return register


def pictures(folder: Path, names: list[str]) -> None:
    for name in names:
        picture(folder / name, seed=zlib.crc32(f"{folder.name}/{name}".encode()), shape=(24, 20))


LESIONS = ("nevus", "melanoma", "basal cell carcinoma")


@layout(
    "dermatology",
    "balanced_accuracy",
    task="multiclass",
    labels={"id": "image_id", "targets": ["dx"], "group": "lesion_id"},
    images={"train": ["part_1/{id}.jpg", "part_2/{id}.jpg"], "test": "test/{id}.jpg"},
)
def dermatology(raw: Path) -> None:
    """Diagnoses as text, images in two folders, lesions with several images, a column per class in the sample."""
    rows = ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
    for number in range(36):
        id = f"ISIC_{24306 + number:07}"
        pictures(raw / f"part_{1 + number % 2}", [f"{id}.jpg"])
        lesion, dx = f"HAM_{number // 2:07}", LESIONS[number // 2 % 3]
        rows.append(f"{lesion},{id},{dx},histo,{40 + number},{'male' if number % 3 else 'female'},back")
    (raw / "metadata.csv").write_text("\n".join(rows) + "\n")
    tests = [f"ISIC_{30000 + number:07}" for number in range(6)]
    pictures(raw / "test", [f"{id}.jpg" for id in tests])
    sample = pd.DataFrame({"image": tests, **dict.fromkeys(sorted(LESIONS), 1 / 3)})
    sample.to_csv(raw / "sample_submission.csv", index=False)


@layout(
    "ultrasound",
    "accuracy",
    task="multiclass",
    classes=["benign", "malignant", "normal"],
    images={"train": "train/{label}/{id}.png", "test": "test/{id}.png", "exclude": ["*_mask.*"]},
)
def ultrasound(raw: Path) -> None:
    """Class folders with equal names in them, masks beside the images, a flat test folder without labels."""
    for label in ("benign", "malignant", "normal"):
        for number in range(8):
            pictures(raw / "train" / label, [f"scan ({number}).png", f"scan ({number})_mask.png"])
    pictures(raw / "test", [f"scan ({number}).png" for number in range(5)])


SIGNS = list("NDGCAHMO")


@layout(
    "fundus",
    "balanced_accuracy",
    task="multiclass",
    classes=SIGNS,
    labels={"layout": "one_hot", "id": "image", "group": "patient"},
)
def fundus(raw: Path) -> None:
    """Eight one-hot columns, two eyes of each patient, several extensions."""
    rows = ["image,patient,eye,age,sex," + ",".join(SIGNS)]
    for number in range(48):
        name = f"{number // 2}_{('left', 'right')[number % 2]}{('.jpg', '.png', '.JPEG')[number % 3]}"
        pictures(raw / "images", [name])
        marks = ",".join(str(int(sign == number // 2 % 8)) for sign in range(8))
        rows.append(f"{name},{number // 2},{('left', 'right')[number % 2]},{50 + number},{'MF'[number % 2]},{marks}")
    (raw / "train.csv").write_text("\n".join(rows) + "\n")


@layout(
    "chest",
    "mean_auc",
    task="multilabel",
    labels={"layout": "lists", "separator": "|", "id": "Image Index", "group": "Patient ID"},
)
def chest(raw: Path) -> None:
    """Findings in one column with | between, `No Finding`, images in two folders, ages beside patients."""
    findings = ("No Finding", "Effusion", "Mass|Effusion", "Pneumonia", "Mass", "Pneumonia|Mass|Effusion")
    rows = ["Image Index,Finding Labels,Follow-up #,Patient Age,Patient ID,Patient Gender,View Position"]
    for number in range(36):
        name = f"{number // 3:08}_{number % 3:03}.png"
        pictures(raw / f"images_{1 + number % 2:03}" / "images", [name])
        rows.append(
            f"{name},{findings[number % 6]},{number % 3},{50 + number // 3 % 9},{number // 3},{'MF'[number % 2]},PA"
        )
    (raw / "Data_Entry.csv").write_text("\n".join(rows) + "\n")
    tests = [f"{90 + number:08}_000.png" for number in range(4)]
    pictures(raw / "images_002" / "images", tests)
    sample = pd.DataFrame({"Image Index": tests, **dict.fromkeys(("Effusion", "Mass", "Pneumonia"), 0.5)})
    sample.to_csv(raw / "sample_submission.csv", index=False)


@layout("paths", "auc", task="binary", labels={"id": "path"})
def paths(raw: Path) -> None:
    """Ids that are paths, the same numbers in train/ and test/."""
    pictures(raw / "train", [f"im{number:03}.png" for number in range(20)])
    pictures(raw / "test", [f"im{number:03}.png" for number in range(5)])
    rows = [f"train/im{number:03}.png,{number % 2}" for number in range(20)]
    (raw / "train.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    sample = [f"test/im{number:03}.png,0.5" for number in range(5)]
    (raw / "sample_submission.csv").write_text("\n".join(["path,label", *sample]) + "\n")


@layout("padded", "auc", task="binary", labels={"id": "id"})
def padded(raw: Path) -> None:
    """Ids 1, 2, 3 whose files are 00001.png, 00002.png."""
    pictures(raw / "train", [f"{number:05}.png" for number in range(1, 21)])
    pictures(raw / "test", [f"{number:05}.png" for number in range(101, 106)])
    (raw / "train.csv").write_text("id,cancer\n" + "".join(f"{number},{number % 2}\n" for number in range(1, 21)))
    (raw / "sample_submission.csv").write_text("id,cancer\n" + "".join(f"{n},0.5\n" for n in range(101, 106)))


@layout("packed", "auc", task="binary", classes=["Läsion", "gesund"], labels={"file": "labels.csv.gz"})
def packed(raw: Path) -> None:
    """A packed table with semicolons in Latin-1."""
    pictures(raw / "images", [f"a{number:02}.png" for number in range(20)])
    rows = [f"a{number:02};p{number // 2};{('gesund', 'Läsion')[number // 2 % 2]}" for number in range(20)]
    content = "\n".join(["image;patient;diagnosis", *rows, ""]).encode("latin-1")
    (raw / "labels.csv.gz").write_bytes(gzip.compress(content, mtime=0))


@layout("numbered", "auc", task="binary", images={"train": "train/{id}.png", "test": "test/{id}.png"})
def numbered(raw: Path) -> None:
    """The same numbers name other images in train/ and test/."""
    for part, count in (("train", 20), ("test", 6)):
        pictures(raw / part, [f"{number}.png" for number in range(count)])
    (raw / "train.csv").write_text("id,cancer\n" + "".join(f"{number},{number % 2}\n" for number in range(20)))
    (raw / "sample_submission.csv").write_text("id,cancer\n" + "".join(f"{n},0.5\n" for n in range(6)))


@layout(
    "parts",
    "auc",
    task="binary",
    classes=["no", "Yes"],
    labels={"split": "split", "map": {"": None}, "group": "patient"},
)
def parts(raw: Path) -> None:
    """One table with a column for train and test, words in several cases, rows without a label."""
    rows = ["image,patient,split,tumor"]
    for number in range(48):
        pictures(raw / "images", [f"a{number:02}.png"])
        part = ("train", "train", "Train", "val", "test")[number // 4 % 5]
        rows.append(f"a{number:02},p{number // 4},{part},{('Yes', 'no', 'YES', '', 'no', 'Yes')[number % 6]}")
    (raw / "metadata.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def guessed(request, tmp_path, monkeypatch):
    """A project with a drafted competition, in which the metric is filled in."""
    metric, make, expected = LAYOUTS[request.param]
    root = tmp_path / "my project"
    add_base_recipes(root)
    shutil.copytree(REPOSITORY / "competition" / "phantom-chest", root / "competition" / "phantom-chest")
    make(tmp_path / "given")
    monkeypatch.chdir(root)
    ended = medfold("new", "-c", "theirs", "--from", str(tmp_path / "given"))
    assert ended.code == 0, ended.errors
    assert re.search(r"^samples +\d+ (training|images)", ended.said, re.MULTILINE), (
        ended.said
    )  # the samples were read by the guessed facts
    facts = root / "competition" / "theirs" / "competition.yaml"
    text = facts.read_text()
    assert text.count("metric: #") == 1
    facts.write_text(text.replace("metric: #", f"metric: {metric} #"))
    return Competition.open("theirs"), expected, ended.said


FAST = ("dermatology",)
EACH = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in LAYOUTS]


@pytest.mark.slow
@pytest.mark.parametrize("guessed", EACH, indirect=True)
def test_unseen_layout_gives_a_valid_submission(guessed):
    competition, expected, _ = guessed
    facts = yaml.safe_load(competition.paths.facts_file.read_text())
    for key, value in expected.items():
        found = facts[key] if not isinstance(value, dict) else {each: facts[key].get(each) for each in value}
        assert found == value, (key, found)
    ended = medfold("folds", "-c", "theirs")
    assert ended.code == 0, ended.errors
    noisy_run(competition, noise=0.5)  # instead of make train
    ended = medfold("submit", "-c", "theirs", "--runs", "noisy")
    assert ended.code == 0, ended.errors
    assert "rows, checked -> " in ended.said
    (written,) = competition.paths.submissions.glob("*.csv")
    table = pd.read_csv(written, dtype=str)
    if competition.facts.submission.sample:
        sample = pd.read_csv(competition.paths.raw / "sample_submission.csv", dtype=str)
        assert table.columns.tolist() == sample.columns.tolist()
        assert table.iloc[:, 0].tolist() == sample.iloc[:, 0].tolist()
    assert len(table)


@pytest.mark.slow
@pytest.mark.parametrize("guessed", LAYOUTS, indirect=True)
def test_unseen_layout_is_trained_and_submitted(guessed):
    competition, _, _ = guessed
    words = ("--fold", "0", "--set", "preparation.size=16 training.epochs=1 training.batch_size=8 backbone.width=4")
    for command in (("folds",), ("train", *words), ("submit", *words[2:], "--force")):
        ended = medfold(command[0], "-c", "theirs", *command[1:])
        assert ended.code == 0, ended.errors
    assert len(list(competition.paths.submissions.glob("*.csv"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("guessed", ["dermatology"], indirect=True)
def test_audit_suggests_lesions_without_a_group_column(guessed):
    competition, _, _ = guessed
    text = competition.paths.facts_file.read_text()
    changed, num_removed = re.subn(r"  group: lesion_id # .*\n", "", text)
    assert num_removed == 1
    changed = changed.replace("method: stratified_group", "method: stratified")
    competition.paths.facts_file.write_text(changed)
    ended = medfold("folds", "-c", "theirs")
    assert "suspected groups                 lesion_id: 18 values, 36 images share theirs" in ended.said
    assert "(labels.group: lesion_id keeps them together)" in ended.said
    assert "patients                         unknown: the OOF score may be too high" in ended.said


@pytest.mark.slow
@pytest.mark.parametrize("guessed", ["ultrasound"], indirect=True)
def test_new_reports_what_it_guessed(guessed):
    _, _, said = guessed
    assert "24 images are named like others, with an addition: masks or the like" in said
    assert "no address on Kaggle" not in said  # no sample: nothing to upload
    assert "24 training and 5 test images, with these facts" in said
