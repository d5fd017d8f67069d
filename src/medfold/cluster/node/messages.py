"""Messages from a task on a node to the driver."""

from dataclasses import dataclass

from medfold.errors import UserError

HEARTBEAT_SECONDS = 3.0  # at most between two messages of a task
CHECKPOINT, RESULTS = "checkpoint", "results"  # kinds of files that are sent


@dataclass(frozen=True)
class Started:
    """The first message of a task: where it runs.

    Args:
        node: address of the node.
        niceness: how much the task gives way to other programs: 0 to 19.
    """

    node: str
    niceness: int


@dataclass(frozen=True)
class Line:
    """A line of text about the work, for the terminal and the log."""

    text: str


@dataclass(frozen=True)
class CopyProgress:
    """How much of a file is copied to the node: for the terminal, now and then."""

    text: str


@dataclass(frozen=True)
class Heartbeat:
    """The node is still there."""


@dataclass(frozen=True)
class FilePart:
    """A part of a file that the node sends.

    Args:
        kind: CHECKPOINT or RESULTS.
        content: the bytes of this part.
        is_last: True for the last part of the file.
    """

    kind: str
    content: bytes
    is_last: bool


@dataclass(frozen=True)
class Failed:
    """The last message of a task that cannot succeed: the error for the user."""

    error: UserError


@dataclass(frozen=True)
class Crashed:
    """The last message of a task whose child process died: why, if that is known."""

    reason: str


Message = Started | Line | CopyProgress | Heartbeat | FilePart | Failed | Crashed
