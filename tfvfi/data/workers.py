"""Processes that do one task after another, and that may die of one without harm to the others."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, resource_tracker
from typing import Any, NamedTuple


class Crash(NamedTuple):
    """A task that killed its process."""

    exit_code: int | None


class Failure(NamedTuple):
    """A task that ended the whole work, because there is no use in going on."""

    error: OSError


class Worker:
    """A process, the pipe to it, and the number of the task that it does."""

    def __init__(self, function: Callable[..., Any]):
        # Spawned, not forked: it imports what the function needs and nothing else.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(function, theirs), daemon=True)
        # Ctrl-C is the parent's, which ends the workers: they are born deaf to it. (The tracker,
        # which is started with the first of them, would hear again.)
        resource_tracker.ensure_running()
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self.process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        theirs.close()
        self.task: int | None = None

    def give(self, number: int, arguments: tuple) -> None:
        """Hands over a task."""
        self.task = number
        self.pipe.send(arguments)

    def take(self) -> Any:
        """The result of the task; a `Crash` if the process died of it."""
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
        function: Importable by name.
        tasks: Its arguments, one tuple a task.
        workers: How many processes work at once.

    Yields:
        The number of a task and its result, or the `Crash` it caused twice, as they are finished:
        a process may also be killed by others, for its memory. An `OSError` of the function ends
        the work and is raised here.
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
    # When the parent is killed they must not go on alone.
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
