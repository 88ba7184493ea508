"""Signals that end a command: Ctrl-C, SIGTERM and SIGHUP all leave it tidy.

The first one raises `Interrupted` in the main thread, so that everything under way cleans up. The
next one ends the process at once.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# A closing terminal and `timeout` send a signal twice; within so many seconds it counts as one.
REPEATED = 0.5
# Seconds that threads get to end after an interruption before the process ends without them.
PATIENCE = 1.5


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end."""


class Interruption:
    """Whether and by which signal a command was asked to end.

    Attributes:
        number: The signal; None while there was none.
        finished: Whether the work is over, so that a signal only has to end the process.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.finished = False
        self._owner = os.getpid()
        self._since = 0.0
        self._previous: dict[int, object] = {}

    @property
    def exit_code(self) -> int:
        """128 plus the number of the signal, as shells count."""
        return 128 + (self.number or signal.SIGINT)

    def listen(self) -> None:
        """Takes over the signals; those that are ignored, as `nohup` does, stay ignored."""
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._arrived)

    def report(self) -> int:
        """Prints that the command was interrupted; returns its exit code."""
        # Where the terminal is gone nobody reads it.
        with contextlib.suppress(OSError):
            print("tfvfi: interrupted; nothing half-written was left", file=sys.stderr, flush=True)
        return self.exit_code

    def end(self) -> None:
        """Ends the process soon even where a thread goes on."""
        self.finished = True
        if self.number is not None:
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        time.sleep(PATIENCE)
        os._exit(self.exit_code)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            # A forked worker: its signals mean what they meant before.
            signal.signal(number, self._previous[number])  # type: ignore[arg-type]
            os.kill(os.getpid(), number)
        elif self.number is not None:
            if time.monotonic() - self._since > REPEATED:
                os._exit(self.exit_code)
        else:
            self.number, self._since = number, time.monotonic()
            if self.finished:
                os._exit(self.exit_code)
            raise Interrupted(signal.Signals(number).name)


def run(work: Callable[[Interruption], int]) -> NoReturn:
    """Does the work of this process and exits with the code that it returns.

    Args:
        work: Told by its argument whether a signal arrived: code that is interrupted may turn
            `Interrupted` into an exception of its own.
    """
    interruption = Interruption()
    if threading.current_thread() is threading.main_thread():
        interruption.listen()
    try:
        code = work(interruption)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has left, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except BaseException:
        if interruption.number is None:
            raise
        code = interruption.report()
    interruption.end()
    if interruption.number is not None:
        # Threads may still be computing, and the interpreter does not survive them at its end.
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)
