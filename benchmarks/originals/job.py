"""One process: what it runs, and the parent's side of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tfvfi.benchmark import contender
from tfvfi.benchmark.engines import OWN
from tfvfi.benchmark.task import Task

# Jobs that prepare the others: weights of the original; ours, converted from them or random.
ORIGINAL, CONVERTED, FRESH = "original weights", "converted weights", "fresh weights"
# Engines that run on a device that is chosen: our network by Keras's backend, and the original.
KERAS = {f"tfvfi on {backend}": backend for backend in ("tensorflow", "jax", "torch")}
THEIRS = "original"
# The devices, and what a process on each is started with. On a GPU, JAX would take most memory at
# once.
CPU, GPU = "cpu", "gpu"
DEVICES = {
    CPU: {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"},
    GPU: {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
}


@dataclass(frozen=True)
class Job:
    """What one process does.

    Attributes:
        engine: One of `engines.ENGINES`, ours ("tfvfi"), one of `KERAS`, or a job that prepares
            weights.
        network: The name of our network.
        clone: The authors' repository.
        folder: Holds weights, conversions and outputs; every job of a network has the same.
        width: The width of the frames.
        height: The height of the frames.
        precision: "float32" or "bfloat16".
        threads: The number of threads of the engine.
        runs: How often it runs after a first run that is not counted.
        budget: Seconds that these runs may take; one is made in any case.
        backend: Keras's backend in the process.
        device: Where one of `KERAS`, or the original beside it, runs: one of `DEVICES`.
        python: The interpreter that runs the process.
    """

    engine: str
    network: str
    clone: str
    folder: str
    width: int
    height: int
    precision: str = "float32"
    threads: int = 1
    runs: int = 3
    budget: float = 60.0
    backend: str = "tensorflow"
    device: str = CPU
    python: str = sys.executable

    @property
    def weights(self) -> Path:
        """The file of our weights, converted from those of the original."""
        return Path(self.folder) / f"{self.network}.weights.h5"

    @property
    def published(self) -> Path:
        """The file of the original's weights."""
        return Path(self.folder) / "original.npz"

    @property
    def output(self) -> Path:
        """The file of what the network returned."""
        return Path(self.folder) / f"{self.engine}_{self.precision}.npy"

    def task(self) -> Task:
        """Returns the same for our own engine."""
        from originals.catalog import options_of

        return Task(
            form=OWN,
            model=self.network,
            weights=str(self.weights),
            height=self.height,
            width=self.width,
            precision=self.precision,
            threads=self.threads,
            folder=self.folder,
            options=options_of(self.network),
        )


@dataclass(frozen=True)
class Result:
    """What a process found out.

    Attributes:
        refused: Why it could not do its job; empty if it could.
        version: The engine's name and version.
        seconds: The time of each run.
        peak_mib: The largest memory of the process while it ran the network.
    """

    refused: str = ""
    version: str = ""
    seconds: tuple[float, ...] = ()
    peak_mib: float = 0.0


def do(job: Job, limit: float) -> Result:
    """Does a job in a process of its own, and ends it and its children after `limit` seconds."""
    here = Path(__file__).parents[1]
    paths = [str(here), str(here.parent), os.environ.get("PYTHONPATH", "")]
    # torch.compile keeps what it compiled for the next round; other packages see nothing of it.
    environment = contender.environment(replace(job.task(), threads=job.threads)) | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "TORCHINDUCTOR_CACHE_DIR": str(Path(job.folder) / "inductor"),
        "KERAS_BACKEND": job.backend,
        **DEVICES[job.device],
    }
    process = subprocess.Popen(
        [job.python, "-m", "originals.worker", json.dumps(asdict(job))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        answer, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return Result(f"it was ended after the time limit of {limit:.0f} seconds")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not answer.strip():
        return Result(f"its process ended with exit code {process.returncode}")
    return _read(json.loads(answer))


def _read(answer: dict[str, Any]) -> Result:
    return Result(**{**answer, "seconds": tuple(answer.get("seconds", ()))})
