"""Number of channels and of pages, from reading some images."""

from pathlib import Path

import numpy as np

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images import count_pages, path_of_image, read_image
from medfold.scaffold.draft import Draft

DEFAULT_IMAGES_READ, MAX_IMAGES_READ = 24, 200  # images that are read to find out whether they have colours
# MAX_IMAGES_READ are read if their files together have at most this size, otherwise DEFAULT_IMAGES_READ.
CHEAP_BYTES = 50_000_000


def guess_channels(draft: Draft, raw: Path, images: list[str]) -> int:
    """Guesses the number of channels by reading some images; adds the reason, doubts and the size to the draft.

    Args:
        draft: gets the reason, the largest side, and doubts about pages or frames and about images of mixed kinds.
        raw: folder with the files of the competition.
        images: training images, as `read_image` takes them.

    Returns:
        1 if all of the images are grey, otherwise 3.
    """
    chosen = _evenly_spaced(images, MAX_IMAGES_READ)
    if sum(path_of_image(raw, image).stat().st_size for image in chosen) > CHEAP_BYTES:
        chosen = _evenly_spaced(images, DEFAULT_IMAGES_READ)
    facts = ImageFacts(train="unused", test="", channels=3)
    grey = []
    for image in chosen:
        try:
            pixels = read_image(raw, image, facts)
        except UserError:
            continue
        draft.largest_side = max(draft.largest_side or 0, *pixels.shape[:2])
        grey.append(bool((pixels == pixels[..., :1]).all()))
    _doubt_pages(draft, {count_pages(path_of_image(raw, image), facts) for image in chosen}, all(grey))
    if not grey:
        draft.add_doubt("images.channels", f"none of the {len(chosen)} images examined can be read")
        return 3
    shade = "grey" if any(grey) else "in colour"
    reason = f"{grey.count(any(grey))} of the {len(grey)} images examined are {shade}"
    if 0 < grey.count(True) < len(grey):
        draft.add_doubt("images.channels", f"{reason}: do the colours of the others mean anything?")
    draft.add_reason("images.channels", 1 if all(grey) else 3, reason)
    return 1 if all(grey) else 3


def _doubt_pages(draft: Draft, pages: set[int], all_grey: bool) -> None:
    """Adds a doubt if files have several pages or frames.

    Args:
        draft: the doubt is added to it.
        pages: the numbers of pages that occur.
        all_grey: True if all images examined are grey.
    """
    if max(pages) > 1:
        count = f"up to {max(pages)}" if len(pages) > 1 else f"{max(pages)}"
        handling = "the first is used; middle, last or montage?"
        if pages == {3} and not all_grey:
            handling = "they are used as the three channels of one image"
        draft.add_doubt("images.frame", f"files have {count} pages or frames, and {handling}")


def _evenly_spaced(items: list[str], max_items: int) -> list[str]:
    return [items[int(position)] for position in np.linspace(0, len(items) - 1, min(max_items, len(items)))]
