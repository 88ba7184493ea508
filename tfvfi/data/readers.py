"""TensorFlow's threads while they are in Python for a sample, and at rest before Python ends.

They read ahead of what is used. One that asks for Python when there is none any more waits for
ever, and with it the process, however it was about to end.
"""

import atexit
import contextlib
import threading
import time
from collections.abc import Iterator

# How long nobody has come in when all are taken to be at rest, and the longest wait for that.
QUIET, PATIENCE = 0.2, 10.0


class Readers:
    """Who is in Python for a sample."""

    def __init__(self) -> None:
        self.ending = False
        self._inside = 0
        self._last = -QUIET
        self._counting = threading.Lock()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[bool]:
        """Counts one who comes in; tells whether a sample is still wanted."""
        with self._counting:
            self._inside += 1
        try:
            yield not self.ending
        finally:
            with self._counting:
                self._inside -= 1
                self._last = time.monotonic()

    def come_to_rest(self) -> None:
        """Lets them read on, without work, until they are as far ahead as they go."""
        self.ending = True
        end = time.monotonic() + PATIENCE
        while not self._at_rest() and time.monotonic() < end:
            time.sleep(QUIET / 10)

    def _at_rest(self) -> bool:
        return not self._inside and time.monotonic() - self._last > QUIET


_READERS = Readers()
at_work = _READERS.at_work
atexit.register(_READERS.come_to_rest)
