"""Records that tests read: patches whose pixels tell which record, frame and place they are of."""

from pathlib import Path

import numpy as np

from tfvfi.data import codecs, records
from tfvfi.data.records import Example, Layout

SIZE = 24


def image(record: int, frame: int, size: int = SIZE) -> np.ndarray:
    """Red tells the record, green the frame, and blue rises to the right and down."""
    blue = np.add.outer(np.arange(size), 3 * np.arange(size))
    colors = np.broadcast_arrays(record % 256, 10 * frame, blue)
    return np.stack(colors, -1).astype(np.uint8)


def flow(record: int, frame: int, size: int = SIZE) -> np.ndarray:
    """To the first frame (-1, record), to the last (frame, 2)."""
    return np.broadcast_to(np.float32([-1, record, frame, 2]), (size, size, 4))


def example(
    record: int, frames: int = 3, with_flow: bool = False, encoding: str = "png", size: int = SIZE
) -> Example:
    """A record."""
    flows = range(1, frames - 1) if with_flow else ()
    return Example(
        frames=tuple(
            codecs.encode_image(image(record, frame, size), encoding) for frame in range(frames)
        ),
        times=tuple(np.linspace(0, 1, frames).tolist()),
        source=f"clip{record % 3}.mp4",
        start=100 + record,
        top=0,
        left=0,
        flow=tuple(codecs.encode_flow(flow(record, frame, size)) for frame in flows),
    )


def write(
    folder: Path,
    count: int = 20,
    frames: int = 3,
    shards: int = 3,
    with_flow: bool = False,
    encoding: str = "png",
    size: int = SIZE,
    payloads: dict[int, bytes] | None = None,
) -> Path:
    """A finished dataset: record i of the split "train" lies in shard i % shards.

    Args:
        folder: Where to.
        count: Records of the split "train"; "validation" has two.
        frames: Frames of a record.
        shards: Files of the split "train".
        with_flow: Whether records have flow.
        encoding: Of the images.
        size: Side of the patches.
        payloads: What some records hold instead.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def payload(record: int) -> bytes:
        if payloads and record in payloads:
            return payloads[record]
        return example(record, frames, with_flow, encoding, size).pack()

    train = [
        records.write_shard(
            folder, "small", "train", number, shards, map(payload, range(number, count, shards))
        )
        for number in range(shards)
    ]
    validation = [records.write_shard(folder, "small", "validation", 0, 1, map(payload, (0, 1)))]
    layout = Layout(frames, size, size, encoding, with_flow)
    records.finish(folder, "small", layout, {"train": train, "validation": validation}, {})
    return folder


def shard(folder: Path, number: int) -> Path:
    """A file of the split "train"."""
    return sorted(folder.glob("small-train.tfrecord-*"))[number]


def record_of(sample: dict[str, np.ndarray]) -> int:
    """Which record a sample came from, told by its red."""
    return round(float(sample["frame0"][..., 0].mean() * 255))
