"""Reads the files that W&B writes offline."""

from pathlib import Path

HEADER, BLOCK, FRAGMENT_HEADER = 7, 32768, 7  # bytes; the format is that of LevelDB's log
LAST_OF_RECORD = (1, 4)  # types of fragment: the whole record, its last part


def records(file: Path) -> list:
    """Returns the records of a .wandb file, as messages of W&B's protocol."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, position, parts, found = file.read_bytes(), HEADER, b"", []
    assert content.startswith(b":W&B")
    while position < len(content):
        if BLOCK - position % BLOCK < FRAGMENT_HEADER:  # padding at the end of a block
            position += BLOCK - position % BLOCK
            continue
        length, kind = int.from_bytes(content[position + 4 : position + 6], "little"), content[position + 6]
        position += FRAGMENT_HEADER
        parts += content[position : position + length]
        position += length
        if kind in LAST_OF_RECORD:
            found.append(Record.FromString(parts))
            parts = b""
    return found
