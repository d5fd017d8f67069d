"""Number of channels and of pages, from reading some images."""

from pathlib import Path

import numpy as np

from medfold.images import DECODER_CRASHED, examine_images, path_of_image
from medfold.scaffold.draft import Draft
from medfold.text import shorten_list

DEFAULT_IMAGES_READ, MAX_IMAGES_READ = 24, 200  # images that are read to find out whether they have colours
# MAX_IMAGES_READ are read if their files together have at most this size, otherwise DEFAULT_IMAGES_READ.
CHEAP_BYTES = 50_000_000


def guess_channels(draft: Draft, raw: Path, image_paths: list[str]) -> int:
    """Guesses the number of channels by reading some images; adds the reason, doubts and the size to the draft.

    The images are read in worker processes, where limits of memory and time hold.

    Args:
        draft: gets the reason, the largest side, and doubts about pages or frames, about images of mixed kinds, and
            about those that crash their decoder.
        raw: folder with the files of the competition.
        image_paths: training images, as `read_image` takes them.

    Returns:
        1 if all of the images are grey, otherwise 3.
    """
    chosen = _evenly_spaced(image_paths, MAX_IMAGES_READ)
    if sum(path_of_image(raw, image_path).stat().st_size for image_path in chosen) > CHEAP_BYTES:
        chosen = _evenly_spaced(image_paths, DEFAULT_IMAGES_READ)
    examined = examine_images(raw, chosen)
    crashed = [
        image_path
        for image_path, found in zip(chosen, examined, strict=True)
        if found.unreadable_reason == DECODER_CRASHED
    ]
    if crashed:
        draft.add_doubt("images.train", f"{shorten_list(crashed)}: {DECODER_CRASHED}; replace or remove the file")
    readable = [image for image in examined if not image.unreadable_reason]
    draft.largest_side = max((image.largest_side for image in readable), default=None)
    grey = [image.is_grey for image in readable]
    _doubt_frames(draft, {image.num_frames for image in examined}, all(grey))
    if not grey:
        draft.add_doubt("images.channels", f"none of the {len(chosen)} images examined can be read")
        return 3
    shade = "grey" if any(grey) else "in colour"
    reason = f"{grey.count(any(grey))} of the {len(grey)} images examined are {shade}"
    if 0 < grey.count(True) < len(grey):
        draft.add_doubt("images.channels", f"{reason}: do the colours of the others mean anything?")
    draft.add_reason("images.channels", 1 if all(grey) else 3, reason)
    return 1 if all(grey) else 3


def _doubt_frames(draft: Draft, counts: set[int], all_grey: bool) -> None:
    """Adds a doubt if files have several pages or frames.

    Args:
        draft: the doubt is added to it.
        counts: the numbers of frames or pages that occur.
        all_grey: True if all images examined are grey.
    """
    if max(counts) > 1:
        count = f"up to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
        handling = "the first is used; middle, last or montage?"
        if counts == {3} and not all_grey:
            handling = "they are used as the three channels of one image"
        draft.add_doubt("images.frame", f"files have {count} pages or frames, and {handling}")


def _evenly_spaced(items: list[str], max_items: int) -> list[str]:
    return [items[int(position)] for position in np.linspace(0, len(items) - 1, min(max_items, len(items)))]
