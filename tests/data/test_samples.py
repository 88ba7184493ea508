"""Samples: pure functions of seed and position, by kind."""

import subprocess
import sys

import numpy as np
import pytest

from tests.data import small_records
from tests.data.small_records import SIZE, record_of, shard
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
        ({"crop_size": 0}, "`crop_size` is a side"),
        ({"crop_size": (8, 8, 3)}, "`crop_size` is a side"),
        ({"kind": "triple"}, "`kind` is one of triplet, cycle, pair, window. Received: 'triple'"),
        ({"seed": -1}, "`seed` is a whole number from 0 on"),
        (
            {"kind": "cycle", "sampling": Sampling()},
            "records of 3 frames are too short for 'cycle'",
        ),
        ({"sampling": Sampling(num_interp=7)}, "records of 3 frames are too short for 'triplet'"),
        ({"sampling": Sampling(sample_rate=0)}, "a triplet needs a true frame"),
        ({"kind": "pair", "sampling": Sampling()}, "leave out `num_interp`"),
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
