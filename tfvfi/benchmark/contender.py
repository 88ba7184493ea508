"""The parent's side of a process that runs a network on request; see `worker`."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from tfvfi.benchmark.engines import OWN
from tfvfi.benchmark.task import Task


class RefusedError(Exception):
    """Raised if an engine cannot run a task; the message gives the reason."""


class Contender:
    """A process with an engine and a network, which is ready once this object is created.

    Args:
        task: The task of the process.

    Raises:
        RefusedError: The engine cannot run the task.
    """

    def __init__(self, task: Task):
        self.task = task
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tfvfi.benchmark.worker", json.dumps(asdict(task))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(task),
        )
        try:
            self.ready = self._answer("ready")
        except BaseException:
            self.stop()
            raise

    def run(self) -> None:
        """Runs the network once."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._answer("seconds")

    def finish(self) -> float:
        """Ends the process and returns its peak memory in MiB while it ran the network."""
        self._process.stdin.close()
        peak = self._answer("peak_mib")
        self._process.wait()
        return peak

    def stop(self) -> None:
        """Kills the process."""
        self._process.kill()
        self._process.wait()

    def _answer(self, key: str) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise RefusedError(f"its process ended with exit code {self._process.wait()}")
        answer = json.loads(line)
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer[key]


def environment(task: Task) -> dict[str, str]:
    """Returns the environment of the process, which sets backend, threads and quiet logs."""
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow" if task.form == OWN else "torch",
        "OMP_NUM_THREADS": str(task.threads),
        "TFVFI_NUM_THREADS": str(task.threads),
        "TF_NUM_INTRAOP_THREADS": str(task.threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TORCH_LOGS": "-all",
        "PYTHONWARNINGS": "ignore",
    }
