"""Samples a few payloads uniformly from a stream of any length, in constant memory."""

import heapq
import random
import tempfile
from collections.abc import Iterator


class Reservoir:
    """Keeps a limited number of payloads in a file, each payload with the same probability.

    Args:
        limit: The number of payloads to keep.
        draw: The random generator.
        folder: The folder of the nameless file; the system's temporary folder by default.
    """

    def __init__(self, limit: int, draw: random.Random, folder: str | None = None):
        self.limit = limit
        self.draw = draw
        # Pairs of a random key and (number, offset, length, note), for the greatest keys so far.
        self._kept: list[tuple[float, tuple[int, int, int, float]]] = []
        self._offered = 0
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed at the exit)

    def __enter__(self) -> "Reservoir":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    def wants(self) -> float | None:
        """Returns the key of the next payload if it will be kept; otherwise None."""
        key = self.draw.random()
        if len(self._kept) == self.limit and key <= self._kept[0][0]:
            return None
        return key

    def keep(self, key: float, payload: bytes, note: float) -> None:
        """Keeps a payload and a number, in place of the payload with the least key if full."""
        offset = self._file.seek(0, 2)
        self._file.write(payload)
        entry = (key, (self._offered, offset, len(payload), note))
        self._offered += 1
        if len(self._kept) < self.limit:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heapreplace(self._kept, entry)

    def notes(self) -> list[float]:
        """Returns the numbers of the kept payloads, in order of arrival."""
        return [note for _, _, _, note in self._in_order()]

    def bytes(self) -> int:
        """Returns the total size of the kept payloads."""
        return sum(length for _, _, length, _ in self._in_order())

    def payloads(self) -> Iterator[bytes]:
        """Yields the kept payloads in order of arrival."""
        for _, offset, length, _ in self._in_order():
            self._file.seek(offset)
            yield self._file.read(length)

    def _in_order(self) -> list[tuple[int, int, int, float]]:
        return sorted(entry for _, entry in self._kept)
