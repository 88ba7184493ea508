"""Handles Ctrl-C, SIGTERM and SIGHUP, so that an interrupted command cleans up.

The first signal raises `Interrupted` in the main thread, so that all work in progress cleans up.
The next one ends the process immediately.
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
# A closing terminal and `timeout` send a signal twice. Signals within this many seconds count as
# one.
REPEATED = 0.5
# Seconds for which an interrupted process waits for its threads before it ends.
PATIENCE = 1.5


class Interrupted(KeyboardInterrupt):
    """Raised in the main thread if a signal asks the command to end."""


class Interruption:
    """Records whether and by which signal a command was asked to end.

    Attributes:
        number: The number of the signal, or None if none has arrived.
        finished: Whether the work is done, so that a signal only needs to end the process.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.finished = False
        self._owner = os.getpid()
        self._since = 0.0
        self._previous: dict[int, object] = {}

    @property
    def exit_code(self) -> int:
        """128 plus the number of the signal, the convention of shells."""
        return 128 + (self.number or signal.SIGINT)

    def listen(self) -> None:
        """Installs the handlers; signals that are ignored, for example by `nohup`, stay ignored."""
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._arrived)

    def report(self) -> int:
        """Prints that the command was interrupted and returns its exit code."""
        # The terminal may have been closed.
        with contextlib.suppress(OSError):
            print("tfvfi: interrupted; nothing half-written was left", file=sys.stderr, flush=True)
        return self.exit_code

    def end(self) -> None:
        """Ends an interrupted process soon, even if a thread is still running."""
        self.finished = True
        if self.number is not None:
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        time.sleep(PATIENCE)
        os._exit(self.exit_code)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            # This is a forked worker, which handles its signals as before.
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
    """Runs the work of this process and exits with the code that it returns.

    Args:
        work: The work. Its argument records whether a signal arrived, because interrupted code may
            convert `Interrupted` to another exception.
    """
    interruption = Interruption()
    if threading.current_thread() is threading.main_thread():
        interruption.listen()
    try:
        code = work(interruption)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except BaseException:
        if interruption.number is None:
            raise
        code = interruption.report()
    interruption.end()
    if interruption.number is not None:
        # Threads may still be computing, which would crash the interpreter while it shuts down.
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)
