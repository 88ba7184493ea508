"""Adds flow that a network estimated to records, to distill it into other networks.

The flow leads from each inner frame of a window to its first and to its last frame. The labelled
records are a new dataset; the given records are not changed. Finished parts are kept in the folder
`parts` of the output until all is done, so that the same call continues where an interrupted one
stopped, and gives the same bytes.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi.data import codecs, records, tfrecord
from tfvfi.data.clip_parts import one_thread
from tfvfi.data.output import finished, working
from tfvfi.data.records import Example, Layout, Records, Shard
from tfvfi.data.sources import UNREADABLE
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import pictures, storage

STATE = "labels.json"
# An interruption loses the work on at most this many examples.
EXAMPLES_OF_A_PART = 16
# The entries of the manifest that are not copied from the given records.
RENEWED = ("name", "layout", "splits", "labels")

# Estimates the flow, (N, H, W, 2), from frames to other frames, both (N, H, W, 3), uint8 or uint16.
Estimate = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Part:
    """Consecutive examples of a shard.

    Attributes:
        path: The file for the labelled examples.
        shard: The file that holds the examples without labels.
        offsets: The offsets of the examples in that file.
    """

    path: str
    shard: str
    offsets: tuple[int, ...]


def add_flow(
    source: str | Path,
    output: str | Path,
    estimate: Estimate,
    estimator: Mapping[str, Any],
    overwrite: bool = False,
) -> Records:
    """Makes records with flow from records without flow or with other flow.

    Args:
        source: A finished records folder.
        output: The folder to write; the work of an interrupted call in it is completed.
        estimate: Estimates the flow of several pairs of frames.
        estimator: A description of `estimate` for the manifest; interrupted work is continued only
            with the same description.
        overwrite: Whether to replace existing records.

    Returns:
        The finished records.

    Raises:
        InputError: There are no such records, they hold no inner frames, one of them cannot be
            read, or the output holds other files.
    """
    given = Records(source)
    if given.layout.frames < 3:
        raise InputError(
            f"{source} has windows of {given.layout.frames} frames, which have none between their "
            "ends; make records with at least 3 frames in a window"
        )
    if Path(source).resolve().is_relative_to(Path(output).resolve()):
        raise InputError(
            f"{output} holds the records themselves; choose another folder as `output`"
        )
    labels = {
        "estimator": dict(estimator),
        "shards": [shard.sha256 for split in given.splits for shard in given.shards(split)],
    }
    if done := finished(output, overwrite):
        if done.manifest.get("labels") != labels:
            raise InputError(
                f"{output} holds other records; pass `overwrite=True` to replace them, or choose "
                "another `output`"
            )
        return done
    with working(output) as work:
        _check_state(work, labels)
        parts = _parts(given, work)
        _label(parts, given.layout, estimate)
        _finish(given, parts, output, labels)
    return Records(output)


def label(example: Example, layout: Layout, estimate: Estimate) -> Example:
    """Returns an example with the flow of its inner frames.

    Raises:
        CorruptRecordError: The example has another number of frames than the layout.
        BadPictureError: A frame cannot be decoded.
        InputError: The flow is not finite.
    """
    if len(example.frames) != layout.frames:
        raise CorruptRecordError(f"it holds {len(example.frames)} frames, not {layout.frames}")
    size = layout.height, layout.width
    frames = [pictures.decode(frame, size) for frame in example.frames]
    inner = np.stack(frames[1:-1])
    ends = [np.broadcast_to(frames[end], inner.shape) for end in (0, -1)]
    found = estimate(np.concatenate([inner, inner]), np.concatenate(ends))
    flows = np.concatenate(np.split(found, 2), axis=-1).astype(np.float16)
    if not np.isfinite(flows).all():
        raise InputError(
            f"the flow of {example.source}, frame {example.start}, is not finite; look at the "
            "weights of the model"
        )
    return replace(example, flow=tuple(map(codecs.encode_flow, flows)))


def _check_state(work: str, labels: Mapping[str, Any]) -> None:
    """Writes what is being made to a file, or compares it with the file of an earlier call."""
    state = storage.join(work, STATE)
    if not storage.exists(state):
        storage.write_bytes(state, json.dumps(labels).encode())
    elif json.loads(storage.read_text(state)) != labels:
        raise InputError(
            f"{work} was begun with another model or other records; remove it, or choose another "
            "`output`"
        )


def _parts(given: Records, work: str) -> dict[tuple[str, int], list[Part]]:
    """Returns the parts of each shard, by its split and number."""
    found = {}
    for split in given.splits:
        for number, promised in enumerate(given.shards(split)):
            shard = given.path(split, number)
            with _reading(shard), storage.open_file(shard) as file:
                offsets = tuple(tfrecord.offsets(file))
                if len(offsets) != promised.examples:
                    raise CorruptRecordError(
                        f"it holds {len(offsets)} records, not {promised.examples}"
                    )
            found[split, number] = [
                Part(
                    storage.join(work, f"{split}-{number:05d}-{start:09d}.tfrecord"),
                    shard,
                    offsets[start : start + EXAMPLES_OF_A_PART],
                )
                for start in range(0, len(offsets), EXAMPLES_OF_A_PART)
            ]
    return found


def _label(parts: Mapping[tuple[str, int], list[Part]], layout: Layout, estimate: Estimate) -> None:
    """Makes the parts that do not exist yet."""
    every = [part for some in parts.values() for part in some]
    total = sum(len(part.offsets) for part in every)
    # OpenCV's flow depends on the number of threads.
    with tqdm(total=total, unit="example", disable=None) as progress, one_thread():
        for part in every:
            if storage.exists(part.path):
                progress.update(len(part.offsets))
                continue
            with storage.open_file(part.shard) as file, storage.write_aside(part.path) as labelled:
                for offset in part.offsets:
                    with _reading(part.shard):
                        example = Example.unpack(tfrecord.read(file, offset))
                        payload = label(example, layout, estimate).pack()
                    labelled.write(tfrecord.pack(payload))
                    progress.update()


def _finish(
    given: Records,
    parts: Mapping[tuple[str, int], list[Part]],
    output: str | Path,
    labels: Mapping[str, Any],
) -> None:
    """Writes the shards and the other files of the dataset."""
    name = records.dataset_name(output)
    shards: dict[str, list[Shard]] = {split: [] for split in given.splits}
    for (split, number), some in parts.items():
        count = len(given.shards(split))
        shard = records.write_shard(output, name, split, number, count, _payloads(some))
        shards[split].append(shard)
    about = {key: value for key, value in given.manifest.items() if key not in RENEWED}
    layout = replace(given.layout, flow=True)
    records.finish(output, name, layout, shards, about | {"labels": labels})


def _payloads(parts: list[Part]) -> Iterator[bytes]:
    for part in parts:
        with storage.open_file(part.path) as file:
            yield from tfrecord.records(file)


@contextlib.contextmanager
def _reading(shard: str) -> Iterator[None]:
    """Turns errors of reading into an `InputError` that names the file."""
    try:
        yield
    except UNREADABLE as error:
        raise InputError(
            f"{shard} cannot be read ({error}); copy or make the records again"
        ) from None
