"""Runs work ahead of its consumer in a thread, within bounds."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
_END = object()
# Seconds for which a consumer that stops waits for the item in progress.
PATIENCE = 0.2


def ahead(items: Iterable[Item], at_most: int) -> Generator[Item, None, None]:
    """Yields the same items, which a thread produces while earlier ones are used.

    An error in the thread is raised here. When the consumer stops, no further item is started. The
    item in progress ends on its own, because a network cannot be stopped in the middle of a frame
    and Ctrl-C should not wait for it.

    Args:
        items: The items, which are iterated over in the thread.
        at_most: The largest number of waiting items, which limits memory.

    Example:
        >>> list(ahead(range(3), at_most=1))
        [0, 1, 2]
    """
    waiting: queue.Queue[Any] = queue.Queue(at_most)
    stopped = threading.Event()

    def make() -> None:
        try:
            for item in items:
                if not _put(waiting, (item, None), stopped):
                    return
            _put(waiting, (_END, None), stopped)
        except BaseException as error:
            _put(waiting, (_END, error), stopped)
        finally:
            if hasattr(items, "close"):
                items.close()

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join(PATIENCE)


def _put(waiting: queue.Queue[Any], item: object, stopped: threading.Event) -> bool:
    """Waits for room and adds an item; returns False if the consumer has stopped."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False
