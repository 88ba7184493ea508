"""Training batches as a `tf.data.Dataset`."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tfvfi.data import readers
from tfvfi.data.augment import Step
from tfvfi.data.batches import Plan, check_start
from tfvfi.data.samples import Samples
from tfvfi.data.sampling import Sampling
from tfvfi.errors import InputError

if TYPE_CHECKING:
    from tfvfi.data.datasets.sample import Benchmark


def load(
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
) -> tf.data.Dataset:
    """Returns batches of records, decoded and augmented in parallel, the same in every run.

    A record that cannot be read is logged and replaced by the next one; too many of them stop the
    run. TensorFlow wraps errors that reading raises; `with tfvfi.data.plain_errors():` unwraps
    them.

    Args:
        records: A records folder, a file or folder of the origin project's old records, or a
            benchmark of `tfvfi.data.datasets`, either opened or named as in "vimeo90k:FOLDER".
        split: The split of the records: "train" or "validation".
        kind: What the objective reads: "triplet" (frame0, frame1, time, target, and flow if the
            records hold it), "cycle" (frame0, frame1, frame2, time), "pair" (frame0, frame1, and
            flow) or "window" (all frames and their times).
        batch_size: The number of samples in a batch, over all workers.
        crop_size: The side, or the height and width, of the crop; None for whole patches.
        augmentation: The steps as (name, setting), see `tfvfi.data.augment`.
        seed: The seed from which all random choices follow.
        start: The number of batches that were used already; they are skipped at no cost.
        worker: This worker's number, from 0, and the number of workers; each worker gets its slice
            of every batch.
        shuffle: Whether each epoch has an order of its own, over all shards.
        repeat: Whether epochs follow one another without end; otherwise there is one epoch, whose
            last batch may be smaller.
        sampling: Which frames of a window a sample takes; by default a triplet takes the first,
            the last and any frame between, and a cycle takes three consecutive frames.

    Returns:
        A dataset of dictionaries of float32 tensors.

    Raises:
        InputError: The records cannot be read or do not suit the arguments.

    Example:
        >>> import tfvfi
        >>> batches = tfvfi.data.load("records/sample", batch_size=4, crop_size=64)
        >>> tuple(batches.element_spec["target"].shape)
        (4, 64, 64, 3)
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
    plan = Plan(len(samples), batch_size, worker, repeat)
    return dataset(samples, plan, start)


def dataset(samples: Samples, plan: Plan, start: int = 0) -> tf.data.Dataset:
    """Returns the batches of a plan from number `start` on."""
    names = list(samples.spec)

    def arrays(position: np.int64) -> list[np.ndarray]:
        with readers.at_work() as wanted:
            if not wanted:
                return [np.zeros(samples.spec[name], np.float32) for name in names]
            sample = samples.sample(int(position))
            return [sample[name] for name in names]

    def read(position: tf.Tensor) -> dict[str, tf.Tensor]:
        tensors = tf.numpy_function(arrays, [position], [tf.float32] * len(names))
        for name, tensor in zip(names, tensors, strict=True):
            tensor.set_shape(samples.spec[name])
        return dict(zip(names, tensors, strict=True))

    limit = np.iinfo(np.int64).max // plan.batch_size if plan.batches is None else plan.batches
    number, share = plan.worker[0], plan.share
    batches = tf.data.Dataset.range(min(start, limit), limit)
    if plan.repeat:
        first = batches.map(lambda batch: batch * plan.batch_size + number * share)
        positions = first.flat_map(lambda at: tf.data.Dataset.range(at, at + share))
    else:
        ends = tf.constant(plan.count, tf.int64)
        positions = batches.flat_map(
            lambda batch: tf.data.Dataset.range(
                batch * plan.batch_size + number * share,
                tf.minimum(batch * plan.batch_size + (number + 1) * share, ends),
            )
        )
    made = positions.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    uneven = not plan.repeat and plan.count % plan.batch_size and plan.worker[1] == 1
    options = tf.data.Options()
    # Every worker already reads its own slice.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return made.batch(share, drop_remainder=not uneven).prefetch(2).with_options(options)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Raises an `InputError` that TensorFlow wrapped as the original `InputError`."""
    try:
        yield
    except tf.errors.OpError as error:
        found = re.search(rf"{InputError.__name__}: (.*)", error.message)
        if found is None:
            raise
        raise InputError(found.group(1)) from None
