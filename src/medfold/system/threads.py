"""Work in a thread whose results a generator yields, with a word while there is none."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def items_from_thread(work: Callable[[Callable[[Item], None]], None], seconds: float) -> Iterator[Item | None]:
    """Does work in a thread, and yields the items that it hands over.

    Args:
        work: a function that gets the function to hand over an item.
        seconds: after so many seconds without an item, None is yielded.

    Yields:
        The items, in their order, and None for each pause.

    Raises:
        Exception: what the work raised, after its last item.
    """
    items: queue.SimpleQueue[Item] = queue.SimpleQueue()
    errors: list[Exception] = []
    end = object()

    def run() -> None:
        try:
            work(items.put)
        except Exception as error:
            errors.append(error)
        items.put(end)

    threading.Thread(target=run, daemon=True).start()
    while True:
        try:
            item = items.get(timeout=seconds)
        except queue.Empty:
            yield None
            continue
        if item is end:
            break
        yield item
    if errors:
        raise errors[0]
