"""Does one job, which is given as JSON, and prints the result as one line of JSON."""

import importlib
import importlib.metadata
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from originals.catalog import ORIGINALS, TORCH
from originals.job import CONVERTED, FRESH, ORIGINAL, Job, Result
from originals.subject import Subject
from tfvfi import machine
from tfvfi.benchmark import inputs
from tfvfi.benchmark.engines import OWN

# The largest number of characters of an engine's error message that are passed on.
LONGEST = 200
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
        result = Result(_sentence(error))
        if "PEERS_DEBUG" in os.environ:
            raise
    print(json.dumps(asdict(result)), file=answers, flush=True)
    answers.close()
    # Some engines crash when Python takes them down.
    os._exit(0)


def original_weights(job: Job) -> Result:
    """Writes the weights of the original under their published names."""
    np.savez(job.published, **_subject(job).state)
    return Result()


def converted_weights(job: Job) -> Result:
    """Writes our weights, converted from those of the original."""
    from tfvfi import porting

    options = ORIGINALS[job.network].options
    porting.convert(job.network, job.published, job.weights, overwrite=True, **options)
    return Result()


def fresh_weights(job: Job) -> Result:
    """Writes random weights of ours."""
    from tfvfi import registry, weights

    options = ORIGINALS[job.network].options
    weights.save(registry.load(job.network, weights=None, **options), job.weights)
    return Result()


def run(job: Job) -> Result:
    """Times a network and keeps what it returned first."""
    once, output = _ours(job) if job.engine == OWN else _theirs(job)
    # Engines that compile do it now.
    np.save(job.output, output(once()))
    machine.watch_memory()
    seconds: list[float] = []
    while not seconds or (len(seconds) < job.runs and sum(seconds) + seconds[-1] < job.budget):
        start = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - start)
    package = PACKAGES.get(job.engine, "torch")
    version = f"{package} {importlib.metadata.version(package)}"
    return Result("", version, tuple(seconds), machine.memory_mib("VmHWM"))


def _sentence(error: Exception) -> str:
    """Returns the first sentence of an error's message."""
    plain = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", str(error))).strip()
    return f"{type(error).__name__}: {plain.partition('. ')[0][:LONGEST]}"


def _ours(job: Job) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    from tfvfi.benchmark import engines

    network, frames = engines.tfvfi(job.task()), _frames(job)
    return lambda: network(*frames), lambda output: output


def _theirs(job: Job) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    from originals import engines

    subject = _subject(job)
    engine = engines.ENGINES[ORIGINALS[job.network].framework][job.engine]
    return engine(subject, job.precision, job.threads, Path(job.folder)), subject.output


def _subject(job: Job) -> Subject:
    original = ORIGINALS[job.network]
    if original.framework == TORCH:
        import torch

        torch.set_num_threads(job.threads)
        torch.manual_seed(0)
        torch.set_grad_enabled(False)
    frames = inputs.arrays(job.height, job.width, with_time=False)
    builder = importlib.import_module(f"originals.{original.builder}")
    return builder.build(Path(job.clone), job.network, frames)


def _frames(job: Job) -> list[np.ndarray]:
    from tfvfi.registry import preset

    return inputs.arrays(job.height, job.width, with_time=preset(job.network).kind != "flow")


JOBS: Mapping[str, Callable[[Job], Result]] = {
    ORIGINAL: original_weights,
    CONVERTED: converted_weights,
    FRESH: fresh_weights,
}


if __name__ == "__main__":
    main(sys.argv[1])
