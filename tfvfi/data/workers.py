"""Worker processes that do one task after another; a crash in one task does not affect others."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, resource_tracker
from typing import Any, NamedTuple


class Crash(NamedTuple):
    """The result of a task that killed its process."""

    exit_code: int | None


class Failure(NamedTuple):
    """The result of a task whose error must end the whole work."""

    error: OSError


class Worker:
    """A process, the pipe to it, and the number of its current task."""

    def __init__(self, function: Callable[..., Any]):
        # A spawned process, unlike a forked one, imports only what the function needs.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(function, theirs), daemon=True)
        # The parent handles Ctrl-C and ends the workers, so they start with the signal blocked.
        # Starting the resource tracker would unblock it again, so the tracker is started first.
        resource_tracker.ensure_running()
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self.process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        theirs.close()
        self.task: int | None = None

    def give(self, number: int, arguments: tuple) -> None:
        """Sends a task to the process."""
        self.task = number
        self.pipe.send(arguments)

    def take(self) -> Any:
        """Returns the result of the task, or a `Crash` if the process died."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            return Crash(self.process.exitcode)

    def end(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(
    function: Callable[..., Any], tasks: Sequence[tuple], workers: int
) -> Iterator[tuple[int, Any]]:
    """Calls a function for each task in other processes.

    Args:
        function: A function that can be imported by name.
        tasks: The arguments of the function, one tuple for each task.
        workers: The number of processes.

    Yields:
        The number and the result of each task, in order of completion. The result of a task is a
        `Crash` if its process died twice; it is tried again once because the system may have
        killed the process to free memory.

    Raises:
        OSError: The function raised it, which ends the work.
    """
    waiting = list(enumerate(tasks))[::-1]
    crashed: set[int] = set()
    team = [Worker(function) for _ in range(min(workers, len(tasks)))]
    try:
        for worker in team:
            worker.give(*waiting.pop())
        while busy := {worker.pipe: worker for worker in team if worker.task is not None}:
            for pipe in connection.wait(list(busy)):
                worker = busy[pipe]
                number, result = worker.task, worker.take()
                worker.task = None
                if isinstance(result, Failure):
                    raise result.error
                if isinstance(result, Crash):
                    worker.end()
                    team[team.index(worker)] = worker = Worker(function)
                    if number not in crashed:
                        crashed.add(number)
                        worker.give(number, tasks[number])
                        continue
                if waiting:
                    worker.give(*waiting.pop())
                yield number, result
    finally:
        for worker in team:
            worker.end()


def _serve(function: Callable[..., Any], pipe: connection.Connection) -> None:
    # Workers must not continue after their parent has been killed.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        try:
            result = function(*arguments)
        except OSError as error:
            result = Failure(error)
        pipe.send(result)


def _end_with_parent() -> None:
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
