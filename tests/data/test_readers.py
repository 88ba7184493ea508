"""Readers come to rest before Python ends."""

import threading
import time

from tfvfi.data.readers import QUIET, Readers


def test_who_is_inside_is_waited_for_and_others_get_no_work():
    readers, log = Readers(), []
    entered = threading.Event()

    def slow():
        with readers.at_work() as wanted:
            entered.set()
            time.sleep(2 * QUIET)
            log.append(wanted)

    def next_one():
        entered.wait()
        time.sleep(2.5 * QUIET)
        with readers.at_work() as wanted:
            log.append(wanted)

    threads = [threading.Thread(target=each) for each in (slow, next_one)]
    for thread in threads:
        thread.start()
    entered.wait()
    readers.come_to_rest()
    # The second came within the quiet time behind the first, and began it anew.
    assert log == [True, False]
    for thread in threads:
        thread.join()


def test_who_never_read_does_not_wait():
    began = time.monotonic()
    Readers().come_to_rest()
    assert time.monotonic() - began < QUIET / 2
