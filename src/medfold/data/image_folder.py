"""New images: those of a file or folder that no competition describes."""

from pathlib import Path, PurePosixPath

from medfold.competition import ImageFacts
from medfold.data.image_patterns import CHANNEL_FIELD
from medfold.errors import UserError, shorten_list
from medfold.images import image_endings


def new_images(given: Path, facts: ImageFacts) -> tuple[Path, list[str]]:
    """The folder that ids start from, and the images below it, sorted; of several files for an image, together."""
    given = given.expanduser()
    if given.is_file():
        return given.parent, join_channel_files([given.name], facts)
    if not given.is_dir():
        raise UserError("no such file or folder", f"IMAGES={given}")
    known = set(image_endings())
    everything = [path.relative_to(given).as_posix() for path in given.rglob("*") if path.is_file()]
    found = sorted(path for path in everything if Path(path).suffix.lower() in known)
    if not found:
        others = f"It has {shorten_list(sorted(everything))}" if everything else "It is empty"
        raise UserError(f"no image in it ({', '.join(sorted(known))})", f"IMAGES={given}", others)
    return given, join_channel_files(found, facts)


def join_channel_files(found: list[str], facts: ImageFacts) -> list[str]:
    """The images as `read_image` takes them: where an image is a file for each channel, all of them are named."""
    if isinstance(facts.channels, int):
        return found
    before, _, after = PurePosixPath(facts.train[0]).name.partition(f"{{{CHANNEL_FIELD}}}")
    first, *rest = (f"{before.rpartition('}')[2]}{channel}{after}" for channel in facts.channels)
    fronts = [name.removesuffix(first) for name in found if name.endswith(first)]
    if not fronts:
        raise UserError(f"no image is named ...{first}", "IMAGES", f"An image is {len(facts.channels)} files here")
    return ["|".join(front + end for end in (first, *rest)) for front in fronts]
