"""Bytes that a file lacks are counted; bytes that it has too many are not held against it."""

import struct

import numpy as np
import pytest

from tests.video.clips import grey, write
from tfvfi.media.source import open_source
from tfvfi.media.whole import missing_bytes

JUNK = {
    "a few stray bytes": b"\x2e\xef\xb0\x05\x91\x17\x44\x83\x01",
    "noise": np.random.default_rng(8).integers(1, 256, 5000, np.uint8).tobytes(),
    "zeros": bytes(4096),
    "text": b"LAST 32 bytes of a tool's banner",
    "a huge box of nothing": struct.pack(">I", 2**31) + b"free",
}
CODECS = {
    "mp4": ("libx264", "yuv420p"),
    "mov": ("libx264", "yuv420p"),
    "avi": ("mjpeg", "yuvj420p"),
    "mkv": ("ffv1", "bgr0"),
    "webm": ("libvpx-vp9", "yuv420p"),
}


def clip(folder, ending, **settings):
    frames = [grey(20 * number) for number in range(4)]
    return write(folder / f"in.{ending}", frames, 25, None, *CODECS[ending], **settings)


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize(
    ("ending", "faststart"), [*((ending, False) for ending in CODECS), ("mp4", True)]
)
def test_what_follows_a_complete_file_is_ignored(tmp_path, ending, faststart, junk):
    source = clip(tmp_path, ending, faststart=faststart)
    with source.open("ab") as file:
        file.write(JUNK[junk])
    assert missing_bytes(source) == 0
    assert len(list(open_source([source]))) == 4


@pytest.mark.parametrize("ending", CODECS)
def test_what_is_missing_at_the_end_is_counted(tmp_path, ending):
    source = clip(tmp_path, ending, faststart=ending in ("mp4", "mov"))
    data = source.read_bytes()
    source.write_bytes(data[:-100])
    assert missing_bytes(source) == 100


def test_a_riff_that_claims_a_few_bytes_too_many_has_all_its_chunks(tmp_path):
    """Some writers count the header itself, or a padding that they never wrote."""
    source = clip(tmp_path, "avi")
    data = bytearray(source.read_bytes())
    data[4:8] = struct.pack("<I", len(data) + 2000)
    source.write_bytes(data)
    assert missing_bytes(source) == 0


def test_millions_of_empty_boxes_do_not_hang(tmp_path):
    source = tmp_path / "in.mp4"
    start = struct.pack(">I4sI4s", 16, b"ftyp", 0, b"isom")
    source.write_bytes(start + 2_000_000 * b"\0\0\0\x08free")
    assert missing_bytes(source) == 0
