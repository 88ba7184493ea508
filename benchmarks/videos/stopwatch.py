"""Measures how long a network takes within the work around it."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class Shares:
    """What a process measured after the network's first call, which compiles and allocates.

    Attributes:
        calls: The number of the other calls of the network.
        network_s: The seconds that these took.
        running_s: The seconds from the end of the first call to the end of the work.
        tail_s: The seconds from the end of the last call to the end of the work.
    """

    calls: int
    network_s: float
    running_s: float
    tail_s: float

    @property
    def network(self) -> float:
        """The network's share of the time."""
        return self.network_s / self.running_s

    def seconds_a_pair(self, frames: int) -> float:
        """Returns the seconds for each pair of that many frames; large ones take several calls."""
        calls_a_pair = (self.calls + 1) / (frames - 1)
        return self.running_s / self.calls * calls_a_pair

    @classmethod
    def read(cls, path: Path) -> "Shares":
        """Returns what `Stopwatch.write` wrote."""
        return cls(**json.loads(path.read_text()))


class Stopwatch:
    """Measures the calls of a network, each of which is a `with` block."""

    def __init__(self) -> None:
        self.calls = 0
        self.network_s = 0.0
        self._first_end = self._last_end = self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._last_end = time.perf_counter()
        if self.calls:
            self.network_s += self._last_end - self._start
        else:
            self._first_end = self._last_end
        self.calls += 1

    def write(self, path: Path) -> None:
        """Writes what was measured; the work ends now."""
        end = time.perf_counter()
        calls, running, tail = self.calls - 1, end - self._first_end, end - self._last_end
        shares = Shares(max(0, calls), self.network_s, running, tail)
        path.write_text(json.dumps(asdict(shares)))
