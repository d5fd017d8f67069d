"""YAML files: extends, faulty files, values that contradict each other."""

import pytest

from medfold import config
from medfold.competition import CompetitionFacts, Recipe
from medfold.earlier_versions import RECIPE
from tests.support.helpers import competition_facts, refused


@pytest.fixture
def bases(tmp_path):
    folder = tmp_path / "_base"
    folder.mkdir()
    return folder


def load(file, bases):
    """Loads a settings file; `bases` is the folder with the shared ones."""
    return files(bases).load(file).content


def files(bases):
    return config.SettingsFiles((bases,), RECIPE, lambda name: name != "competition")


def write(path, text):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def test_extends_merges_key_by_key(tmp_path, bases):
    write(bases / "net.yaml", "training: {epochs: 5, batch_size: 8}\naugment: [HorizontalFlip, D4]")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net\ntraining: {epochs: 9}\naugment: [D4]")
    assert load(file, bases) == {"training": {"epochs": 9, "batch_size": 8}, "augment": ["D4"]}


def test_a_former_name_overrides_the_current_one_of_a_base(tmp_path, bases):
    write(bases / "net.yaml", "training: {ema_decay: 0.9, epochs: 5}")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net\ntraining: {ema: 0.5}")
    assert load(file, bases) == {"training": {"ema_decay": 0.5, "epochs": 5}}


def test_a_key_under_both_names_is_refused_with_its_file(tmp_path, bases):
    file = write(tmp_path / "x" / "baseline.yaml", "training: {ema: 0.5, ema_decay: 0.9}")
    with refused(r"baseline\.yaml: 'training\.ema' is the former name of 'training\.ema_decay'"):
        load(file, bases)


def test_extends_prefers_the_file_in_the_same_folder(tmp_path, bases):
    write(bases / "net.yaml", "tta: true")
    write(tmp_path / "x" / "net.yaml", "extends: net\naugment: light")
    file = write(tmp_path / "x" / "baseline.yaml", "extends: net")
    assert load(file, bases) == {"tta": True, "augment": "light"}


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
        load(write(tmp_path / "x" / "baseline.yaml", text), bases)


def test_file_that_is_not_utf8_is_refused(tmp_path):
    file = write(tmp_path / "x" / "baseline.yaml", "")
    file.write_bytes("tta: true # grün".encode("latin-1"))
    with refused("not text in UTF-8. Save it as UTF-8"):
        load(file, tmp_path)
    file.write_bytes("\ufefftta: true".encode())
    assert load(file, tmp_path) == {"tta": True}
    with refused(r"cannot be read \(.+\)\. Check the path and its permissions$"):
        load(tmp_path, tmp_path)


def test_classes_and_targets_stay_text(tmp_path):
    text = "classes: [no, yes, 01, 1e5, ~, 'NA']\nlabels: {targets: [off, 007], holdout: 0.2}\ntta: yes"
    file = write(tmp_path / "x" / "competition.yaml", text)
    assert load(file, tmp_path) == {
        "classes": ["no", "yes", "01", "1e5", "~", "NA"],
        "labels": {"targets": ["off", "007"], "holdout": 0.2},
        "tta": True,
    }


def test_circular_extends_is_refused(tmp_path, bases):
    write(tmp_path / "x" / "a.yaml", "extends: b")
    file = write(tmp_path / "x" / "b.yaml", "extends: a")
    with refused("is circular. Remove it"):
        load(file, bases)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "multiclass"}, "yaml: 'classes': task multiclass needs three or more, found 0"),
        (
            {"labels": {"targets": ["a", "b"]}},
            "yaml: 'labels.targets': task binary has one column, found 2; for",
        ),
        ({"classes": ["a", "b", "c"]}, "yaml: 'classes': task binary has two .negative, positive., found 3$"),
        (
            {"task": "multilabel", "labels": {"targets": ["a", "b"]}, "classes": ["a", "b", "c"]},
            "'classes': remove it; the labels of task multilabel are 'labels.targets'",
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


def test_only_files_of_the_kind_are_proposed(tmp_path, bases):
    write(tmp_path / "x" / "competition.yaml", "title: x")
    write(bases / "net.yaml", "tta: true")
    file = write(tmp_path / "x" / "mine.yaml", "extends: nett")
    with refused(r"mine\.yaml: `extends: nett` names no file \(did you mean 'net'\?\)\. Known: net$"):
        load(file, bases)
    with refused(r"mine\.yaml: `extends: competition` names no file\. Known: net$"):
        load(write(tmp_path / "x" / "mine.yaml", "extends: competition"), bases)


def test_later_bases_override_earlier_ones(tmp_path):
    for name, text in (
        ("a", "x: {p: 1, q: 1}\ny: 1\n"),
        ("b", "x: {q: 2, r: 2}\n"),
        ("c", "extends: [a, b]\nx: {r: 3}\n"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert load(tmp_path / "c.yaml", tmp_path) == {"x": {"p": 1, "q": 2, "r": 3}, "y": 1}
    (tmp_path / "d.yaml").write_text("extends: [a, bb]\n")
    with refused("`extends: bb` names no file"):
        load(tmp_path / "d.yaml", tmp_path)


def test_file_can_extend_a_base_of_the_same_name(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "debug.yaml").write_text("x: 1\n")
    (tmp_path / "own" / "debug.yaml").write_text("extends: [debug]\ny: 2\n")
    assert load(tmp_path / "own" / "debug.yaml", tmp_path) == {"x": 1, "y": 2}


def test_a_file_counts_once_below_all_that_extend_it(tmp_path, bases):
    own = tmp_path / "own"
    write(bases / "gpu.yaml", "extends: baseline\nepochs: 10")
    write(own / "baseline.yaml", "epochs: 1\nwidth: 1\nhead: 1")
    write(own / "mine.yaml", "width: 2\nepochs: 2")
    both = write(own / "both.yaml", "extends: [mine, gpu]\n")
    settings = config.SettingsFiles((own, bases), RECIPE, lambda name: True).load(both)
    assert settings.content == {"epochs": 10, "width": 2, "head": 1}


def test_a_setting_is_located_in_the_file_that_sets_it_last(tmp_path, bases):
    write(bases / "net.yaml", "training: {epochs: 5, batch_size: 8}\nsteps: {clahe: {clip: 2}}")
    file = write(tmp_path / "x" / "mine.yaml", "extends: net\ntraining: {epochs: 9}\nsteps: {clahe: {tiles: 4}}")
    settings = files(bases).load(file)
    assert settings.location("training.batch_size").endswith("net.yaml")
    assert settings.location("training.epochs").endswith("mine.yaml")
    assert settings.location("steps.clahe").endswith("mine.yaml")  # the last of its keys
    assert settings.location("tta") is None
    changed = settings.overridden_by(config.Settings.of({"training": {"batch_size": 4}}, "SET"))
    assert (changed.location("training.batch_size"), changed.location("")) == ("SET", "SET")


def test_problems_are_reported_for_the_file_of_the_first(tmp_path, bases):
    write(bases / "net.yaml", "training: {epoch: 5}\nheads: both")
    file = write(tmp_path / "x" / "mine.yaml", "extends: net\ntraining: {batchsize: 8}")
    settings = files(bases).load(file)
    with refused(r"net\.yaml: unknown key 'training\.epoch'.*; unknown key 'heads'") as error:
        config.validated(Recipe, settings.content, settings.location)
    assert "batchsize" not in str(error.value)
