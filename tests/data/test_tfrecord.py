"""TFRecord files: as TensorFlow writes and reads them, and what becomes of damaged ones."""

import io

import numpy as np
import pytest

from tfvfi.data import tfrecord
from tfvfi.data.tfrecord import CorruptRecordError

PAYLOADS = [b"", b"a", b"123456789" * 1000, bytes(range(256)) * 40]


def file_of(payloads=PAYLOADS) -> io.BytesIO:
    return io.BytesIO(b"".join(map(tfrecord.pack, payloads)))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # RFC 3720, appendix B.4.
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"", 0),
    ],
)
def test_checksums_of_the_standard(data, expected):
    assert tfrecord.crc32c(data) == expected


def test_long_sums_are_those_byte_by_byte():
    random = np.random.default_rng(0)
    for length in [*range(60, 70), 127, 128, 129, 255, 256, 257, 5000, 65536, 65537]:
        data = random.bytes(length)
        slow = tfrecord._sum_bytes(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
        assert tfrecord.crc32c(data) == slow, length


def test_tensorflow_reads_them_and_is_read(tmp_path):
    import tensorflow as tf

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(file_of().getvalue())
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(ours))] == PAYLOADS
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert theirs.read_bytes() == ours.read_bytes()


def test_any_record_by_its_offset():
    file = file_of()
    offsets = list(tfrecord.offsets(file))
    assert [tfrecord.read(file, offset) for offset in offsets[::-1]] == PAYLOADS[::-1]
    assert list(tfrecord.records(file)) == PAYLOADS
    assert list(tfrecord.offsets(io.BytesIO())) == []


@pytest.mark.parametrize("cut", [1, 4, 5, 300])
def test_a_file_that_was_cut_off_gives_what_is_whole(cut):
    file = io.BytesIO(file_of().getvalue()[:-cut])
    found = []
    with pytest.raises(CorruptRecordError, match="is cut off"):
        for offset in tfrecord.offsets(file):
            found.append(tfrecord.read(file, offset))
    assert found == PAYLOADS[:-1]


def test_every_flipped_bit_is_noticed():
    whole = tfrecord.pack(b"some payload")
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        with pytest.raises(CorruptRecordError, match="the record at byte 0 is"):
            list(tfrecord.records(io.BytesIO(bytes(damaged))))


def test_a_claimed_length_is_not_trusted():
    """A header with a right checksum that promises an exabyte: nothing is allocated for it."""
    header = tfrecord.struct.pack("<Q", 1 << 60)
    file = io.BytesIO(header + tfrecord._checksum(header) + b"few bytes")
    with pytest.raises(CorruptRecordError, match="the record at byte 0 is cut off"):
        tfrecord.read(file, 0)
