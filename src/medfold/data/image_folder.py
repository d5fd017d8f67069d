"""New images for prediction: a file or folder that no competition describes."""

from pathlib import Path, PurePosixPath

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images import image_extensions
from medfold.raw_files import CHANNEL_FIELD
from medfold.system.path_checks import check_names_are_text
from medfold.terminal.command_text import variable
from medfold.text import shorten_list

# Tables, archives and documents: with their ending a single file is refused before a net is loaded.
NOT_IMAGES = (".csv", ".tsv", ".xlsx", ".parquet", ".json", ".yaml", ".yml", ".zip", ".tar", ".7z")
NOT_IMAGES += (".txt", ".md", ".html", ".pdf", ".docx", ".log", ".py", ".ipynb")


def find_new_images(path: Path, image_facts: ImageFacts) -> tuple[Path, list[str]]:
    """Finds the images of a file or folder.

    Args:
        path: an image, or a folder that is searched with its subfolders.
        image_facts: the facts `images` (whether each channel is a separate file).

    Returns:
        The root folder, and the images as paths below it, sorted; see `join_channel_files`.

    Raises:
        UserError: no such path, a table, archive or document, a folder without images, or a name that is not UTF-8.
    """
    path = path.expanduser()
    extensions = set(image_extensions())
    if path.is_file():
        if path.suffix.lower() in NOT_IMAGES:
            fix = f"Give an image ({', '.join(sorted(extensions))}) or a folder of images"
            raise UserError("not an image", variable("IMAGES", path), fix)
        return path.parent, join_channel_files([path.name], image_facts)
    if not path.is_dir():
        raise UserError("no such file or folder", variable("IMAGES", path), "Check the path")
    all_files = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
    image_paths = sorted(file for file in all_files if Path(file).suffix.lower() in extensions)
    check_names_are_text(image_paths, path)
    if not image_paths:
        content = (
            f"It holds {shorten_list(sorted(all_files))}. Name a folder with images" if all_files else "It is empty"
        )
        raise UserError(f"contains no images ({', '.join(sorted(extensions))})", variable("IMAGES", path), content)
    return path, join_channel_files(image_paths, image_facts)


def join_channel_files(image_paths: list[str], image_facts: ImageFacts) -> list[str]:
    """Returns images as `read_image` takes them: files of the channels of one image are joined with `|`.

    Args:
        image_paths: paths of image files below the root folder.
        image_facts: the facts `images` (whether each channel is a separate file).

    Raises:
        UserError: no file of the first channel.
    """
    if isinstance(image_facts.channels, int):
        return image_paths
    before, _, after = PurePosixPath(image_facts.train[0]).name.partition(f"{{{CHANNEL_FIELD}}}")
    first, *others = (f"{before.rpartition('}')[2]}{channel}{after}" for channel in image_facts.channels)
    prefixes = [path.removesuffix(first) for path in image_paths if path.endswith(first)]
    if not prefixes:
        raise UserError(
            f"no image is named ...{first}",
            variable("IMAGES"),
            f"Add the missing files: an image has {len(image_facts.channels)}, one per channel",
        )
    return ["|".join(prefix + ending for ending in (first, *others)) for prefix in prefixes]
