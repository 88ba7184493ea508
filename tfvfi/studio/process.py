"""The worker process: reads tasks from standard input, writes results as lines of JSON.

When the server dies, however that happens, the input ends and so does this process.
"""

import json
import logging
import os
import queue
import sys
import threading
import traceback
from typing import Any

from tfvfi.errors import InputError
from tfvfi.studio.replies import Replies


class Notices(logging.Handler):
    """Warnings of the library, which the page shows."""

    def __init__(self, replies: Replies):
        super().__init__(logging.WARNING)
        self._replies = replies

    def emit(self, record: logging.LogRecord) -> None:
        """Sends a warning."""
        self._replies.send(notice=record.getMessage())


def main() -> None:
    """Does tasks until the input ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    # Everything else that is printed goes to the terminal.
    replies = Replies(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    logging.getLogger().addHandler(Notices(replies))
    while True:
        _serve(json.loads(requests.get()), replies)


def _read(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    # The server is gone, so nobody waits for a result.
    os._exit(1)


def _serve(request: dict[str, Any], replies: Replies) -> None:
    from tfvfi.studio.tasks import TASKS

    try:
        result = TASKS[request["task"]](replies, **request["arguments"])
    except InputError as error:
        replies.send(mistake=str(error))
    except OSError as error:
        replies.send(mistake=f"{error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:
        # A defect of ours: the terminal gets the details, the page a sentence.
        traceback.print_exc()
        replies.send(
            mistake=f"an unexpected {type(error).__name__} ended the work; the terminal that the "
            "studio runs in shows the details"
        )
    else:
        replies.send(result=result)


if __name__ == "__main__":
    main()
