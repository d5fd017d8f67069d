"""One attempt of a task on the cluster: a plain task of Ray on one node, and its messages."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError, RuntimeEnvSetupError

from medfold.cluster.driver.capacity import Capacity
from medfold.cluster.node.messages import Message
from medfold.errors import UserError

SILENCE_SECONDS = 20.0  # after this time without a message a node counts as lost


class LostError(Exception):
    """The node or the process of an attempt is lost, or does not answer any more; the text completes `<node> ...`."""


class Attempt:
    """A task of Ray that was started on one node, and is not repeated by Ray.

    Args:
        topic: name of the task.
        function: what the node does; it yields messages.
        arguments: its arguments.
        capacity: threads and GPU of a task.
    """

    def __init__(
        self, topic: str, function: Callable[..., Iterator[Message]], arguments: tuple[Any, ...], capacity: Capacity
    ):
        options = {"num_cpus": capacity.threads, "num_gpus": int(capacity.uses_gpu), "max_retries": 0, "name": topic}
        self._topic = topic
        self._messages = ray.remote(function).options(num_returns="streaming", **options).remote(*arguments)

    def next(self, seconds: float) -> Message | None:
        """Returns the next message; None if none comes in this time.

        Raises:
            LostError: the node or the process is lost.
            UserError: the node cannot install medfold.
        """
        if not ray.wait([self._messages], timeout=seconds)[0]:
            return None
        try:
            return ray.get(next(self._messages), timeout=SILENCE_SECONDS)
        except StopIteration:
            raise LostError("ended the task without a result") from None
        except GetTimeoutError:
            raise LostError(f"has not answered for {SILENCE_SECONDS:.0f} s") from None
        except RuntimeEnvSetupError as error:
            reason = str(error).strip().splitlines()[-1]
            fix = "Check the disk of the node, and that ray there is that of requirements.lock"
            raise UserError(f"a node cannot install medfold: {reason}", self._topic, fix) from None
        except RayTaskError:  # a fault in medfold
            raise
        except RayError as error:
            raise LostError(f"is lost ({type(error).__name__})") from None

    def cancel(self) -> None:
        """Ends the task on its node."""
        with suppress(RayError):
            ray.cancel(self._messages, force=True)
