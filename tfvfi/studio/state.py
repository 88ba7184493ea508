"""What the routes share: folders, the queue, workers, and pictures that were just made."""

import base64
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from tfvfi.studio.folders import Folders
from tfvfi.studio.jobs import Queue
from tfvfi.studio.scans import Scans
from tfvfi.studio.worker import Worker

# The most pictures of previews that are kept in memory.
MOST_PICTURES = 48


class Studio:
    """The state that all routes share.

    Args:
        folders: What may be read and written.
    """

    def __init__(self, folders: Folders):
        self.folders = folders
        self.queue = Queue(folders.work / "jobs.json", Worker())
        self.scans = Scans(Worker())
        # One process reads frames; another renders previews and keeps the networks loaded.
        self.looker, self.renderer = Worker(), Worker()
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._facts: dict[tuple[tuple[str, int], ...], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Continues what is in the queue."""
        self.queue.start()

    def close(self) -> None:
        """Ends all processes; the next start continues the queue."""
        for each in (self.looker, self.renderer, self.scans, self.queue):
            each.close()

    def about(self, inputs: Sequence[str]) -> dict[str, Any]:
        """What is known of a source, by now also from its scan."""
        key = tuple((path, os.stat(path).st_mtime_ns) for path in inputs)
        if key not in self._facts:
            self._facts[key] = self.looker.run("facts", {"inputs": list(inputs)})
        return {**self._facts[key], **(self.scans.status(inputs)["result"] or {})}

    def with_pictures(self, result: dict[str, Any], *names: str) -> dict[str, Any]:
        """A result whose pictures are remembered here and replaced by their addresses."""
        with self._lock:
            for name in names:
                key = secrets.token_hex(8)
                self._pictures[key] = base64.b64decode(result[name])
                result[name] = f"/api/pictures/{key}"
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
        return result

    def picture(self, key: str) -> bytes | None:
        """A remembered picture."""
        with self._lock:
            return self._pictures.get(key)
