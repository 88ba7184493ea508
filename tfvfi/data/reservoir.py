"""A fair choice of a few from a stream of any length, in constant memory."""

import heapq
import random
import tempfile
from collections.abc import Iterator


class Reservoir:
    """Keeps so many of the payloads that pass by, each with equal chance, in a file.

    Args:
        limit: How many are kept.
        draw: Where chance comes from.
        folder: Where the file lies, which has no name; the system's temporary folder by default.
    """

    def __init__(self, limit: int, draw: random.Random, folder: str | None = None):
        self.limit = limit
        self.draw = draw
        # Pairs of a random key and (number, offset, length, note): those of the greatest keys.
        self._kept: list[tuple[float, tuple[int, int, int, float]]] = []
        self._offered = 0
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed at the exit)

    def __enter__(self) -> "Reservoir":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    def wants(self) -> float | None:
        """The key of the next payload if it will be kept; only then it has to be made."""
        key = self.draw.random()
        if len(self._kept) == self.limit and key <= self._kept[0][0]:
            return None
        return key

    def keep(self, key: float, payload: bytes, note: float) -> None:
        """Keeps a payload in the place of the one of the least key, and a number with it."""
        offset = self._file.seek(0, 2)
        self._file.write(payload)
        entry = (key, (self._offered, offset, len(payload), note))
        self._offered += 1
        if len(self._kept) < self.limit:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heapreplace(self._kept, entry)

    def notes(self) -> list[float]:
        """The numbers of what was kept, in the order in which it came."""
        return [note for _, _, _, note in self._in_order()]

    def bytes(self) -> int:
        """The size of what was kept."""
        return sum(length for _, _, length, _ in self._in_order())

    def payloads(self) -> Iterator[bytes]:
        """What was kept, in the order in which it came."""
        for _, offset, length, _ in self._in_order():
            self._file.seek(offset)
            yield self._file.read(length)

    def _in_order(self) -> list[tuple[int, int, int, float]]:
        return sorted(entry for _, entry in self._kept)
