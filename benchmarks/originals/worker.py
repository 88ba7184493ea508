"""Does one job, which is given as JSON, and prints the result as one line of JSON."""

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from originals import running
from originals.catalog import ORIGINALS, options_of
from originals.job import CONVERTED, FRESH, KERAS, ORIGINAL, THEIRS, Job, Result
from tfvfi import machine
from tfvfi.benchmark.engines import OWN

PACKAGES = {OWN: "tensorflow", "tensorflow": "tensorflow"} | {
    name: name for name in ("openvino", "onnxruntime")
}


def main(job_as_json: str) -> None:
    """Does the job that is given as JSON."""
    # Output of libraries must not mix with the answer, so it goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    job = Job(**json.loads(job_as_json))
    try:
        result = JOBS.get(job.engine, run)(job)
    except Exception as error:
        result = Result(running.sentence(error))
        if "PEERS_DEBUG" in os.environ:
            raise
    print(json.dumps(asdict(result)), file=answers, flush=True)
    answers.close()
    # Some engines crash when Python takes them down.
    os._exit(0)


def original_weights(job: Job) -> Result:
    """Writes the weights of the original under their published names."""
    np.savez(job.published, **running.subject(job).state)
    return Result()


def converted_weights(job: Job) -> Result:
    """Writes our weights, converted from those of the original."""
    from tfvfi import porting

    options = options_of(job.network)
    porting.convert(job.network, job.published, job.weights, overwrite=True, **options)
    return Result()


def fresh_weights(job: Job) -> Result:
    """Writes random weights of ours."""
    from tfvfi import registry, weights

    options = options_of(job.network)
    weights.save(registry.load(job.network, weights=None, **options), job.weights)
    return Result()


def run(job: Job) -> Result:
    """Times a network and keeps what it returned first."""
    once, output = _ours(job) if job.engine == OWN else _theirs(job)
    # Engines that compile do it now.
    np.save(job.output, output(once()))
    machine.watch_memory()
    seconds = running.timed(once, job)
    package = PACKAGES.get(job.engine, "torch")
    version = f"{package} {importlib.metadata.version(package)}"
    return Result("", version, seconds, machine.memory_mib("VmHWM"))


def on_device(job: Job) -> Result:
    """Times a network on the job's device."""
    from originals import devices

    return devices.run(job)


def _ours(job: Job) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    from tfvfi.benchmark import engines

    network, frames = engines.tfvfi(job.task()), running.frames(job)
    return lambda: network(*frames), lambda output: output


def _theirs(job: Job) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    from originals import engines

    subject = running.subject(job)
    engine = engines.ENGINES[ORIGINALS[job.network].framework][job.engine]
    return engine(subject, job.precision, job.threads, Path(job.folder)), subject.output


JOBS: Mapping[str, Callable[[Job], Result]] = {
    ORIGINAL: original_weights,
    CONVERTED: converted_weights,
    FRESH: fresh_weights,
    **dict.fromkeys((THEIRS, *KERAS), on_device),
}


if __name__ == "__main__":
    main(sys.argv[1])
