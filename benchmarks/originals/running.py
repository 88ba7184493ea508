"""What every process does that runs a network: builds it, times it, and words its errors."""

import importlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from originals.catalog import ORIGINALS, TORCH
from originals.job import Job
from originals.subject import Subject
from tfvfi.benchmark import inputs

# The largest number of characters of an engine's error message that are passed on.
LONGEST = 200


def subject(job: Job) -> Subject:
    """Returns the authors' network, with the same random weights in every process."""
    original = ORIGINALS[job.network]
    if original.framework == TORCH:
        import torch

        torch.set_num_threads(job.threads)
        torch.manual_seed(0)
        torch.set_grad_enabled(False)
    pair = inputs.arrays(job.height, job.width, with_time=False)
    builder = importlib.import_module(f"originals.{original.builder}")
    return builder.build(Path(job.clone), job.network, pair)


def frames(job: Job) -> list[np.ndarray]:
    """Returns the inputs of our network."""
    from tfvfi.registry import preset

    return inputs.arrays(job.height, job.width, with_time=preset(job.network).kind != "flow")


def timed(once: Callable[[], Any], job: Job) -> tuple[float, ...]:
    """Returns the seconds of each run: at least one, more within the job's number and budget."""
    seconds: list[float] = []
    while not seconds or (len(seconds) < job.runs and sum(seconds) + seconds[-1] < job.budget):
        start = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - start)
    return tuple(seconds)


def sentence(error: Exception) -> str:
    """Returns the first sentence of an error's message."""
    plain = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", str(error))).strip()
    return f"{type(error).__name__}: {plain.partition('. ')[0][:LONGEST]}"
