"""Reads the public benchmarks from their official folder layouts.

    benchmark = tfvfi.data.datasets.open("middlebury", "other")
    for sample in benchmark:
        rendered = model.interpolate(sample.frame0.read(), sample.frame1.read(), sample.times)
        truth = [target.read() for target in sample.targets]

Frames are read on request, so memory holds only the frames in use.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvfi.data.datasets.known import KNOWN, Known
from tfvfi.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from tfvfi.data.datasets.sample import Benchmark

__all__ = ["KNOWN", "Known", "open"]


def open(name: str, data_dir: str | Path, **options: Any) -> "Benchmark":
    """Opens a benchmark from a local folder; nothing is downloaded.

    Args:
        name: One of `KNOWN`: a published benchmark, "frames" or "video".
        data_dir: The folder as unpacked, or the folder above it; for "video" the file.
        **options: Options of the benchmark, see `KNOWN[name].options`: `split="train"` for
            benchmarks with a training set; for "frames" and "video" `factor`, which keeps every
            `factor`-th frame.

    Returns:
        The samples, see `tfvfi.data.datasets.sample.Sample`.

    Raises:
        InputError: There is no such benchmark or option, or the data is missing; the message names
            the place to get it.

    Example:
        >>> import tfvfi
        >>> clip = tfvfi.data.datasets.open("video", "samples/clip.mp4", factor=8)
        >>> sample = next(iter(clip))
        >>> sample.name, sample.times[0], sample.frame0.read().shape
        ('clip/0', 0.125, (360, 640, 3))
    """
    if name not in KNOWN:
        raise ArgumentError(f"there is no benchmark '{name}'; the names are: {', '.join(KNOWN)}")
    known = KNOWN[name]
    unknown = sorted(set(options) - set(known.options))
    if unknown:
        takes = f"it takes: {', '.join(known.options)}" if known.options else "it takes none"
        raise ArgumentError(f"{name} has no option '{unknown[0]}'; {takes}")
    module, _, function = known.reader.partition(":")
    reader = getattr(importlib.import_module(f"tfvfi.data.datasets.{module}"), function)
    data_dir = Path(data_dir)
    # A name such as "name@3" stands for several files.
    there = data_dir.exists() or "@" in data_dir.name
    found = reader(known, data_dir, **options) if there else None
    if not found:
        missing = f"{known.holds} is not there" if data_dir.exists() else "there is no such folder"
        raise InputError(f"{name} is not in {data_dir}: {missing}; {known.source}")
    return found
