"""Work that runs ahead of who needs it, in a thread, within bounds."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
_END = object()
# Seconds that a consumer who stops waits for the item that is being made.
PATIENCE = 0.2


def ahead(items: Iterable[Item], at_most: int) -> Generator[Item, None, None]:
    """The same items, made in a thread while the earlier ones are used.

    An error in the making is raised here. When the consumer stops, no further item is begun; the
    one that is being made ends on its own, because a network cannot be stopped in the middle of a
    frame, and nobody who presses Ctrl-C waits for it.

    Args:
        items: Made in the thread.
        at_most: How many may wait, which bounds memory.

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
    """Waits for room; gives up when nobody takes items any more."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False
