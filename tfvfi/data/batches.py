"""Batches of samples: the positions that each batch holds, and batches as plain arrays."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfvfi.data.augment import Step
from tfvfi.data.samples import Samples
from tfvfi.data.sampling import Sampling
from tfvfi.errors import InputError

if TYPE_CHECKING:
    from tfvfi.data.datasets.sample import Benchmark

# The number of batches that are prepared ahead of the one in use.
AHEAD = 2


@dataclass(frozen=True)
class Plan:
    """Assigns samples to batches; each worker takes its slice of every batch.

    Attributes:
        count: The number of samples in an epoch.
        batch_size: The number of samples in a batch, over all workers.
        worker: This worker's number, from 0, and the number of workers.
        repeat: Whether epochs follow one another without end; a batch may then span two epochs.

    Raises:
        InputError: The worker's number is out of range, or the workers cannot share a batch evenly.

    Example:
        >>> list(Plan(count=5, batch_size=4, worker=(1, 2), repeat=True).positions(1))
        [6, 7]
        >>> [len(Plan(5, 4, (0, 1), repeat=False).positions(batch)) for batch in range(3)]
        [4, 1, 0]
    """

    count: int
    batch_size: int
    worker: tuple[int, int] = (0, 1)
    repeat: bool = True

    def __post_init__(self) -> None:
        number, workers = self.worker
        if not 0 <= number < workers:
            raise InputError(
                f"worker is a number from 0 and how many there are. Received: {self.worker}"
            )
        if not isinstance(self.batch_size, int):
            raise InputError(f"batch_size is a whole number. Received: {self.batch_size!r}")
        if self.batch_size < 1 or self.batch_size % workers:
            raise InputError(
                f"a batch of {self.batch_size} cannot be shared evenly by {workers} "
                f"{'worker' if workers == 1 else 'workers'}; choose a multiple of {workers}"
            )

    @property
    def share(self) -> int:
        """The number of samples in this worker's slice of a batch."""
        return self.batch_size // self.worker[1]

    @property
    def batches(self) -> int | None:
        """The number of batches in an epoch; None if there is no end.

        The last batch may be smaller; with several workers it is left out, because they could not
        share it evenly.
        """
        if self.repeat:
            return None
        whole, rest = divmod(self.count, self.batch_size)
        return whole + bool(rest and self.worker[1] == 1)

    def positions(self, batch: int) -> range:
        """Returns the positions that this worker reads for a batch."""
        first = batch * self.batch_size + self.worker[0] * self.share
        end = first + self.share
        return range(first, end if self.repeat else max(first, min(end, self.count)))


def check_start(start: int) -> None:
    """Raises an `InputError` unless `start` is a whole number of batches, from 0 on."""
    if not isinstance(start, int) or start < 0:
        raise InputError(f"start is a number of batches, from 0 on. Received: {start!r}")


def iterate(
    records: "str | Path | Benchmark",
    *,
    split: str = "train",
    kind: str = "triplet",
    batch_size: int = 8,
    crop_size: int | tuple[int, int] | None = None,
    augmentation: Sequence[Step] = (),
    seed: int = 0,
    start: int = 0,
    worker: tuple[int, int] = (0, 1),
    shuffle: bool = True,
    repeat: bool = True,
    sampling: Sampling | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields the batches of `tfvfi.data.load` as NumPy arrays, without TensorFlow.

    Use it with the other backends of Keras, and to inspect the data.

    Args:
        records: A records folder or a benchmark, see `tfvfi.data.load`.
        split: The split of the records: "train" or "validation".
        kind: What the objective reads: "triplet", "cycle", "pair" or "window".
        batch_size: The number of samples in a batch, over all workers.
        crop_size: The side, or the height and width, of the crop; None for whole patches.
        augmentation: The steps as (name, setting), see `tfvfi.data.augment`.
        seed: The seed from which all random choices follow.
        start: The number of batches that were used already; they are skipped at no cost.
        worker: This worker's number, from 0, and the number of workers.
        shuffle: Whether each epoch has an order of its own.
        repeat: Whether epochs follow one another without end.
        sampling: Which frames of a window a sample takes, see `tfvfi.data.load`.

    Raises:
        InputError: The records cannot be read or do not suit the arguments.

    Example:
        >>> import tfvfi
        >>> batch = next(tfvfi.data.iterate("records/sample", batch_size=2, crop_size=64))
        >>> batch["frame0"].shape, batch["time"].shape
        ((2, 64, 64, 3), (2,))
    """
    check_start(start)
    samples = Samples(
        records,
        split=split,
        kind=kind,
        crop_size=crop_size,
        augmentation=augmentation,
        seed=seed,
        shuffle=shuffle,
        sampling=sampling,
    )
    return _batches(samples, Plan(len(samples), batch_size, worker, repeat), start)


def _batches(samples: Samples, plan: Plan, start: int) -> Iterator[dict[str, np.ndarray]]:
    numbers = itertools.count(start) if plan.batches is None else range(start, plan.batches)
    with ThreadPoolExecutor() as pool:
        waiting: deque[list[Future[Any]]] = deque()
        try:
            for number in numbers:
                made = [pool.submit(samples.sample, place) for place in plan.positions(number)]
                waiting.append(made)
                if len(waiting) > AHEAD:
                    yield _stacked(waiting.popleft())
            while waiting:
                yield _stacked(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _stacked(made: list[Future[Any]]) -> dict[str, np.ndarray]:
    parts = [sample.result() for sample in made]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}
