"""How a task reports to the server while it is done."""

import json
import threading
import time
from typing import Any, TextIO

# The least time between two reports of progress, in seconds.
EVERY = 0.2


class Replies:
    """Answers to the server, one a line, from any thread."""

    def __init__(self, file: TextIO):
        self._file = file
        self._lock = threading.Lock()
        self._last = 0.0

    def send(self, **answer: Any) -> None:
        """Sends an answer."""
        with self._lock:
            self._file.write(json.dumps(answer) + "\n")
            self._file.flush()

    def progress(self, done: int, total: int | None) -> None:
        """Sends how far the task is, unless that was done just now."""
        now = time.monotonic()
        if now - self._last >= EVERY or done == total:
            self._last = now
            self.send(done=done, total=total)
