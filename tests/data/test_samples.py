"""Samples: pure functions of seed and position, by kind; damage is named, counted, replaced."""

import json
import logging
import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.data import small_records
from tests.data.small_records import SIZE, record_of, shard
from tfvfi.data import codecs, example, tfrecord
from tfvfi.data.benchmarks.sample import Benchmark, Picture, Sample
from tfvfi.data.samples import Samples
from tfvfi.data.sampling import Sampling
from tfvfi.errors import InputError

ALL_STEPS = (
    ("enlarge_twice", 0.3),
    ("translate", 0.05),
    ("rotate", (17.0, 5.0)),
    ("crop", 1.0),
    ("flip_vertically", 0.5),
    ("transpose", 0.5),
    ("gamma", 0.1),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_records.write(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return small_records.write(tmp_path_factory.mktemp("long"), count=6, frames=9, with_flow=True)


def test_an_epoch_holds_every_record_once_and_the_next_another_order(folder):
    samples = Samples(folder)
    first, second = ([record_of(samples.sample(20 * e + i)) for i in range(20)] for e in (0, 1))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != list(range(20))
    # Over all shards: the first records come from each.
    assert len({samples.describe(i).shard for i in range(8)}) == 3


def test_without_shuffling_the_order_is_that_of_the_files(folder):
    samples = Samples(folder, shuffle=False)
    shards = [record for number in range(3) for record in range(number, 20, 3)]
    assert [record_of(samples.sample(i)) for i in range(20)] == shards


def test_a_sample_follows_from_seed_and_position_alone(folder):
    one, other = (Samples(folder, augmentation=ALL_STEPS, crop_size=16, seed=5) for _ in range(2))
    for position in (25, 3, 25, 700):
        a, b = one.sample(position), other.sample(position)
        assert all(np.array_equal(a[name], b[name]) for name in a)
    third = Samples(folder, augmentation=ALL_STEPS, crop_size=16, seed=6)
    assert not np.array_equal(third.sample(3)["target"], one.sample(3)["target"])


def test_an_order_is_the_same_in_another_process(folder):
    code = (
        "from tfvfi.data import Samples; import sys;"
        f"samples = Samples({str(folder)!r}, seed=3); sample = samples.sample(41);"
        "print(float(sample['target'].sum()), [samples.record(i) for i in range(30)],"
        "[name for name in ('tensorflow', 'keras', 'av') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    samples = Samples(folder, seed=3)
    expected = float(samples.sample(41)["target"].sum())
    # The last list: reading records needs neither TensorFlow nor a decoder of video.
    assert said.stdout.strip() == f"{expected} {[samples.record(i) for i in range(30)]} []"


def test_describe_says_where_a_sample_comes_from(folder):
    samples = Samples(folder, seed=1)
    for position in range(20):
        record, place = record_of(samples.sample(position)), samples.describe(position)
        assert place.shard == str(shard(folder, record % 3))
        assert (place.index, place.start) == (record // 3, 100 + record)
        assert place.source == f"clip{record % 3}.mp4"


def test_validation_is_another_split(folder):
    assert len(Samples(folder, split="validation")) == 2
    with pytest.raises(InputError, match="no split 'test'; it has: train, validation"):
        Samples(folder, split="test")


def test_triplets_of_three_frames(folder):
    sample = Samples(folder).sample(0)
    record = record_of(sample)
    for name, frame in (("frame0", 0), ("target", 1), ("frame1", 2)):
        expected = small_records.image(record, frame) / np.float32(255)
        np.testing.assert_array_equal(sample[name], expected)
        assert sample[name].dtype == np.float32
    assert sample["time"] == 0.5 and sample["time"].dtype == np.float32


def test_triplets_of_more_frames_learn_all_inner_ones(long):
    samples, times = Samples(long), set()
    for position in range(60):
        sample = samples.sample(position)
        middle = round(float(sample["target"][..., 1].mean() * 25.5))
        assert sample["time"] == middle / 8
        assert sample["frame1"][0, 0, 1] == np.float32(80 / 255)
        expected = small_records.flow(record_of(sample), middle)
        np.testing.assert_array_equal(sample["flow"], expected)
        times.add(middle)
    assert times == set(range(1, 8))


def test_windows_are_all_frames_and_their_times(long):
    backwards = Samples(long, kind="window", augmentation=(("reverse_time", 1.0),))
    sample = Samples(long, kind="window").sample(0)
    assert sorted(sample) == ["frames", "times"]
    np.testing.assert_allclose(sample["times"], np.linspace(0, 1, 9))
    np.testing.assert_allclose(sample["frames"][:, 0, 0, 1] * 25.5, np.arange(9), rtol=1e-6)
    np.testing.assert_array_equal(backwards.sample(0)["frames"], sample["frames"][::-1])
    with pytest.raises(InputError, match="a window has all its frames"):
        Samples(long, kind="window", sampling=Sampling())


def test_times_of_a_record_are_those_told(tmp_path):
    uneven = small_records.example(0, frames=4)
    uneven = small_records.Example(**{**uneven.__dict__, "times": (0.0, 0.1, 0.75, 1.0)})
    small_records.write(tmp_path, 1, 4, 1, payloads={0: uneven.pack()})
    seen = {round(float(Samples(tmp_path).sample(i)["time"]), 6) for i in range(20)}
    assert seen == {0.1, 0.75}


def test_triplets_by_the_published_sampling(long):
    samples, seen = Samples(long, sampling=Sampling(num_interp=3, step_size=1)), set()
    assert "flow" not in samples.spec
    for position in range(80):
        sample = samples.sample(position)
        first, middle, last = (
            round(float(sample[name][..., 1].mean() * 25.5))
            for name in ("frame0", "target", "frame1")
        )
        assert abs(last - first) == 4
        assert sample["time"] == (middle - first) / (last - first)
        seen.add((first, last))
    assert {(0, 4), (4, 0), (4, 8), (8, 4)} <= seen and len(seen) == 10


def test_cycles_take_three_frames_in_a_row(long):
    samples, starts, times = Samples(long, kind="cycle"), set(), set()
    assert sorted(samples.spec) == ["frame0", "frame1", "frame2", "time"]
    for position in range(120):
        sample = samples.sample(position)
        frames = [
            round(float(sample[name][..., 1].mean() * 25.5))
            for name in ("frame0", "frame1", "frame2")
        ]
        assert frames[1] - frames[0] == frames[2] - frames[1] and abs(frames[1] - frames[0]) == 1
        starts.add(tuple(frames))
        times.add(float(sample["time"]) * 8)
    assert len(starts) == 14 and times == set(range(1, 8))


def test_pairs_are_neighbors_and_with_flow_an_inner_frame_and_an_end(folder, long):
    sample = Samples(folder, kind="pair").sample(0)
    green = [round(float(sample[name][..., 1].mean() * 25.5)) for name in ("frame0", "frame1")]
    assert green[1] == green[0] + 1 and sorted(sample) == ["frame0", "frame1"]
    samples, ends = Samples(long, kind="pair"), set()
    for position in range(40):
        sample = samples.sample(position)
        inner, end = (
            round(float(sample[name][..., 1].mean() * 25.5)) for name in ("frame0", "frame1")
        )
        flow = small_records.flow(record_of(sample), inner)[..., :2] if end == 0 else None
        flow = small_records.flow(record_of(sample), inner)[..., 2:] if end == 8 else flow
        np.testing.assert_array_equal(sample["flow"], flow)
        ends.add(end)
    assert ends == {0, 8}


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
def test_every_encoding_is_read(encoding, tmp_path):
    small_records.write(tmp_path, 2, encoding=encoding)
    sample = Samples(tmp_path, shuffle=False).sample(0)
    expected = small_records.image(0, 1) / np.float32(255)
    assert np.abs(sample["target"] - expected).max() <= (0 if encoding == "png" else 0.06)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"crop_size": SIZE + 1},
            "a crop of 25x25 does not fit into the records' patches of 24x24",
        ),
        ({"crop_size": (8, 25)}, "a crop of 25x8 does not fit"),
        ({"crop_size": 0}, "crop_size is a side"),
        ({"crop_size": (8, 8, 3)}, "crop_size is a side"),
        ({"kind": "triple"}, "kind is one of triplet, cycle, pair, window. Received: 'triple'"),
        ({"seed": -1}, "seed is a whole number from 0 on"),
        (
            {"kind": "cycle", "sampling": Sampling()},
            "records of 3 frames are too short for 'cycle'",
        ),
        ({"sampling": Sampling(num_interp=7)}, "records of 3 frames are too short for 'triplet'"),
        ({"sampling": Sampling(sample_rate=0)}, "a triplet needs a true frame"),
        ({"kind": "pair", "sampling": Sampling()}, "leave sampling out"),
        ({"augmentation": (("mirror", 1),)}, "there is no augmentation 'mirror'"),
        ({"augmentation": (("transpose", 1),), "crop_size": (8, 9)}, "needs square patches"),
    ],
)
def test_what_does_not_suit_is_said_at_once(options, said, folder):
    with pytest.raises(InputError, match=said):
        Samples(folder, **options)


def test_records_of_two_frames_are_too_short_for_triplets(tmp_path):
    small_records.write(tmp_path, 2, frames=2)
    with pytest.raises(InputError, match="records of 2 frames are too short for 'triplet'"):
        Samples(tmp_path)
    assert Samples(tmp_path, kind="pair").spec["frame0"] == (SIZE, SIZE, 3)


def test_pairs_with_flow_are_not_reversed(long):
    """They lead either way already; reversed frames would go with the flow of the way there."""
    plain, reversing = (
        Samples(long, kind="pair", augmentation=steps) for steps in ((), (("reverse_time", 1.0),))
    )
    for position in range(8):
        for name, part in plain.sample(position).items():
            np.testing.assert_array_equal(reversing.sample(position)[name], part)


def test_no_records_are_said(tmp_path):
    with pytest.raises(InputError, match="is no finished records folder"):
        Samples(tmp_path)
    with pytest.raises(InputError, match="is no finished records folder"):
        Samples(tmp_path / "none")
    with pytest.raises(InputError, match=r"make records of videos with tools/create_records\.py"):
        Samples(7)


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


def old_record(number: int) -> bytes:
    """As the origin project wrote them: JPEG by TensorFlow, of BGR taken for RGB."""
    images = {
        f"img{1 + frame}": [
            cv2.imencode(
                ".jpg", small_records.image(number, frame), [cv2.IMWRITE_JPEG_QUALITY, 95]
            )[1].tobytes()
        ]
        for frame in range(3)
    }
    return tfrecord.pack(example.encode({**images, "height": [SIZE], "width": [SIZE]}))


def test_old_records_are_read_in_their_true_colors(tmp_path):
    path = tmp_path / "clip_3.tfrecord"
    path.write_bytes(b"".join(old_record(number) for number in range(0, 250, 50)))
    for records in (path, tmp_path):
        samples = Samples(records, shuffle=False, crop_size=16)
        assert len(samples) == 5 and samples.spec["target"] == (16, 16, 3)
        for position in range(5):
            sample = samples.sample(position)
            assert abs(record_of(sample) - 50 * position) <= 3
            assert sample["time"] == 0.5
    assert samples.describe(3).index == 3
    with pytest.raises(InputError, match="old records, which are all 'train'"):
        Samples(path, split="validation")


def test_a_file_that_holds_no_records_is_said(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(b"not a record at all")
    with pytest.raises(InputError, match="holds no whole record"):
        Samples(tmp_path)
    (tmp_path / "a.tfrecord").write_bytes(tfrecord.pack(b"\x01\x02"))
    with pytest.raises(InputError, match="no img1, img2, img3"):
        Samples(tmp_path)


@pytest.fixture
def benchmark(tmp_path):
    for name in range(3):
        for frame in range(3):
            depth = 257 if name == 1 else 1
            image = small_records.image(name, frame)[..., ::-1].astype(np.uint16) * depth
            image = image if name == 1 else image.astype(np.uint8)
            cv2.imwrite(str(tmp_path / f"{name}_{frame}.png"), image)

    def sample(key: int) -> Sample:
        return Sample.evenly(f"{key}", [Picture(tmp_path / f"{key}_{i}.png") for i in range(3)])

    return Benchmark("three", range(3), sample)


def test_a_benchmark_feeds_training(benchmark, tmp_path):
    samples = Samples(benchmark, crop_size=8)
    seen = {record_of(samples.sample(position)): samples.sample(position) for position in range(3)}
    assert sorted(seen) == [0, 1, 2]
    assert seen[1]["target"].max() <= 1, "16 bits are brought into range"
    assert samples.describe(0).shard == "three"
    (tmp_path / "0_2.png").unlink()
    samples = Samples(benchmark, crop_size=8)
    assert {record_of(samples.sample(position)) for position in range(3)} == {1, 2}
    assert "No such file" in samples.faults[0]


def test_a_benchmark_by_name_trains_and_validates(tmp_path):
    for key, split in (("00001/0001", "train"), ("00001/0002", "test")):
        folder = tmp_path / "sequences" / key
        folder.mkdir(parents=True)
        for number in (1, 2, 3):
            cv2.imwrite(str(folder / f"im{number}.png"), np.zeros((16, 16, 3), np.uint8))
        (tmp_path / f"tri_{split}list.txt").write_text(f"{key}\n")
    named = f"vimeo90k:{tmp_path}"
    assert Samples(named).describe(0).source == "00001/0001"
    assert Samples(named, split="validation").describe(0).source == "00001/0002"
    with pytest.raises(InputError, match="middlebury is a test set"):
        Samples(f"middlebury:{tmp_path}")
    with pytest.raises(InputError, match="vimeo90k is not in nowhere: there is no such folder"):
        Samples("vimeo90k:nowhere")
    video = Path(__file__).parent.parent.parent / "samples" / "clip.mp4"
    with pytest.raises(InputError, match=r"tools/create_records\.py\. Received: Clips"):
        Samples(f"video:{video}")
