"""What `interpolate` and `estimate` promise whatever the network: sizes, types, times, order."""

import keras
import numpy as np
import pytest
from keras import ops

from tfvfi.errors import InputError
from tfvfi.models import base
from tfvfi.models.base import FlowEstimator, Interpolator


class Fade(Interpolator):
    """Mixes by time, so that every answer is known; sides must divide by 8."""

    multiple = 8

    def __init__(self, ignores_time: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.ignores_time = ignores_time
        self.prepared = 0

    def prepare(self, frame0, frame1):
        self.prepared += 1
        assert all(side is None or side % 8 == 0 for side in frame0.shape[1:3])
        return {"pair": [frame0, frame1]}

    def render(self, prepared, time):
        time = ops.reshape(time, (-1, 1, 1, 1))
        time = 0.5 * ops.ones_like(time) if self.ignores_time else time
        frame0, frame1 = prepared["pair"]
        return {"frame": (1 - time) * frame0 + time * frame1}


class Shift(FlowEstimator):
    """Answers a flow of one pixel of the size it sees; sides must divide by 64."""

    multiple = 64

    def flow(self, frame0, frame1):
        return {"flow": ops.ones_like(frame0[..., :2])}


@pytest.fixture
def pair():
    draw = np.random.default_rng(3).integers
    return tuple(draw(0, 256, (17, 33, 3)).astype("uint8") for _ in range(2))


def mixed(a, b, time):
    return a + (b.astype("float64") - a) * time


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_type_in_is_type_out(pair, dtype):
    top = 1 if dtype.startswith("float") else np.iinfo(dtype).max
    a, b = ((frame / 255 * top).astype(dtype) for frame in pair)
    (frame,) = Fade().interpolate(a, b, times=(0.25,))
    assert frame.dtype == dtype and frame.shape == a.shape
    tolerance = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-6}.get(dtype, 0.51)
    np.testing.assert_allclose(frame.astype("float64"), mixed(a, b, 0.25), atol=tolerance)


def test_floats_are_clipped_to_the_range():
    a, b = np.full((8, 8, 3), -0.5, "float32"), np.full((8, 8, 3), 2.0, "float32")
    low, high = Fade().interpolate(a, b, times=(0.1, 0.9))
    assert low.min() == 0 and high.max() == 1


def test_frames_come_in_the_order_of_times(pair):
    times = (0.75, 0.0, 0.25, 1.0, 0.25)
    frames = Fade().interpolate(*pair, times=times)
    for frame, time in zip(frames, times, strict=True):
        np.testing.assert_allclose(frame, mixed(*pair, time), atol=0.51)
    np.testing.assert_array_equal(frames[1], pair[0])
    np.testing.assert_array_equal(frames[3], pair[1])


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 33), (64, 8), (5, 100)])
def test_any_size(size):
    a, b = np.zeros((*size, 3), "uint8"), np.full((*size, 3), 100, "uint8")
    (frame,) = Fade().interpolate(a, b)
    np.testing.assert_array_equal(frame, np.full((*size, 3), 50, "uint8"))


def test_times_beyond_memory_come_in_several_passes(pair, monkeypatch):
    times = tuple(np.linspace(0.1, 0.9, 7))
    at_once = Fade().interpolate(*pair, times=times)
    monkeypatch.setattr(base, "PIXELS_IN_ONE_PASS", 2 * 17 * 33)
    for ours, theirs in zip(Fade().interpolate(*pair, times=times), at_once, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_middle_only_network_reaches_dyadic_times_by_halving(pair):
    model = Fade(ignores_time=True, times=(0.5,))
    for time in (0.25, 0.625, 0.0625):
        (frame,) = model.interpolate(*pair, times=(time,))
        np.testing.assert_allclose(frame, mixed(*pair, time), atol=0.51)


def test_a_middle_only_network_refuses_thirds(pair):
    model = Fade(ignores_time=True, times=(0.5,), name="fade")
    with pytest.raises(InputError, match=r"fade answer time 0\.5 only.*received 0\.333"):
        model.interpolate(*pair, times=(0.25, 1 / 3))


@pytest.mark.parametrize("time", [-0.1, 1.5, float("nan")])
def test_times_outside_are_refused(pair, time):
    with pytest.raises(InputError, match=r"between 0 .* and 1"):
        Fade().interpolate(*pair, times=(time,))


def test_the_times_that_weights_answer_are_measured():
    assert Fade().measure_times() == "any"
    model = Fade(ignores_time=True)
    assert model.measure_times() == (0.5,) and model.times == (0.5,)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (np.zeros((8, 8), "uint8"), np.zeros((8, 8), "uint8"), r"height x width x 3.*\(8, 8\)"),
        (
            np.zeros((8, 8, 3), "int32"),
            np.zeros((8, 8, 3), "int32"),
            "uint8, uint16 or float.*int32",
        ),
        (np.zeros((8, 8, 3), "uint8"), np.zeros((8, 9, 3), "uint8"), r"one size.*\(8, 9, 3\)"),
        (np.zeros((0, 8, 3), "uint8"), np.zeros((0, 8, 3), "uint8"), "at least one pixel"),
        ([[0]], [[0]], "Received: list"),
    ],
)
def test_what_is_no_pair_is_refused(a, b, said):
    with pytest.raises(InputError, match=said):
        Fade().interpolate(a, b)


def test_a_call_checks_names_shapes_and_time():
    model = Fade(name="fade")
    frame = np.zeros((2, 16, 16, 3), "float32")
    with pytest.raises(InputError, match=r"dict of frame0, frame1, time.*\['frame0'\]"):
        model({"frame0": frame})
    with pytest.raises(InputError, match=r"divide by 8.*Received: frame0 of \(2, 15, 16, 3\)"):
        model({"frame0": frame[:, 1:], "frame1": frame, "time": np.zeros(2)})
    with pytest.raises(InputError, match=r"one shape\. Received"):
        model({"frame0": frame[:1], "frame1": frame, "time": np.zeros(2)})
    with pytest.raises(InputError, match=r"time must be \(batch,\)\. Received: \(2, 1\)"):
        model({"frame0": frame, "frame1": frame, "time": np.zeros((2, 1))})


def test_each_example_of_a_call_has_its_own_time():
    frame = np.ones((2, 16, 16, 3), "float32")
    out = Fade()({"frame0": 0 * frame, "frame1": frame, "time": np.array([0.25, 0.75])})
    np.testing.assert_allclose(ops.convert_to_numpy(out["frame"])[:, 0, 0, 0], [0.25, 0.75])


def test_estimate_scales_flow_with_the_size():
    frame = np.zeros((32, 100, 3), "uint8")
    flow = Shift().estimate(frame, frame)
    assert flow.shape == (32, 100, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(flow[0, 0], (100 / 128, 32 / 64), rtol=1e-6)


def test_frames_stay_float32_under_a_half_precision_policy():
    model = Fade(dtype=keras.DTypePolicy("mixed_bfloat16"))
    value = np.full((1, 8, 8, 3), 1 - 1 / 255, "float32")
    out = model({"frame0": value, "frame1": value, "time": np.zeros(1)})["frame"]
    np.testing.assert_allclose(ops.convert_to_numpy(out), value, rtol=1e-6)
