"""Damaged checkpoints give one sentence or what they hold: no crash, no hang, nothing huge."""

import io
import random
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np

from tfvfi import checkpoints
from tfvfi.errors import InputError

GOLDEN = Path(__file__).parent.parent / "golden" / "checkpoints"
FILES = sorted(path for path in GOLDEN.iterdir() if path.suffix in (".pth", ".npz", ".safetensors"))
COUNT = 500
INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one or two faults."""
    for _ in range(chance.randint(1, 2)):
        where, length = chance.randrange(len(data) + 1), chance.randint(1, 12)
        match chance.choice(("flip", "cut", "insert", "remove", "number", "repeat")):
            case "flip" if where < len(data):
                data = (
                    data[:where]
                    + bytes([data[where] ^ 1 << chance.randrange(8)])
                    + data[where + 1 :]
                )
            case "cut":
                data = data[: max(where, 1)]
            case "insert":
                data = data[:where] + chance.randbytes(length) + data[where:]
            case "remove" if len(data) > 2 * length:
                data = data[:where] + data[where + length :]
            case "number":
                width = chance.choice((1, 2, 4, 8))
                number = chance.choice(INTERESTING) % 256**width
                data = data[:where] + number.to_bytes(width, "little") + data[where + width :]
            case "repeat":
                data = data[:where] + data[max(0, where - 8 * length) :]
    return data


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """A zip archive with faults in one entry, sums and sizes being right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as sink:
        entries = source.infolist()
        chosen = chance.choice(
            [one for one in entries if one.filename.endswith((".pkl", ".npy"))] or entries
        )
        for entry in entries:
            content = source.read(entry)
            sink.writestr(entry.filename, damaged(content, chance) if entry is chosen else content)
    return buffer.getvalue()


def test_damaged_files_give_a_sentence_or_what_they_hold(tmp_path):
    path = tmp_path / "damaged"
    outcomes = {"refused": 0, "read": 0}
    tracemalloc.start()
    for seed in range(COUNT):
        chance = random.Random(seed)
        data = FILES[seed % len(FILES)].read_bytes()
        inside = data.startswith(b"PK") and seed % 4
        path.write_bytes((damaged_inside if inside else damaged)(data, chance))
        tracemalloc.reset_peak()
        before, started = tracemalloc.get_traced_memory()[0], time.perf_counter()
        try:
            tensors = checkpoints.read(path).tensors
        except InputError as error:
            outcomes["refused"] += 1
            assert str(path) in str(error) and str(error).isprintable(), seed
            assert 20 < len(str(error)) - len(str(path)) < 400, (seed, str(error))
        else:
            outcomes["read"] += 1
            assert all(isinstance(values, np.ndarray) for values in tensors.values()), seed
        assert time.perf_counter() - started < 2, seed
        assert tracemalloc.get_traced_memory()[1] - before < 4 * 2**20, seed
    tracemalloc.stop()
    # Both happen often, so the faults are neither too gross nor too small.
    assert min(outcomes.values()) > COUNT // 20, outcomes
