"""Small raw data for drafts of competition.yaml."""

import zlib

from medfold.scaffold import draft_facts
from tests.support.helpers import picture


def write_images(root, *names):
    """Writes six images for each name, with {n} replaced by 0 to 5."""
    for number, name in enumerate(names):
        for count in range(6):
            picture(root / name.format(n=count), seed=100 * number + count)


def drafted(root):
    """Returns the drafted facts, and the reasons and doubts as text."""
    found = draft_facts(root)
    return found.facts, "\n".join(
        [*(f"{key}: {value} ({why})" for key, value, why in found.reasons), *map(str, found.doubts)]
    )


def write_table(root, text, count=60):
    """Writes a table, and images 0.png, 1.png ..."""
    for number in range(count):
        picture(root / f"images/{number}.png", seed=number)
    (root / "train.csv").write_text(text)
    return root


def rows(head, row, count=60):
    return "\n".join([head, *(row(number) for number in range(count)), ""])


def write_labelled(root, header, rows):
    """Writes images i0.png, i1.png ... and a table with their names in its first column."""
    for number in range(len(rows)):
        picture(root / "images" / f"i{number}.png", seed=number)
    lines = [header, *(f"i{number},{row}" for number, row in enumerate(rows))]
    (root / "train.csv").write_text("\n".join(lines) + "\n")


def pictures(root, *names, count=12):
    """Writes `count` images for each name, with a number for `{n}`."""
    for name in names:
        for number in range(count):
            path = name.format(n=f"{number:03}")
            picture(root / path, seed=zlib.crc32(path.encode()))


def table(root, name, *rows):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join(rows) + "\n")


def facts_and_doubts(root):
    found = draft_facts(root)
    return found.facts, "\n".join(map(str, found.doubts))
