"""Signals for processes that tests start."""

import signal


def heard() -> None:
    """Makes a new process hear Ctrl-C and SIGHUP; pass it to `Popen` as `preexec_fn`.

    What a shell starts in the background ignores them, and so would all that is started from there.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
