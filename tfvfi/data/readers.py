"""Brings TensorFlow's reading threads to rest before Python exits.

The threads read ahead. A thread that calls Python after the interpreter has shut down would wait
for ever, and the process would never end.
"""

import atexit
import contextlib
import threading
import time
from collections.abc import Iterator

# The threads count as being at rest when none has called Python for QUIET seconds; the exit waits
# for that at most PATIENCE seconds.
QUIET, PATIENCE = 0.2, 10.0


class Readers:
    """Counts the threads that are in Python to read a sample."""

    def __init__(self) -> None:
        self.ending = False
        self._inside = 0
        self._last = -QUIET
        self._counting = threading.Lock()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[bool]:
        """Counts the calling thread while it reads; yields whether a sample is still needed."""
        with self._counting:
            self._inside += 1
        try:
            yield not self.ending
        finally:
            with self._counting:
                self._inside -= 1
                self._last = time.monotonic()

    def come_to_rest(self) -> None:
        """Gives the threads empty samples until they have read as far ahead as they can."""
        self.ending = True
        end = time.monotonic() + PATIENCE
        while not self._at_rest() and time.monotonic() < end:
            time.sleep(QUIET / 10)

    def _at_rest(self) -> bool:
        return not self._inside and time.monotonic() - self._last > QUIET


_READERS = Readers()
at_work = _READERS.at_work
atexit.register(_READERS.come_to_rest)
