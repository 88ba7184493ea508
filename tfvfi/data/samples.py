"""Samples by position: each is a pure function of the seed and of its place in the order.

A run can therefore resume at any position at no cost, and workers share an order without
communicating. TensorFlow is not needed.
"""

import functools
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.data.augment import Augmentation, Step
from tfvfi.data.datasets.sample import Benchmark
from tfvfi.data.kinds import KINDS, with_flow
from tfvfi.data.sampling import Sampling
from tfvfi.data.sources import UNREADABLE, Place, Window, open_source
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import ArgumentError, InputError

logger = logging.getLogger(__name__)

# Unreadable records are skipped up to this share of all records, or up to this number.
SHARE_PASSED_OVER, ALWAYS_PASSED_OVER = 0.01, 10


class Samples:
    """The samples of a dataset, each epoch in its own order, without end.

    Args:
        records: A records folder, a file or folder of the origin project's old records, a
            benchmark of `tfvfi.data.datasets`, either opened or named as in "vimeo90k:FOLDER", or
            "procedural:RECORDS" for moving scenes rendered from their pictures.
        split: The split of the records: "train" or "validation".
        kind: What an objective reads, "triplet", "cycle" or "pair"; or "window".
        crop_size: The side, or the height and width, of the samples; None for the size of the
            records.
        augmentation: The steps as (name, setting), see `tfvfi.data.augment`.
        seed: A whole number from 0 on.
        shuffle: Whether each epoch has an order of its own.
        sampling: Which frames of a window a sample takes; by default a triplet takes the first,
            the last and any frame between, and a cycle takes three consecutive frames.

    Attributes:
        spec: The name and shape of each array in a sample; all are float32.
        faults: The unreadable records found so far: the number of the record and the reason.

    Raises:
        InputError: There are no such records, or they do not suit the arguments.

    Example:
        >>> samples = Samples("records/sample", crop_size=64)
        >>> sorted(samples.sample(0))
        ['frame0', 'frame1', 'target', 'time']
        >>> samples.sample(0)["target"].shape
        (64, 64, 3)
    """

    def __init__(
        self,
        records: "str | Path | Benchmark",
        *,
        split: str = "train",
        kind: str = "triplet",
        crop_size: int | tuple[int, int] | None = None,
        augmentation: Sequence[Step] = (),
        seed: int = 0,
        shuffle: bool = True,
        sampling: Sampling | None = None,
    ):
        if kind not in KINDS:
            raise ArgumentError(f"`kind` is one of {', '.join(KINDS)}. Received: {kind!r}")
        if not isinstance(seed, int) or seed < 0:
            raise ArgumentError(f"`seed` is a whole number from 0 on. Received: {seed!r}")
        self.source = _opened(records, split, sampling, kind == "cycle")
        self.seed, self.shuffle = seed, shuffle
        self.faults: dict[int, str] = {}
        self._adding = threading.Lock()
        self._kind, self._sampling = KINDS[kind], sampling
        layout = self.source.layout
        if not len(self.source):
            raise InputError(f"{self.source.name} holds no records of the split '{split}'")
        if self._kind.samples(layout, sampling) < 1:
            raise InputError(
                f"records of {layout.frames} frames are too short for '{kind}'; make records "
                "with longer windows, or choose another objective"
            )
        self.size = _crop_size(crop_size, (layout.height, layout.width))
        self._flow = with_flow(self._kind, layout, sampling)
        self._augment = Augmentation(augmentation, self.size)
        if kind == "pair" and self._flow:
            # Pairs already lead forwards or backwards, and there is no flow in the reverse
            # direction.
            self._augment = self._augment.without("reverse_time")
        self._check_damage()
        self.spec = self._kind.spec(layout, self.size)
        if self._flow:
            self.spec["flow"] = (*self.size, self._kind.channels)

    def __len__(self) -> int:
        """Returns the number of samples in an epoch."""
        return len(self.source)

    def sample(self, position: int) -> dict[str, np.ndarray]:
        """Returns the sample at a position, from 0 on; epochs follow one another."""
        return self._readable(position)[1]

    def describe(self, position: int) -> Place:
        """Returns where the sample at a position comes from: shard, index, source, start."""
        return self._readable(position)[0].place

    def record(self, position: int) -> int:
        """Returns the number of the record at a position."""
        epoch, place = divmod(position, len(self))
        return int(_order(self.seed, epoch, len(self))[place]) if self.shuffle else place

    def _readable(self, position: int) -> tuple[Window, dict[str, np.ndarray]]:
        """Returns the sample of the record at a position, or of the next readable record."""
        wanted = self.record(position)
        for step in range(len(self)):
            index = (wanted + step) % len(self)
            if index in self.faults:
                continue
            try:
                return self._drawn(index, position)
            except UNREADABLE as error:
                self._pass_over(index, str(error))
        raise InputError(f"no record of {self.source.name} can be read; {self._first_fault()}")

    def _drawn(self, index: int, position: int) -> tuple[Window, dict[str, np.ndarray]]:
        random = np.random.default_rng((self.seed, position))
        window = self.source.window(index)
        patch = self._kind.draw(window, random, self._sampling, self.source.layout.frames)
        sizes = {frame.shape[:2] for frame in patch.frames}
        if len(sizes) > 1 or any(
            have < wanted for have, wanted in zip(patch.size, self.size, strict=True)
        ):
            raise CorruptRecordError(f"its frames are {sizes} and must be {self.size} at least")
        patch = self._augment(patch, random)
        parts = self._kind.named(patch)
        if self._flow:
            parts["flow"] = np.ascontiguousarray(patch.flow, np.float32)
        return window, parts

    def _pass_over(self, index: int, reason: str) -> None:
        with self._adding:
            if index not in self.faults:
                self.faults[index] = reason
                logger.warning("%s: %s; another is used", self.source.place(index), reason)
        self._check_limit()

    def _check_damage(self) -> None:
        """Counts the records that cannot be reached because a file is incomplete."""
        index = self.source.index
        self._lost = index.lost if index else 0
        for damage in index.damage if index else ():
            logger.warning("%s", damage)
        self._check_limit()

    def _check_limit(self) -> None:
        count, total = self._lost + len(self.faults), self._lost + len(self)
        if count > max(ALWAYS_PASSED_OVER, SHARE_PASSED_OVER * total):
            raise InputError(
                f"{count} of the {total} records of {self.source.name} cannot be read, which is "
                f"too many to pass over; {self._first_fault()}"
            )

    def _first_fault(self) -> str:
        if not self.faults:
            return self.source.index.damage[0]
        index, reason = next(iter(self.faults.items()))
        return f"the first is {self.source.place(index)}: {reason}"


def _opened(
    records: "str | Path | Benchmark", split: str, sampling: Sampling | None, cycle: bool
) -> Any:
    """Opens the source; if windows are cut on reading, each holds the frames of one sample."""
    if sampling is None:
        return open_source(records, split)
    return open_source(records, split, sampling.window(cycle), sampling.step)


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """Returns the order of an epoch: a permutation that depends on seed, epoch and count only."""
    return np.random.default_rng((seed, epoch, count)).permutation(count)


def _crop_size(wanted: int | tuple[int, int] | None, patch: tuple[int, int]) -> tuple[int, int]:
    if wanted is None:
        return patch
    size = (wanted, wanted) if isinstance(wanted, int) else tuple(wanted)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise ArgumentError(f"`crop_size` is a side, or height and width. Received: {wanted!r}")
    if size[0] > patch[0] or size[1] > patch[1]:
        raise InputError(
            f"a crop of {size[1]}x{size[0]} does not fit into the records' patches of "
            f"{patch[1]}x{patch[0]}; choose a smaller `crop_size`, or make records with a "
            "larger patch size"
        )
    return size
