"""Distributes examples: videos to splits, then shuffled examples of all videos to shards."""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tfvfi.data import records, tfrecord, workers
from tfvfi.data.clip_parts import Report
from tfvfi.data.records import Shard
from tfvfi.media import storage

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Sharing:
    """How the examples are divided into splits and shards.

    Attributes:
        validation: The share of the videos in the validation split.
        shard_bytes: The approximate size of a shard.
    """

    validation: float = 0.1
    shard_bytes: int = 128 << 20


@dataclass(frozen=True)
class Place:
    """The location of an example: a finished part and the offset in it."""

    part: str
    offset: int


def split_names(names: Sequence[str], validation: float, seed: int) -> dict[str, str]:
    """Returns the split of each video.

    If there are two videos or more and `validation` is above 0, each split gets at least one.

    Example:
        >>> sorted(split_names(["a", "b", "c"], validation=0.3, seed=0).values())
        ['train', 'train', 'validation']
    """
    count = round(validation * len(names))
    if validation > 0:
        count = max(1, count)
    count = min(count, len(names) - 1)
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    return {name: VALIDATION if rank < count else TRAIN for rank, name in enumerate(ranked)}


def share_out(
    reports: dict[str, Report], splits: dict[str, str], seed: int
) -> dict[str, list[Place]]:
    """Returns the examples of each split, shuffled.

    Args:
        reports: The report of every part by its path, in a reproducible order.
        splits: The split of each video.
        seed: The seed of the order.
    """
    shared = {}
    for split in (TRAIN, VALIDATION):
        places = [
            Place(part, offset)
            for part, report in reports.items()
            if splits.get(report.name) == split
            for offset in report.offsets
        ]
        random.Random(f"{seed} {split}").shuffle(places)
        if places:
            shared[split] = places
    return shared


def write(
    output: str, shared: dict[str, list[Place]], mean_bytes: float, shard_bytes: int, processes: int
) -> dict[str, list[Shard]]:
    """Writes the shards of all splits.

    Args:
        output: The records folder.
        shared: The examples of each split.
        mean_bytes: The mean size of an example.
        shard_bytes: The approximate size of a shard.
        processes: The number of shards that are written at once; with 1, this process writes them.

    Returns:
        The shards of each split, in order.
    """
    tasks = []
    for split, places in shared.items():
        count = max(1, math.ceil(len(places) * mean_bytes / shard_bytes))
        for number in range(count):
            some = places[len(places) * number // count : len(places) * (number + 1) // count]
            tasks.append((output, split, number, count, some))
    written: dict[str, list[tuple[int, Shard]]] = {split: [] for split in shared}
    if processes == 1:
        results = ((task, _write_shard(*given)) for task, given in enumerate(tasks))
    else:
        results = workers.run(_write_shard, tasks, processes)
    for task, shard in results:
        if isinstance(shard, workers.Crash):
            raise OSError(f"writing ended with exit code {shard.exit_code}")
        _, split, number, _, _ = tasks[task]
        written[split].append((number, shard))
    return {split: [shard for _, shard in sorted(found)] for split, found in written.items()}


def payloads(places: Sequence[Place]) -> Iterator[bytes]:
    """Yields the packed examples at the given places."""
    for place in places:
        with storage.open_file(place.part) as file:
            yield tfrecord.read(file, place.offset)


def _write_shard(output: str, split: str, number: int, count: int, places: list[Place]) -> Shard:
    name = records.dataset_name(output)
    return records.write_shard(output, name, split, number, count, payloads(places))
