"""The files that may be packed: their kinds, and that weights are weights."""

from zipfile import ZipFile

import pytest

from medfold.notebooks import packed_files
from tests.support.helpers import refused
from tests.support.kaggle_server import TOKEN
from tests.support.weights_files import checkpoint, keras_weights


def test_texts_of_a_competition_are_facts_recipes_and_readme(small):
    folder = small.paths.folder
    (folder / "README.md").write_text("# Small\r\n", newline="")
    (folder / "wide.yaml").write_text("extends: baseline\nbackbone: {width: 8}\n")
    texts = packed_files.competition_texts(small.paths)
    names = ["README.md", "baseline.yaml", "competition.yaml", "wide.yaml"]
    assert sorted(texts) == [f"competition/small/{name}" for name in names]
    assert texts["competition/small/README.md"] == "# Small\r\n"


def test_yaml_file_without_settings_is_named_and_not_packed(small, capsys):
    (small.paths.folder / "access.yaml").write_text("token: KGAT_0\n")
    assert "competition/small/access.yaml" not in packed_files.competition_texts(small.paths)
    assert "competition/small/access.yaml holds neither facts nor a recipe: not packed" in capsys.readouterr().out


def test_texts_of_a_training_include_shared_recipes_plugins_and_folds(folded):
    folded.paths.plugins.write_text("# none\n")
    texts = packed_files.training_texts(folded.paths)
    assert {"competition/_base/mobilenet.yaml", "competition/small/plugins.py"} <= set(texts)
    assert {"folds/small.csv", "folds/small.json"} <= set(texts)
    assert texts["folds/small.csv"] == folded.paths.folds_table.read_text()


def test_shared_recipes_are_packed_without_the_baseline_that_they_extend(folded, capsys):
    (folded.paths.folder / "baseline.yaml").rename(folded.paths.folder / "mine.yaml")
    assert "competition/_base/mobilenet.yaml" in packed_files.training_texts(folded.paths)
    assert capsys.readouterr().out == ""


def test_text_in_another_encoding_is_refused(small):
    (small.paths.folder / "README.md").write_bytes("Größe".encode("latin-1"))
    with refused(r"README\.md: not text in UTF-8"):
        packed_files.competition_texts(small.paths)


@pytest.mark.parametrize("group", ["layers/dense/vars", "_layer_checkpoint_dependencies/dense", "model_weights/dense"])
def test_weights_of_each_version_of_keras_are_copied(tmp_path, group):
    source = keras_weights(tmp_path / "net.weights.h5", group)
    packed_files.copy_weights(source, tmp_path / "copy.h5")
    assert (tmp_path / "copy.h5").read_bytes() == source.read_bytes()


def test_keras_archive_is_copied(tmp_path):
    with ZipFile(tmp_path / "net.keras", "w") as archive:
        for name in packed_files.KERAS_ARCHIVE:
            archive.writestr(name, "{}")
    packed_files.copy_weights(tmp_path / "net.keras", tmp_path / "copy.keras")
    assert (tmp_path / "copy.keras").is_file()


def test_file_that_is_no_checkpoint_is_refused(tmp_path):
    packed_files.copy_checkpoint(checkpoint(tmp_path / "state.npz"), tmp_path / "copy.npz")
    (tmp_path / "state.npz").write_text("KGAT_0")
    with refused(r"state\.npz: not a checkpoint, so it is not packed\. Remove it"):
        packed_files.copy_checkpoint(tmp_path / "state.npz", tmp_path / "copy.npz")


@pytest.mark.parametrize("name", ["README.md", "baseline.yaml", "competition.yaml", "plugins.py"])
def test_access_key_in_a_text_is_refused(folded, tmp_path, name):
    path = folded.paths.folder / name
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\n# {TOKEN}{TOKEN}\n")
    line = text.count("\n") + 2
    with refused(f"{name}: line {line}: contains what looks like a Kaggle token, so nothing is packed") as caught:
        packed_files.copy_plugins(folded.paths, tmp_path)
        packed_files.competition_texts(folded.paths)
    assert TOKEN not in str(caught.value)
