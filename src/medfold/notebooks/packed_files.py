"""The project's files that go into a bundle, listed by kind; nothing that lies beside them is packed.

A file that is a link is refused: it may lead to any file of this machine. What is called weights must be weights: a
wrong path must not send another file. A text must not contain an access key.
"""

import shutil
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import h5py

from medfold import config
from medfold.competition import CompetitionFacts, Recipe, read_own_settings, weights_without_folders
from medfold.errors import UserError
from medfold.notebooks.access_keys import check_no_access_key
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.terminal.console import warn

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Groups at the root of a weights file: of Keras 3, of its first versions, and of a whole net of Keras 2.
KERAS_GROUPS = {"layers", "_layer_checkpoint_dependencies", "vars", "model_weights"}
KERAS_ARCHIVE = {"config.json", "metadata.json", "model.weights.h5"}  # files in a .keras archive
SETTINGS_KEYS = {*CompetitionFacts.model_fields, *Recipe.model_fields, "variants"}


def copy_plugins(paths: CompetitionPaths, folder: Path) -> None:
    """Copies plugins.py into the folder of a bundle, if the competition has one.

    Raises:
        UserError: the file is a link, is not text in UTF-8, or contains an access key.
    """
    if _exists(paths.plugins):
        _texts(paths, [paths.plugins])
        copy_file(paths.plugins, folder / paths.plugins.name)


def copy_weights(source: Path, target: Path) -> None:
    """Copies a weights file into a bundle.

    Raises:
        UserError: a link, or not a weights file of Keras.
    """
    check_no_link(source)
    if not (_is_keras_hdf5(source) or _is_keras_archive(source)):
        raise UserError("not a weights file of Keras, so it is not packed", source, "Name a file with weights")
    shutil.copyfile(source, target)


def copy_checkpoint(source: Path, target: Path) -> None:
    """Copies the checkpoint of an unfinished training into a bundle.

    Raises:
        UserError: a link, or not a checkpoint.
    """
    check_no_link(source)
    if not is_zipfile(source):  # the format of NumPy's .npz
        raise UserError("not a checkpoint, so it is not packed", source, "Remove it, and the fold starts again")
    shutil.copyfile(source, target)


def copy_file(source: Path, target: Path) -> None:
    """Copies a file into a bundle.

    Raises:
        UserError: the file is a link.
    """
    check_no_link(source)
    shutil.copyfile(source, target)


def competition_texts(paths: CompetitionPaths) -> dict[str, str]:
    """Returns facts, recipes and README.md of a competition, by their path below the project folder.

    Raises:
        UserError: one of them is a link, is not text in UTF-8, or contains an access key.
    """
    readme = paths.folder / "README.md"
    texts = _settings_texts(paths, sorted(paths.folder.glob("*.yaml")))
    return texts | _texts(paths, [readme] if _exists(readme) else [])


def training_texts(paths: CompetitionPaths) -> dict[str, str]:
    """Returns the text files that a training reads, by their path below the project folder.

    They are facts and recipes with the shared ones that they extend, plugins.py, and the folds with their record.

    Raises:
        UserError: one of them is a link, is not text in UTF-8, or contains an access key.
    """
    yaml_files = [*sorted(paths.base_folder.rglob("*.yaml")), *sorted(paths.folder.glob("*.yaml"))]
    plugins = [paths.plugins] if _exists(paths.plugins) else []
    return _settings_texts(paths, yaml_files) | _texts(paths, [*plugins, paths.folds_table, paths.folds_metadata])


def check_no_link(path: Path) -> None:
    """Refuses a link: what it leads to was not meant to be sent.

    Raises:
        UserError: the file is a link.
    """
    if path.is_symlink():
        raise UserError("a link, and files for Kaggle are not read through links", path, "Put a copy of the file there")


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _texts(paths: CompetitionPaths, files: list[Path]) -> dict[str, str]:
    """Reads text files: their content by their path below the project folder; line ends stay as they are."""
    texts = {}
    for path in files:
        check_no_link(path)
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise UserError("not text in UTF-8", path, "Save it as UTF-8") from None
        check_no_access_key(text, path)
        texts[path.relative_to(paths.root).as_posix()] = text
    return texts


def _settings_texts(paths: CompetitionPaths, yaml_files: list[Path]) -> dict[str, str]:
    """Reads the files that are facts or recipes, a weights file by its name only; warns of others, and leaves them."""
    texts = {}
    for path in yaml_files:
        check_no_link(path)
        try:
            content = read_own_settings(path)
        except UserError:
            content = {"": None}
        if not set(content) - {"extends"} <= SETTINGS_KEYS:
            warn("pack", f"{display_path(path)} holds neither facts nor a recipe: not packed")
            continue
        weights = config.flat(content).get("backbone.weights")
        for name, text in _texts(paths, [path]).items():
            texts[name] = text.replace(weights, weights_without_folders(weights)) if isinstance(weights, str) else text
    return texts


def _is_keras_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
            return False
    try:
        with h5py.File(path) as content:
            return "layer_names" in content.attrs or not KERAS_GROUPS.isdisjoint(content)
    except (OSError, RuntimeError):  # cut off or damaged
        return False


def _is_keras_archive(path: Path) -> bool:
    if not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        return set(archive.namelist()) >= KERAS_ARCHIVE
