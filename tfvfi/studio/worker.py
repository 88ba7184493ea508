"""A worker process that does one task at a time, as the server sees it.

Tasks run in a process of their own, so that a stopped task ends at once, a decoder that crashes
takes nothing with it, and the page is answered meanwhile.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tfvfi
from tfvfi.errors import InputError

logger = logging.getLogger(__name__)
Report = Callable[[dict[str, Any]], None]
# Seconds that a process may take to end before it is killed.
PATIENCE = 5


class StoppedError(Exception):
    """The task was stopped on request."""


class Worker:
    """A process that is started when it is first needed, and again after it was stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._busy = threading.Lock()
        self._state = threading.Lock()
        self._stopped = self._closed = False

    def run(
        self,
        task: str,
        arguments: dict[str, Any],
        report: Report | None = None,
        unless: Callable[[], bool] = lambda: False,
    ) -> Any:
        """Runs a task and waits for its result. Concurrent calls wait for each other.

        Args:
            task: A name in `tfvfi.studio.tasks`.
            arguments: What the task is called with, as JSON can hold it.
            report: Called with each report of the task.
            unless: Called just before the task begins; if it returns true, the task is stopped.

        Raises:
            InputError: The task says what is wrong, or its process died.
            StoppedError: `stop` was called.
        """
        with self._busy:
            with self._state:
                if self._closed or unless():
                    raise StoppedError
                self._stopped = False
                process = self._running()
            for answer in _answers(process, {"task": task, "arguments": arguments}):
                if self._stopped:
                    # The result may have been on its way when the task was stopped.
                    break
                if "result" in answer:
                    return answer["result"]
                if "mistake" in answer:
                    raise InputError(answer["mistake"])
                self._pass_on(answer, report, process)
            code = self._end(process)
            if self._stopped:
                raise StoppedError
            raise InputError(
                f"the process that did the work ended with exit code {code}"
                + (": it was killed, perhaps for want of memory" if code == -9 else "")
            )

    def stop(self) -> None:
        """Ends the task that is being done, if there is one, and waits until it has ended."""
        with self._state:
            if not self._busy.locked() or self._process is None:
                return
            self._stopped = True
            self._end(self._process)

    def close(self) -> None:
        """Ends the process for good."""
        with self._state:
            self._closed = self._stopped = True
            if self._process is not None:
                self._end(self._process)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tfvfi.studio.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=_environment(),
                # Ctrl-C in the terminal reaches only the server, which ends its workers.
                start_new_session=True,
            )
        return self._process

    def _pass_on(
        self, answer: dict[str, Any], report: Report | None, process: subprocess.Popen[str]
    ) -> None:
        """Hands over a report; a task whose reports cannot be taken is ended."""
        try:
            if report is not None:
                report(answer)
        except BaseException:
            self._end(process)
            raise

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> int:
        """Ends a process; its exit code."""
        process.terminate()
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _answers(process: subprocess.Popen[str], request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a process answers to a request, until it is done or dead."""
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            yield json.loads(line)
    except (OSError, ValueError):
        logger.debug("the worker went away", exc_info=True)


def _environment() -> dict[str, str]:
    """This package is found, and no module of the folder that the studio was started in."""
    paths = [str(Path(tfvfi.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONSAFEPATH": "1",
    }
