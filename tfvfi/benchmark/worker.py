"""Runs one engine with one network in a separate process, on request.

    python -m tfvfi.benchmark.worker '{"form": "tfvfi", ...}'

The process prints lines of JSON: {"ready": ...} after a first run, which includes compilation;
{"seconds": ...} of one run for every line that it reads; and {"peak_mib": ...} at the end of its
input. A conversion prints only that it is ready. Tasks that fail print {"refused": sentence}.
"""

import importlib.metadata
import json
import os
import re
import sys
import time
from typing import Any, TextIO

import numpy as np

# The largest number of characters of an engine's error message that are passed on.
LONGEST = 300


def main(task_as_json: str) -> None:
    """Serves one task, which is given as JSON."""
    # Output of libraries must not mix with the answers, so it goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        serve(json.loads(task_as_json), answers)
    except Exception as error:
        told = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", str(error))).strip()
        say(answers, refused=f"{type(error).__name__}: {told[:LONGEST]}")
        raise


def serve(description: dict[str, Any], answers: TextIO) -> None:
    """Loads the network and runs it once, then once for each line of standard input."""
    from tfvfi import machine
    from tfvfi.benchmark import engines, inputs
    from tfvfi.benchmark.task import Task
    from tfvfi.registry import preset

    task = Task(**description)
    start = time.perf_counter()
    run = engines.FORMS[task.form](task)
    if run is None:
        say(answers, ready={})
        return
    flow = preset(task.model).kind == "flow"
    arrays = inputs.arrays(task.height, task.width, with_time=not flow)
    np.save(task.output, run(*arrays))
    seconds = time.perf_counter() - start
    package = task.form.split()[0].replace(engines.OWN, "tensorflow")
    version = importlib.metadata.version(package)
    say(answers, ready={"version": f"{package} {version}", "start_s": seconds})
    machine.watch_memory()
    for _ in sys.stdin:
        start = time.perf_counter()
        run(*arrays)
        say(answers, seconds=time.perf_counter() - start)
    say(answers, peak_mib=machine.memory_mib("VmHWM"))


def say(answers: TextIO, **what: Any) -> None:
    """Prints one answer as a line of JSON."""
    print(json.dumps(what), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
