"""The format: what strangers read, what is checked, and what is not believed."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.data import small_records
from tfvfi.data import codecs, records, tfrecord
from tfvfi.data.records import Example, Records
from tfvfi.data.samples import Samples
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import pictures

# What a stranger does who has never heard of this package.
STRANGER = """
import json, sys
import tensorflow_datasets as tfds

told = []
for folder in sys.argv[1:]:
    builder = tfds.builder_from_directory(folder)
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    first = next(iter(tfds.as_numpy(builder.as_dataset(split="train", shuffle_files=False))))
    shapes = {name: value.shape for name, value in first.items() if hasattr(value, "shape")}
    told.append(dict(
        counts=counts, shapes=shapes, source=first["source"].decode(), start=int(first["start"]),
        times=first["times"].tolist(),
        mean=float(first["frames"].mean()) if first["frames"].dtype != object else None,
        flow=float(first["flow"][0, 0, 0, 3]) if "flow" in first else None,
    ))
assert not any(name.startswith("tfvfi") for name in sys.modules)
print(json.dumps(told))
"""


def test_tfds_reads_them_without_this_package(tmp_path):
    """In a process of its own, from a folder where the package cannot be found."""
    folders = [
        small_records.write(tmp_path / "png", frames=5, with_flow=True),
        small_records.write(tmp_path / "jpeg", encoding="jpeg"),
        small_records.write(tmp_path / "webp", encoding="webp"),
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, *map(str, folders)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    png, jpeg, webp = json.loads(done.stdout.splitlines()[-1])
    size = small_records.SIZE
    assert png["counts"] == {"train": 20, "validation": 2}
    assert png["shapes"]["frames"] == [5, size, size, 3]
    assert png["shapes"]["flow"] == [3, size, size, 4]
    assert png["times"] == [0, 0.25, 0.5, 0.75, 1]
    assert (png["source"], png["start"], png["flow"]) == ("clip0.mp4", 100, 2)
    frames = [small_records.image(0, frame) for frame in range(5)]
    assert png["mean"] == pytest.approx(np.mean(frames))
    assert jpeg["shapes"]["frames"] == [3, size, size, 3]
    assert jpeg["mean"] == pytest.approx(np.mean(frames[:3]), abs=1)
    # TFDS gives WebP as bytes.
    assert webp["shapes"]["frames"] == [3]


def test_examples_survive_packing():
    example = small_records.example(7, frames=4, with_flow=True)
    found = Example.unpack(example.pack())
    assert found.times == pytest.approx(example.times)
    assert replace(found, times=example.times) == example
    assert example.pack() == example.pack()


def test_images_and_flow_survive_encoding():
    image, flow = small_records.image(3, 1), small_records.flow(3, 1)
    size = image.shape[:2]
    np.testing.assert_array_equal(pictures.decode(codecs.encode_image(image), size), image)
    for encoding in ("jpeg", "webp"):
        near = pictures.decode(codecs.encode_image(image, encoding, 100), size)
        assert np.abs(near.astype(int) - image).mean() < 3
    np.testing.assert_array_equal(codecs.decode_flow(codecs.encode_flow(flow), *size), flow)


def test_flow_of_another_size_is_refused():
    """Bytes that swell to a gigabyte are not unpacked."""
    import zlib

    bomb = zlib.compress(bytes(1 << 20))
    for data in (bomb, b"no zlib", zlib.compress(b"short")):
        with pytest.raises(CorruptRecordError, match="flow that is not 24x24x4"):
            codecs.decode_flow(data, 24, 24)


@pytest.mark.parametrize("payload", [b"\xff\xff", b"", tfrecord.pack(b"")])
def test_a_payload_that_is_no_example_is_named(payload):
    with pytest.raises(CorruptRecordError, match=r"no tf\.train\.Example|lacks a feature"):
        Example.unpack(payload)


def test_the_manifest_tells_what_is_there(tmp_path):
    folder = small_records.write(tmp_path / "small", count=20, shards=3)
    found = Records(folder)
    assert found.splits == ("train", "validation")
    assert [shard.examples for shard in found.shards()] == [7, 7, 6]
    for number, shard in enumerate(found.shards()):
        content = (folder / shard.file).read_bytes()
        assert found.path("train", number) == str(folder / shard.file)
        assert shard.bytes == len(content)
        assert shard.sha256 == hashlib.sha256(content).hexdigest()
    assert sorted(one.start for one in found.examples()) == list(range(100, 120))


def test_a_shard_that_is_not_the_one_in_the_manifest_is_told(tmp_path):
    """Whole records throughout, so no checksum of a record tells."""
    folder = small_records.write(tmp_path / "small")
    other = small_records.write(tmp_path / "other", size=16)
    small_records.shard(folder, 1).write_bytes(small_records.shard(other, 1).read_bytes())
    found = Records(folder)
    assert found.differing() == found.differing(contents=False) == [found.path("train", 1)]
    small_records.shard(folder, 2).unlink()
    assert found.differing() == [found.path("train", 1), found.path("train", 2)]


def test_a_flipped_bit_is_told_by_the_contents(tmp_path):
    folder = small_records.write(tmp_path / "small")
    assert Records(folder).differing() == []
    content = bytearray(small_records.shard(folder, 0).read_bytes())
    content[len(content) // 2] ^= 1
    small_records.shard(folder, 0).write_bytes(content)
    assert Records(folder).differing(contents=False) == []
    assert Records(folder).differing() == [str(small_records.shard(folder, 0))]


def test_reading_a_small_dataset_compares_it_with_the_manifest(tmp_path, caplog):
    folder = small_records.write(tmp_path / "small")
    Samples(folder)
    assert not caplog.messages
    content = bytearray(small_records.shard(folder, 0).read_bytes())
    content[len(content) // 2] ^= 1
    small_records.shard(folder, 0).write_bytes(content)
    Samples(folder)
    assert caplog.messages == [
        f"{small_records.shard(folder, 0)} is not the file of which the manifest tells"
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"layout"', '"lay"'),
        lambda text: text.replace('"name": "small"', '"name": "../../etc"'),
        lambda text: text.replace('"train"', '"../train"'),
        lambda text: text.replace('"sha256"', '"sha1"'),
        lambda text: text.replace('"bytes": ', '"bytes": -'),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_told_in_a_sentence(tmp_path, damage):
    folder = small_records.write(tmp_path / "small")
    manifest = folder / "manifest.json"
    manifest.write_text(damage(manifest.read_text()))
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        Records(folder)


def test_a_shard_cannot_lie_elsewhere(tmp_path):
    """The manifest may claim any file name; the path follows from the split and the number."""
    folder = small_records.write(tmp_path / "small")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("small-train.tf", "/etc/small-train.tf"))
    assert Records(folder).path("train", 0) == str(small_records.shard(folder, 0))


def test_what_is_no_dataset_is_told(tmp_path):
    with pytest.raises(InputError, match=r"is no finished records folder .*create_records\.py"):
        Records(tmp_path)
    folder = small_records.write(tmp_path / "small")
    with pytest.raises(InputError, match="has no split 'test'; it has: train, validation"):
        Records(folder).shards("test")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("records/sample", "sample"),
        ("/a/Two Words-9/", "two_words_9"),
        ("8x", "records_8x"),
        ("gs://bucket/mine", "mine"),
        ("/", "records"),
        ("ünï", "n"),
    ],
)
def test_names_that_tfds_accepts(folder, name):
    assert records.dataset_name(folder) == name
