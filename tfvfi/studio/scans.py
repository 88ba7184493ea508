"""Looking through sources for cuts and repeated frames, in the background."""

import threading
from collections.abc import Sequence
from typing import Any

from tfvfi.errors import InputError
from tfvfi.studio.worker import StoppedError, Worker

Status = dict[str, Any]


class Scans:
    """Scans the source that the page shows; a new source replaces the scan of the last one.

    Args:
        worker: Does them.
    """

    def __init__(self, worker: Worker):
        self._worker = worker
        self._lock = threading.Lock()
        self._known: dict[tuple[str, ...], Status] = {}
        self._now: tuple[str, ...] | None = None

    def status(self, inputs: Sequence[str]) -> Status:
        """How far a scan is: "done", "total", and "result" or "error" at its end."""
        with self._lock:
            return dict(self._known.get(tuple(inputs), {"result": None}))

    def start(self, inputs: Sequence[str]) -> Status:
        """Begins a scan unless it is there or under way, in place of the one of another source."""
        key = tuple(inputs)
        with self._lock:
            begun = key in self._known
            others, self._now = self._now not in (None, key), key
        if others:
            self._worker.stop()
        if not begun:
            with self._lock:
                self._known[key] = {"done": 0, "total": None, "result": None}
            threading.Thread(target=self._scan, args=(key,), daemon=True).start()
        return self.status(inputs)

    def close(self) -> None:
        """Ends the process."""
        self._worker.close()

    def _scan(self, key: tuple[str, ...]) -> None:
        def listen(report: dict[str, Any]) -> None:
            if "done" in report:
                with self._lock:
                    self._known[key] |= report

        try:
            found: Status = {"result": self._worker.run("scan", {"inputs": list(key)}, listen)}
        except InputError as error:
            found = {"error": str(error)}
        except StoppedError:
            with self._lock:
                del self._known[key]
                self._now = None if self._now == key else self._now
            return
        with self._lock:
            self._known[key] |= found
            self._now = None if self._now == key else self._now
