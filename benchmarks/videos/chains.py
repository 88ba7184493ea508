"""The chains that are compared, and one run of each in a process that is watched."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import minterpolate

from tfvfi import machine
from tfvfi.media.source import Video
from videos.stopwatch import Shares

# The command of a chain for a clip, its output, and a file for what it measures itself.
Chain = Callable[[Path, Path, Path], list[str]]
# Seconds between two looks at the memory of a process.
LOOK = 0.2
# The largest number of characters of an error message that are kept.
LONGEST = 200


@dataclass(frozen=True)
class Run:
    """One run of a chain.

    Attributes:
        refused: Why it failed; empty if it did not.
        seconds: The time of the whole process.
        peak_mib: Its largest memory.
        shares: What it measured itself; None if it measures nothing.
    """

    refused: str = ""
    seconds: float = 0.0
    peak_mib: float = 0.0
    shares: Shares | None = None


def ours(choice: str) -> Chain:
    """Returns our own chain for a flag of `tools/interpolate.py`, such as "--model=ifrnet_s"."""
    return lambda clip, output, measured: _script("ours", clip, output, measured, choice)


def minterpolated() -> dict[str, Chain]:
    """Returns the chain of FFmpeg's filter by its name, if FFmpeg is installed."""
    if not minterpolate.installed():
        return {}
    return {
        minterpolate.NAME: lambda clip, output, _: minterpolate.command_line(
            clip, 2 * Video(clip).rate, output
        )
    }


def in_torch(clone: Path) -> dict[str, Chain]:
    """Returns the chains of the PyTorch script by their names.

    Args:
        clone: The folder of IFRNet's repository.
    """

    def chain(*form: str) -> Chain:
        return lambda clip, output, measured: _script(
            "naive", clip, output, measured, f"--clone={clone}", *form
        )

    named = "OpenCV and PyTorch"
    return {f"{named}, eager": chain(), f"{named}, torch.compile": chain("--compile")}


def run(chain: Chain, clip: Path, scratch: Path, limit: float) -> Run:
    """Runs a chain and returns what it took.

    Args:
        chain: The chain.
        clip: The clip to interpolate.
        scratch: A folder that all runs share, for what PyTorch compiles.
        limit: The seconds after which the chain is ended.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        output, measured = Path(folder) / "output.mp4", Path(folder) / "measured.json"
        errors = Path(folder) / "errors.txt"
        start = time.perf_counter()
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                chain(clip, output, measured),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=_environment(scratch),
                start_new_session=True,
            )
        peak = _Peak(process.pid)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return Run(f"it was ended after the time limit of {limit:.0f} seconds")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            seconds = time.perf_counter() - start
            peak_mib = peak.end()
        if code or not output.is_file():
            said = errors.read_text(errors="replace").strip().splitlines() or [f"exit code {code}"]
            return Run(said[-1][:LONGEST])
        shares = Shares.read(measured) if measured.is_file() else None
        return Run("", seconds, peak_mib, shares)


class _Peak:
    """Watches the largest memory of a process, which the system forgets when it ends."""

    def __init__(self, process: int):
        self._process = process
        self._largest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Returns the memory in MiB."""
        self._ended.set()
        self._thread.join()
        return self._largest

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            self._largest = max(self._largest, machine.memory_mib("VmHWM", self._process))


def _script(name: str, clip: Path, output: Path, measured: Path, *rest: str) -> list[str]:
    return [sys.executable, "-m", f"videos.{name}", str(clip), str(output), str(measured), *rest]


def _environment(scratch: Path) -> dict[str, str]:
    here = Path(__file__).parents[1]
    paths = [str(here), str(here.parent), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
