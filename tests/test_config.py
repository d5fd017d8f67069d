"""YAML files: extends, faulty files, values that contradict each other."""

import pytest

from medfold import config
from medfold.competition.facts import CompetitionFacts
from tests.support.helpers import competition_facts, refused


@pytest.fixture
def bases(tmp_path):
    folder = tmp_path / "_base"
    folder.mkdir()
    return folder


def write(path, text):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def test_extends_merges_key_by_key(tmp_path, bases):
    write(bases / "net.yaml", "training: {epochs: 5, batch_size: 8}\naugment: [HorizontalFlip, D4]")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net\ntraining: {epochs: 9}\naugment: [D4]")
    assert config.load(file, bases) == {"training": {"epochs": 9, "batch_size": 8}, "augment": ["D4"]}


def test_a_former_name_overrides_the_current_one_of_a_base(tmp_path, bases):
    write(bases / "net.yaml", "training: {ema_decay: 0.9, epochs: 5}")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net\ntraining: {ema: 0.5}")
    assert config.load(file, bases) == {"training": {"ema_decay": 0.5, "epochs": 5}}


def test_a_key_under_both_names_is_refused_with_its_file(tmp_path, bases):
    file = write(tmp_path / "x" / "baseline.yaml", "training: {ema: 0.5, ema_decay: 0.9}")
    with refused(r"baseline\.yaml: 'training\.ema' is the former name of 'training\.ema_decay'"):
        config.load(file, bases)


def test_extends_prefers_the_file_in_the_same_folder(tmp_path, bases):
    write(bases / "net.yaml", "tta: true")
    write(tmp_path / "x" / "net.yaml", "extends: net\naugment: light")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net")
    assert config.load(file, bases) == {"tta": True, "augment": "light"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: CT: bleeding", "not valid YAML in line 1: a second colon. Put a text with a colon in quotes"),
        ('group_pattern: "(x\\d+)"', "in line 1: a backslash in double quotes. Put this text in single quotes"),
        ("extends: nett", "names no file \\(did you mean 'net'"),
        ("a: [1", "not valid YAML"),
        ("- 1", "expected 'key: value' lines"),
        ("tta: true\naugment: light\ntta: false", "not valid YAML in line 3: the key 'tta' occurs twice. Keep one"),
        ("training: {epochs: 1, epochs: 2}", "the key 'epochs' occurs twice"),
        ("a: 2020-13-45", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_faulty_yaml_is_refused(tmp_path, bases, text, message):
    write(bases / "net.yaml", "tta: true")
    with refused(message):
        config.load(write(tmp_path / "x" / "baseline.yaml", text), bases)


def test_file_that_is_not_utf8_is_refused(tmp_path):
    file = write(tmp_path / "x" / "baseline.yaml", "")
    file.write_bytes("tta: true # grün".encode("latin-1"))
    with refused("not text in UTF-8. Save it as UTF-8"):
        config.load(file, tmp_path)
    file.write_bytes("\ufefftta: true".encode())
    assert config.load(file, tmp_path) == {"tta": True}
    with refused(r"cannot be read \(.+\)\. Check the path and its permissions$"):
        config.load(tmp_path, tmp_path)


def test_classes_and_targets_stay_text(tmp_path):
    text = "classes: [no, yes, 01, 1e5, ~, 'NA']\nlabels: {targets: [off, 007], holdout: 0.2}\ntta: yes"
    file = write(tmp_path / "x" / "competition.yaml", text)
    assert config.load(file, tmp_path) == {
        "classes": ["no", "yes", "01", "1e5", "~", "NA"],
        "labels": {"targets": ["off", "007"], "holdout": 0.2},
        "tta": True,
    }


def test_circular_extends_is_refused(tmp_path, bases):
    write(tmp_path / "x" / "a.yaml", "extends: b")
    file = write(tmp_path / "x" / "b.yaml", "extends: a")
    with refused("is circular. Remove it"):
        config.load(file, bases)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "multiclass"}, "yaml: 'classes': task multiclass needs three or more$"),
        ({"labels": {"targets": ["a", "b"]}}, "yaml: 'labels.targets': task binary has one column, found 2$"),
        ({"classes": ["a", "b", "c"]}, "yaml: 'classes': task binary has two .negative, positive., found 3$"),
        (
            {"task": "multilabel", "labels": {"targets": ["a", "b"]}, "classes": ["a", "b", "c"]},
            "no meaning for task multilabel",
        ),
    ],
)
def test_facts_that_contradict_the_task_are_refused(changes, message):
    facts = {**competition_facts().model_dump(), **changes}
    with refused(message):
        config.validated(CompetitionFacts, facts, "competition.yaml")


def test_prediction_columns_follow_the_task():
    assert competition_facts("binary").prediction_columns == ["target"]
    assert competition_facts("multilabel").prediction_columns == ["a", "b"]
    assert competition_facts("ordinal").prediction_columns == ["0", "1", "2"]


def test_facts_are_not_among_the_files_that_a_recipe_may_extend(tmp_path, bases):
    write(tmp_path / "x" / "competition.yaml", "title: x")
    write(bases / "shared_facts.yaml", "title: x")
    write(bases / "net.yaml", "tta: true")
    file = write(tmp_path / "x" / "mine.yaml", "extends: nett")
    with refused(r"mine\.yaml: `extends: nett` names no file \(did you mean 'net'\?\)\. Known: net$"):
        config.load(file, bases)


def test_later_bases_override_earlier_ones(tmp_path):
    for name, text in (
        ("a", "x: {p: 1, q: 1}\ny: 1\n"),
        ("b", "x: {q: 2, r: 2}\n"),
        ("c", "extends: [a, b]\nx: {r: 3}\n"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert config.load(tmp_path / "c.yaml", tmp_path) == {"x": {"p": 1, "q": 2, "r": 3}, "y": 1}
    (tmp_path / "d.yaml").write_text("extends: [a, bb]\n")
    with refused("`extends: bb` names no file"):
        config.load(tmp_path / "d.yaml", tmp_path)


def test_file_can_extend_a_base_of_the_same_name(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "debug.yaml").write_text("x: 1\n")
    (tmp_path / "own" / "debug.yaml").write_text("extends: [debug]\ny: 2\n")
    assert config.load(tmp_path / "own" / "debug.yaml", tmp_path) == {"x": 1, "y": 2}
