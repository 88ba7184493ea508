"""What the doors of an export let in, whatever network is behind them."""

import struct
import types
import zlib

import numpy as np
import pytest
import tensorflow as tf

from tfvfi import registry
from tfvfi.export import check, files
from tfvfi.export.signatures import FLOAT_PAIR, TIME, signatures

NOISE = np.random.default_rng(0).integers(0, 255, (2, 9, 13, 3), "uint8")
PNG, OTHER = (tf.io.encode_png(frame).numpy() for frame in NOISE)
JPEG = tf.io.encode_jpeg(NOISE[0]).numpy()
LOW = tf.io.encode_png(NOISE[0, :5]).numpy()


def doors(times, encoded_as="png"):
    """Signatures whose network is the mean of both frames."""
    model = types.SimpleNamespace(name="some", times=times)
    mean = tf.function(lambda frame0, frame1, time: (frame0 + frame1) / 2)
    compute = mean.get_concrete_function(*(FLOAT_PAIR | TIME).values())
    return {k: door.function for k, door in signatures(model, compute, encoded_as).items()}


@pytest.fixture(scope="module")
def any_time():
    return doors("any")


def png_of(width, height):
    """A small file that says it is a large picture."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        files.PNG
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def jpeg_of(width, height):
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def between(door, first, second, times):
    inputs = {"frame0_bytes": tf.constant(first), "frame1_bytes": tf.constant(second)}
    return door["interpolate_encoded"](**inputs, time=tf.constant(times, tf.float32))


def test_files_of_both_kinds_come_back_as_png(any_time):
    answers = between(any_time, [PNG, JPEG], [OTHER, PNG], [0.5, 0.5])["frame_bytes"].numpy()
    wanted = NOISE.astype(float).mean(axis=0)
    assert np.abs(tf.io.decode_png(answers[0]).numpy() - wanted).max() <= 0.5
    assert all(answer.startswith(files.PNG) for answer in answers)


def test_files_come_back_as_jpeg_when_asked_for():
    (answer,) = between(doors("any", "jpeg"), [PNG], [OTHER], [0.5])["frame_bytes"].numpy()
    assert answer.startswith(files.JPEG)


@pytest.mark.parametrize(
    ("first", "second", "times", "said"),
    [
        ([b""], [PNG], [0.5], "is sent as a PNG or JPEG file"),
        ([PNG[:20]], [PNG], [0.5], "is sent as a PNG or JPEG file"),
        ([b"GIF89a" + bytes(60)], [PNG], [0.5], "is sent as a PNG or JPEG file"),
        ([PNG[:60]], [PNG], [0.5], "Invalid PNG"),
        ([JPEG[:60]], [PNG], [0.5], "Invalid JPEG"),
        ([png_of(100_000, 100_000)], [PNG], [0.5], "may have 33554432 pixels together"),
        ([png_of(2**31 + 1, 1)], [png_of(2**31 + 1, 1)], [0.5], "Invalid PNG"),
        ([jpeg_of(65_000, 65_000)], [PNG], [0.5], "may have 33554432 pixels together"),
        ([png_of(5000, 5000)] * 2, [PNG] * 2, [0.5] * 2, "may have 33554432 pixels together"),
        ([PNG, LOW], [PNG, LOW], [0.5, 0.5], "all of one height and width"),
        ([PNG], [LOW], [0.5], "as many frames, of one size"),
        ([PNG], [PNG, PNG], [0.5], "as many frames, of one size"),
        ([PNG], [PNG], [0.5, 0.5], "one number for each pair"),
    ],
)
def test_files_that_are_no_pair_are_refused_before_they_unfold(
    any_time, first, second, times, said
):
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        between(any_time, first, second, times)


def test_no_files_are_refused(any_time):
    none = tf.zeros([0], tf.string)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have files"):
        any_time["interpolate_encoded"](frame0_bytes=none, frame1_bytes=none, time=tf.zeros([0]))


@pytest.mark.parametrize(
    ("first", "second", "times", "said"),
    [
        ((1, 9, 13, 3), (1, 9, 12, 3), [0.5], "of one size"),
        ((2, 9, 13, 3), (1, 9, 13, 3), [0.5, 0.5], "as many frames"),
        ((0, 9, 13, 3), (0, 9, 13, 3), [], "not empty"),
        ((1, 0, 13, 3), (1, 0, 13, 3), [0.5], "not empty"),
        ((2, 9, 13, 3), (2, 9, 13, 3), [0.5], "one number for each pair"),
        ((1, 9, 13, 3), (1, 9, 13, 3), [1.5], "some answers time from 0 to 1 only"),
        ((1, 9, 13, 3), (1, 9, 13, 3), [np.nan], "some answers time from 0 to 1 only"),
    ],
)
def test_numbers_that_are_no_pair_are_refused(any_time, first, second, times, said):
    time = tf.constant(times, tf.float32)
    for name, dtype in (("serving_default", tf.float32), ("interpolate_uint8", tf.uint8)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=said):
            any_time[name](frame0=tf.zeros(first, dtype), frame1=tf.zeros(second, dtype), time=time)


def test_weights_for_some_times_refuse_another():
    serve = doors((0.25, 0.5))["serving_default"]
    frame = tf.zeros([2, 9, 13, 3])
    serve(frame0=frame, frame1=frame, time=tf.constant([0.5, 0.25]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"answers time 0\.25, 0\.5 only"):
        serve(frame0=frame, frame1=frame, time=tf.constant([0.5, 0.75]))


def test_a_signature_that_gives_another_frame_is_found():
    model = registry.build("flow_interpolation")
    inputs = check._in_other_forms(model, "png")
    frames = np.zeros((2, 37, 50, 3), "uint8")
    images = np.array([tf.io.encode_png(frame).numpy() for frame in frames])
    answers = {
        "interpolate_uint8": {"frame": frames},
        "interpolate_encoded": {"frame_bytes": images},
    }
    assert set(inputs) == set(answers)
    same = {
        name: check._same_in_other_form(model, name, inputs[name], answers, 2e-4) for name in inputs
    }
    # Black is no frame of the model's; both agree on it.
    assert same == {"interpolate_uint8": False, "interpolate_encoded": True}
    answers["interpolate_encoded"]["frame_bytes"] = images[:1]
    assert not check._same_in_other_form(
        model, "interpolate_encoded", inputs["interpolate_encoded"], answers, 2e-4
    )
