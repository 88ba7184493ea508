"""SVT-AV1, kept from shouting and from making itself the most urgent work of the machine.

Run as root, as in most containers, it gives its threads and the one that opens it the priority of
real time. That starves the network, other programs and, where there is one core, itself.
"""

import contextlib
import os
from collections.abc import Iterator

# Its level of words on standard error: errors alone.
ERRORS_ALONE = "1"


@contextlib.contextmanager
def kept_calm() -> Iterator[None]:
    """Within, an encoder is opened; afterwards all threads are as urgent as before."""
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
            # A thread may have ended meanwhile.
            with contextlib.suppress(OSError):
                if _urgency(thread) != wanted:
                    os.sched_setscheduler(thread, wanted[0], os.sched_param(wanted[1]))


def _threads() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir("/proc/self/task")]
    return []


def _urgency(thread: int) -> tuple[int, int]:
    """Policy and priority of a thread; 0 is the one that asks."""
    with contextlib.suppress(OSError):
        return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
    return os.SCHED_OTHER, 0
