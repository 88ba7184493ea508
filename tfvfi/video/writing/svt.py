"""Keeps SVT-AV1 from printing messages and from raising the priority of threads.

As root, which is usual in containers, SVT-AV1 gives real-time priority to its own threads and to
the thread that opens it. This starves the network, other programs and, on a single core, itself.
"""

import contextlib
import os
from collections.abc import Iterator

# The level of its messages on standard error: errors only.
ERRORS_ALONE = "1"


@contextlib.contextmanager
def kept_calm() -> Iterator[None]:
    """Restores the priority of all threads after an encoder is opened within the context."""
    os.environ.setdefault("SVT_LOG", ERRORS_ALONE)
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    before = {thread: _urgency(thread) for thread in _threads()}
    usual = _urgency(0)
    try:
        yield
    finally:
        for thread in _threads():
            wanted = before.get(thread, usual)
            # A thread may have ended in the meantime.
            with contextlib.suppress(OSError):
                if _urgency(thread) != wanted:
                    os.sched_setscheduler(thread, wanted[0], os.sched_param(wanted[1]))


def _threads() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir("/proc/self/task")]
    return []


def _urgency(thread: int) -> tuple[int, int]:
    """Returns the scheduling policy and priority of a thread; 0 is the calling thread."""
    with contextlib.suppress(OSError):
        return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
    return os.SCHED_OTHER, 0
