"""Reads and writes Middlebury's .flo files of optical flow.

A file holds the number 202021.25 as float32 (the bytes "PIEH"), width and height as int32, and x
and y of every pixel as float32, row by row, all little-endian. A component above 1e9 in magnitude
means that the flow is unknown there.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from tfvfi.errors import InputError

MAGIC = b"PIEH"
HEADER = 12
LARGEST_SIDE = 99_999
UNKNOWN = 1e9


def read_flo(path: str | Path) -> np.ndarray:
    """Reads flow of height x width x 2, float32.

    Nothing is allocated until the header has been compared with the size of the file.

    Args:
        path: The file to read.

    Raises:
        InputError: There is no such file, or it is not a complete .flo file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no flow file {path}")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = file.read(HEADER)
        if len(header) < HEADER or header[:4] != MAGIC:
            raise InputError(f"{path} is no .flo file: it does not begin with {MAGIC.decode()}")
        width, height = (int(side) for side in np.frombuffer(header, "<i4", offset=4))
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
            raise InputError(
                f"{path} is damaged: it claims {width} x {height} pixels, "
                f"and sides lie between 1 and {LARGEST_SIDE}"
            )
        expected = HEADER + 8 * width * height
        if size != expected:
            raise InputError(
                f"{path} is damaged: {width} x {height} pixels take {expected} bytes, "
                f"and it has {size}"
            )
        values = np.fromfile(file, "<f4", count=2 * width * height)
    return values.astype(np.float32, copy=False).reshape(height, width, 2)


def write_flo(path: str | Path, flow: np.ndarray) -> None:
    """Writes flow to a file that appears when it is complete.

    Args:
        path: The file to write; its folder is made if necessary.
        flow: height x width x 2, in pixels.

    Raises:
        InputError: The flow has another shape.

    Example:
        >>> import tempfile, numpy as np
        >>> path = tempfile.mkdtemp() + "/right.flo"
        >>> write_flo(path, np.full((2, 3, 2), (1.5, 0), "float32"))
        >>> read_flo(path)[0, 0]
        array([1.5, 0. ], dtype=float32)
    """
    path, flow = Path(path), np.asarray(flow)
    if flow.ndim != 3 or flow.shape[-1] != 2 or not all(0 < n <= LARGEST_SIDE for n in flow.shape):
        raise InputError(f"a flow is height x width x 2. Received: shape {flow.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".", suffix=".flo", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC)
            file.write(np.array([flow.shape[1], flow.shape[0]], "<i4").tobytes())
            file.write(np.ascontiguousarray(flow, "<f4").tobytes())
        # mkstemp creates files that only their owner can read.
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
