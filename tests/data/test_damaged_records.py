"""Damage in records is named, counted and replaced by the next; what they claim is checked."""

import json
import logging
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.data import small_records
from tests.data.small_records import SIZE, record_of, shard
from tfvfi.data import codecs, example, tfrecord
from tfvfi.data.samples import Samples
from tfvfi.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_records.write(tmp_path_factory.mktemp("records"))


def spoiled(record: int, how: str) -> bytes:
    """The payload of a record that cannot be used, its checksum right."""
    whole = small_records.example(record)
    fields = dict(whole.__dict__)
    if how == "no message":
        return b"\xff" * 40
    if how == "no feature":
        return example.encode({"frames": whole.frames, "times": list(whole.times)})
    if how.startswith("wrong "):
        return example.encode(
            {**example.decode(whole.pack()), how.removeprefix("wrong "): [7, 8, 9]}
        )
    if how == "no picture":
        fields["frames"] = (b"", b"GIF89a" + b"\0" * 40, whole.frames[2])
    if how == "cut picture":
        fields["frames"] = tuple(frame[:40] for frame in whole.frames)
    if how == "other size":
        other = codecs.encode_image(np.zeros((SIZE, SIZE + 8, 3), np.uint8))
        fields["frames"] = (other,) * 3
    if how == "huge claim":
        huge = struct.pack(">II", 60_000, 60_000)
        fields["frames"] = tuple(frame[:16] + huge + frame[24:] for frame in whole.frames)
    if how == "too few frames":
        fields["frames"] = whole.frames[:2]
    if how == "times fall":
        fields["times"] = (0.0, 0.9, 0.5)
    if how == "no numbers":
        fields["times"] = (0.0, float("nan"), 1.0)
    return small_records.Example(**fields).pack()


@pytest.mark.parametrize(
    "how",
    [
        "no message",
        "wrong frames",
        "wrong times",
        "wrong flow",
        "no feature",
        "wrong source",
        "no picture",
        "cut picture",
        "other size",
        "huge claim",
        "too few frames",
        "times fall",
        "no numbers",
    ],
)
def test_a_bad_record_is_named_and_replaced_by_the_next(how, tmp_path, caplog):
    small_records.write(tmp_path, 12, shards=2, payloads={4: spoiled(4, how)})
    samples = Samples(tmp_path, shuffle=False, seed=2)
    with caplog.at_level(logging.WARNING):
        found = [record_of(samples.sample(position)) for position in range(24)]
    # Record 4 is the third of shard 0; the next one there is record 6.
    epoch = [0, 2, 6, 6, 8, 10, 1, 3, 5, 7, 9, 11]
    assert found == epoch * 2
    assert list(samples.faults) == [2]
    assert len(caplog.records) == 1, "said once, not once an epoch"
    assert f"{shard(tmp_path, 0)}, record 2: " in caplog.text
    assert samples.describe(2).index == 3
    # A fresh reader that meets it later gives the same.
    assert record_of(Samples(tmp_path, shuffle=False, seed=2).sample(14)) == 6


def test_flow_of_another_size_is_a_fault(tmp_path):
    whole = small_records.example(3, with_flow=True)
    small = codecs.encode_flow(np.zeros((2, 2, 4), np.float32))
    bomb = codecs.encode_flow(np.zeros((2000, 2000, 4), np.float32))
    payloads = {
        number: small_records.Example(**{**whole.__dict__, "flow": (flow,)}).pack()
        for number, flow in ((3, small), (7, bomb), (9, b"nothing"))
    }
    small_records.write(tmp_path, 12, shards=1, with_flow=True, payloads=payloads)
    samples = Samples(tmp_path, shuffle=False)
    assert [record_of(samples.sample(position)) for position in (3, 7, 9)] == [4, 8, 10]
    assert sorted(samples.faults) == [3, 7, 9]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def test_a_flipped_bit_is_noticed_by_the_checksum(tmp_path):
    small_records.write(tmp_path, 12, shards=1)
    path = shard(tmp_path, 0)
    with path.open("rb") as file:
        offsets = list(tfrecord.offsets(file))
    # Inside the pixels of record 5, where a decoder would not object.
    flip(path, offsets[6] - 40)
    samples = Samples(tmp_path, shuffle=False)
    assert record_of(samples.sample(5)) == 6
    assert "damaged" in samples.faults[5]


def test_a_truncated_shard_is_named_and_counted(tmp_path, caplog):
    small_records.write(tmp_path, 60, shards=2)
    path = shard(tmp_path, 1)
    os.truncate(path, path.stat().st_size - 10)
    with caplog.at_level(logging.WARNING):
        samples = Samples(tmp_path)
    assert len(samples) == 59
    assert f"{path}: the record at byte" in caplog.text
    assert sorted({record_of(samples.sample(i)) for i in range(59)}) == list(range(59))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(InputError, match=r"1\d of the 60 records of .* too many to pass over"):
        Samples(tmp_path)


def test_a_wrong_length_is_not_trusted(tmp_path):
    small_records.write(tmp_path, 8, shards=1)
    path = shard(tmp_path, 0)
    with path.open("rb") as file:
        offset = list(tfrecord.offsets(file))[5]
    content = bytearray(path.read_bytes())
    length = struct.pack("<Q", 1 << 60)
    content[offset : offset + 12] = length + tfrecord.pack(b"")[8:12]
    path.write_bytes(content)
    assert len(Samples(tmp_path)) == 5
    # With a checksum that fits the claim: it still reaches beyond the file.
    content[offset : offset + 12] = length + tfrecord.pack(length)[-4:]
    path.write_bytes(content)
    assert len(Samples(tmp_path)) == 5


def test_missing_and_swapped_shards_are_said(tmp_path):
    small_records.write(tmp_path, 9, shards=3)
    shard(tmp_path, 0).write_bytes(shard(tmp_path, 0).read_bytes() * 2)
    with pytest.raises(InputError, match="holds 6 records and should hold 3"):
        Samples(tmp_path)
    shard(tmp_path, 0).unlink()
    with pytest.raises(InputError, match=r"00000-of-00003 cannot be read \(No such file"):
        Samples(tmp_path)


def test_too_many_faults_stop_with_one_sentence(tmp_path):
    bad = {number: spoiled(number, "no message") for number in range(0, 22, 2)}
    small_records.write(tmp_path, 30, shards=1, payloads=bad)
    samples = Samples(tmp_path, shuffle=False)
    for position in range(20):
        samples.sample(position)
    with pytest.raises(
        InputError, match=r"^11 of the 30 records of .*record 0: .*Example$"
    ) as error:
        samples.sample(20)
    assert "\n" not in str(error.value)


def test_one_percent_of_many_are_passed_over(folder):
    samples = Samples(folder)
    samples.source = type(
        "Many", (), {"name": "many", "__len__": lambda self: 5000, "place": None}
    )()
    samples.faults = dict.fromkeys(range(50), "bad")
    samples._check_limit()
    samples.faults[50] = "bad"
    samples.source.place = lambda index: f"record {index}"
    with pytest.raises(InputError, match="51 of the 5000 records"):
        samples._check_limit()


def test_nothing_readable_is_said(tmp_path):
    small_records.write(tmp_path, 3, payloads={i: spoiled(i, "no message") for i in range(3)})
    with pytest.raises(InputError, match=r"no record of .* can be read; the first is"):
        Samples(tmp_path).sample(0)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ({"height": 1 << 20, "width": 1 << 20}, "which is not believed"),
        ({"height": "24"}, "tells no sizes"),
        ({"frames": -3}, "tells no sizes"),
    ],
)
def test_claims_of_the_manifest_are_checked(layout, said, tmp_path):
    small_records.write(tmp_path, 2)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["layout"] |= layout
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=said):
        Samples(tmp_path)
