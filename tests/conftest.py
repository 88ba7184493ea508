"""What many tests need: real frames, memory, and folders that are filled once."""

import contextlib
import fcntl
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
# A process that is larger looks for garbage after every test.
MOST_MEMORY = 2 * 2**30


def pytest_configure() -> None:
    """Looks for garbage less often: graphs are made of many small objects that stay."""
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def tidy() -> Iterator[None]:
    """Frees the networks and graphs of a module, which are full of cycles, before the next one."""
    yield
    _forget()
    # What is left stays, and need not be looked at again.
    gc.freeze()


@pytest.fixture(autouse=True)
def room() -> Iterator[None]:
    """Frees networks that a test leaves behind if they are large, before the module ends."""
    yield
    if _resident() > MOST_MEMORY:
        _forget()


def _forget() -> None:
    """Frees graphs and networks that nothing uses any more."""
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.ops import gradient_registry

        # TensorFlow keeps every gradient that a traced function defines, and with it its graph.
        known = gradient_registry._registry
        for name in [name for name in known if name.startswith("CustomGradient-")]:
            del known[name]
    gc.collect()


def _resident() -> int:
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """A folder of all processes that pytest-xdist started; see `alone`."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Lets one process after the other in; yields whether this one has to fill the folder."""
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not (folder / ".filled").exists()
        (folder / ".filled").touch()


@pytest.fixture(scope="session")
def clip_frames() -> list[np.ndarray]:
    """The frames of the sample clip, uint8."""
    import av

    with av.open(str(ROOT / "samples" / "clip.mp4")) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


@pytest.fixture(scope="session")
def half_frames(clip_frames) -> list[np.ndarray]:
    """The same at half the size, where the clip's blur is gone."""
    return [
        cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for frame in clip_frames
    ]


@pytest.fixture(scope="session")
def triplet(clip_frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three consecutive real frames: first, the true middle, second."""
    return tuple(clip_frames[4:7])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of 8-bit frames, in dB."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))
