"""The parent's side of a process that trains a network; see `steps`."""

import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from originals.steps import Work
from tfvfi.benchmark import contender
from tfvfi.benchmark.contender import RefusedError
from tfvfi.benchmark.engines import OWN
from tfvfi.benchmark.task import Task


class Trainee:
    """A process that performs a step when it is asked to.

    Args:
        work: What it trains.
        limit: The seconds that a step may take.
    """

    def __init__(self, work: Work, limit: float):
        self.limit = limit
        self.seconds: list[float] = []
        self.peak_mib = 0.0
        # torch.compile trusts what it finds in its cache, even files of a process that was killed.
        self._cache = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "originals.steps", json.dumps(asdict(work))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(work) | {"TORCHINDUCTOR_CACHE_DIR": self._cache.name},
        )

    def step(self, counted: bool = True) -> float:
        """Performs a step and returns its seconds.

        Args:
            counted: Whether its seconds are kept. The first steps compile and allocate memory.

        Raises:
            RefusedError: The process fails, or takes too long.
        """
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        ready, _, _ = select.select([self._process.stdout], [], [], self.limit)
        if not ready:
            raise RefusedError(f"a step took more than the time limit of {self.limit:.0f} seconds")
        line = self._process.stdout.readline()
        if not line:
            raise RefusedError(f"its process ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        self.peak_mib = answer["peak_mib"]
        if counted:
            self.seconds.append(answer["seconds"])
        return answer["seconds"]

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        self._cache.cleanup()


def _environment(work: Work) -> dict[str, str]:
    form = OWN if work.engine == OWN else "torch"
    task = Task(form, work.network, "", work.side, work.side, "float32", work.threads, "")
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return contender.environment(task) | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
