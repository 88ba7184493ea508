"""Batches, as arrays and as a tf.data.Dataset: the same, exactly resumed, shared by workers."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.data import small_records
from tests.data.small_records import SIZE
from tfvfi.data import example, iterate, load, plain_errors, tfrecord
from tfvfi.data.batches import Plan
from tfvfi.errors import InputError

STEPS = (("flip_vertically", 0.5), ("translate", 0.05), ("gamma", 0.1), ("reverse_time", 0.5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_records.write(tmp_path_factory.mktemp("records"), frames=5, with_flow=True)


def arrays(batches, count: int) -> list[dict[str, np.ndarray]]:
    taken = list(itertools.islice(batches, count))
    return [{name: np.asarray(part) for name, part in batch.items()} for batch in taken]


def assert_same(found, expected) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert sorted(one) == sorted(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("kind", ["triplet", "cycle", "pair"])
def test_shapes_and_types_are_fixed(kind, folder):
    spec = load(folder, kind=kind, batch_size=4, crop_size=(8, 16)).element_spec
    frames = {
        "triplet": ("frame0", "target", "frame1"),
        "cycle": ("frame0", "frame1", "frame2"),
        "pair": ("frame0", "frame1"),
    }[kind]
    expected = {name: (4, 8, 16, 3) for name in frames}
    expected |= {} if kind == "pair" else {"time": (4,)}
    expected |= {"triplet": {"flow": (4, 8, 16, 4)}, "pair": {"flow": (4, 8, 16, 2)}}.get(kind, {})
    assert {name: tuple(part.shape) for name, part in spec.items()} == expected
    assert {part.dtype for part in spec.values()} == {tf.float32}


def test_windows_come_whole(folder):
    spec = load(folder, kind="window", batch_size=4, crop_size=(8, 16)).element_spec
    shapes = {name: tuple(part.shape) for name, part in spec.items()}
    assert shapes == {"frames": (4, 5, 8, 16, 3), "times": (4, 5)}


@pytest.mark.parametrize("kind", ["triplet", "cycle", "pair", "window"])
def test_tensorflow_gives_what_arrays_give(kind, folder):
    steps = STEPS[:3] if kind == "pair" else STEPS
    options = {"kind": kind, "batch_size": 3, "crop_size": 16, "augmentation": steps, "seed": 4}
    expected = arrays(iterate(folder, **options), 10)
    assert_same(arrays(load(folder, **options), 10), expected)
    assert_same(arrays(load(folder, **options), 10), expected)


def test_old_records_are_decoded_as_their_project_did(tmp_path):
    """By TensorFlow, and of BGR taken for RGB; OpenCV gives other levels."""
    random = np.random.default_rng(0)
    stored = [
        tf.io.encode_jpeg(random.integers(0, 256, (48, 40, 3), np.uint8), quality=95).numpy()
        for _ in range(3)
    ]
    features = {f"img{number}": [data] for number, data in enumerate(stored, start=1)}
    path = tmp_path / "clip_1.tfrecord"
    path.write_bytes(tfrecord.pack(example.encode({**features, "height": [48], "width": [40]})))
    (batch,) = arrays(load(path, batch_size=1, repeat=False), 1)
    for name, data in zip(("frame0", "target", "frame1"), stored, strict=True):
        expected = tf.io.decode_jpeg(data).numpy()[..., ::-1]
        np.testing.assert_array_equal(np.rint(batch[name][0] * 255), expected)


@pytest.mark.parametrize("read", [load, iterate])
def test_resuming_goes_on_exactly(read, folder):
    options = {"batch_size": 3, "augmentation": STEPS}
    unbroken = arrays(read(folder, **options), 25)
    for start in (1, 6, 7, 20):
        assert_same(arrays(read(folder, **options, start=start), 25 - start), unbroken[start:])


@pytest.mark.parametrize("read", [load, iterate])
def test_resuming_far_ahead_costs_nothing(read, folder):
    batch = arrays(read(folder, batch_size=2, start=10**9), 1)[0]
    assert batch["frame0"].shape == (2, SIZE, SIZE, 3)


@pytest.mark.parametrize("read", [load, iterate])
def test_workers_share_the_batches_of_one(read, folder):
    options = {"batch_size": 6, "augmentation": STEPS}
    whole = arrays(read(folder, **options), 8)
    for workers in (2, 3):
        shares = [
            arrays(read(folder, **options, worker=(number, workers)), 8)
            for number in range(workers)
        ]
        together = [
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            for parts in zip(*shares, strict=True)
        ]
        assert_same(together, whole)


@pytest.mark.parametrize("read", [load, iterate])
def test_one_epoch_ends_with_what_is_left(read, folder):
    options = {"repeat": False, "shuffle": False}
    sizes = [len(batch["time"]) for batch in read(folder, batch_size=8, **options)]
    assert sizes == [8, 8, 4]
    sizes = [len(batch["time"]) for batch in read(folder, batch_size=8, start=2, **options)]
    assert sizes == [4]
    assert list(read(folder, batch_size=8, start=3, **options)) == []
    sizes = [len(batch["time"]) for batch in read(folder, batch_size=8, worker=(1, 2), **options)]
    assert sizes == [4, 4], "an uneven last batch cannot be shared"
    sizes = [len(batch["time"]) for batch in read(folder, batch_size=5, **options)]
    assert sizes == [5] * 4


def test_epochs_without_end_have_full_batches_with_every_record(folder):
    batches = arrays(load(folder, batch_size=8), 5)
    seen = [round(float(red) * 255) for batch in batches for red in batch["frame0"][:, 0, 0, 0]]
    assert sorted(seen[:20]) == sorted(seen[20:]) == list(range(20))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 7, "worker": (0, 2)}, "cannot be shared evenly by 2 workers"),
        ({"batch_size": 0}, "a batch of 0"),
        ({"batch_size": "8"}, "batch_size is a whole number"),
        ({"start": -1}, "start is a number of batches"),
        ({"start": 1.5}, "start is a number of batches"),
        ({"worker": (2, 2)}, "worker is a number from 0"),
        ({"crop_size": 1000}, "a crop of 1000x1000 does not fit"),
    ],
)
@pytest.mark.parametrize("read", [load, iterate])
def test_what_does_not_suit_is_said_before_reading(read, options, said, folder):
    with pytest.raises(InputError, match=said):
        read(folder, **options)


def test_too_many_bad_records_stop_with_one_sentence(tmp_path):
    bad = dict.fromkeys(range(11), b"\xff" * 9)
    small_records.write(tmp_path, 30, payloads=bad)
    with (
        pytest.raises(InputError, match=r"^11 of the 30 records of .* cannot be read, .*Example$"),
        plain_errors(),
    ):
        arrays(load(tmp_path), 10)
    with pytest.raises(InputError, match="11 of the 30 records"):
        arrays(iterate(tmp_path), 10)


def test_other_errors_pass_through_unchanged():
    with pytest.raises(tf.errors.InvalidArgumentError), plain_errors():
        tf.reshape(tf.zeros(3), (2, 2))


def test_a_dataset_trains(folder):
    import keras

    inputs = {name: keras.Input((8, 8, 3), name=name) for name in ("frame0", "frame1")}
    output = keras.layers.Conv2D(3, 1)(keras.layers.Add()(list(inputs.values())))
    model = keras.Model(inputs, output)
    model.compile("sgd", "mae")
    batches = load(folder, batch_size=4, crop_size=8)
    pairs = batches.map(lambda batch: ({name: batch[name] for name in inputs}, batch["target"]))
    history = model.fit(pairs, steps_per_epoch=5, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_plan_counts_batches():
    assert [Plan(20, size, (0, 1), False).batches for size in (8, 5, 21)] == [3, 4, 1]
    assert Plan(20, 8, (0, 2), False).batches == 2
    assert Plan(20, 8).batches is None
