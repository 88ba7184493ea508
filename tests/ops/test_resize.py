"""Resizing against PyTorch's values."""

import numpy as np
import pytest
from keras import ops as keras_ops

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.conftest import GOLDEN, assert_close
from tfvfi import ops
from tfvfi.errors import InputError

with np.load(GOLDEN / "resize.npz") as arrays:
    CASES = sorted(key.removesuffix("_out") for key in arrays.files if key.endswith("_out"))
INTERPOLATED = [case for case in CASES if not case.startswith("nearest")]
NEAREST = [case for case in CASES if case.startswith("nearest")]


def check(golden, case, tracing):
    arrays = golden("resize")
    mode, target = case.split("_")
    factor = tuple(map(int, target.split("x"))) if "x" in target else int(target) / 100

    def function(image):
        return ops.resize(
            image,
            factor,
            align_corners=mode == "corners",
            method="nearest" if mode == "nearest" else "bilinear",
        )

    image, upstream = arrays["image"], arrays[f"{case}_upstream"]
    out, (gradient,) = value_and_gradients(function, [image], upstream, **tracing)
    assert_close(out, arrays[f"{case}_out"], 1e-5)
    assert_close(gradient, arrays[f"{case}_gradient"], 1e-5)


@pytest.mark.parametrize("case", INTERPOLATED)
def test_pytorch(form, tracing, golden, case):
    check(golden, case, tracing)


@pytest.mark.parametrize("case", NEAREST)
def test_pytorch_nearest(tracing, golden, case):
    check(golden, case, tracing)


@pytest.mark.parametrize("percent", [200, 50, 80, 125, 800])
def test_ifrnet(form, golden, percent):
    arrays = golden("ifrnet")
    expected = arrays[f"resize_{percent:03d}"]
    image = arrays["warp_img"][:, :3, :4] if percent == 800 else arrays["warp_img"]
    assert_close(to_numpy(ops.resize(image, percent / 100)), expected, 1e-5)


@pytest.mark.parametrize("channels", [1, 5, 16, 33])
@pytest.mark.parametrize("align_corners", [False, True])
def test_any_channel_count_is_that_many_images(form, channels, align_corners):
    image = np.random.default_rng(0).normal(size=(2, 5, 6, channels)).astype("float32")
    together = to_numpy(ops.resize(image, (8, 7), align_corners))
    for channel in range(channels):
        alone = to_numpy(ops.resize(image[..., channel : channel + 1], (8, 7), align_corners))
        assert_close(together[..., channel : channel + 1], alone, 1e-6)


def test_a_size_that_floats_would_round_down(form, tracing):
    # 30 * 0.1 is 3, but a float32 0.1 makes it less than 3 in some orders of rounding.
    image = np.ones((1, 30, 60, 3), "float32")
    out, _ = value_and_gradients(
        lambda image: ops.resize(image, 0.1), [image], np.ones((1, 3, 6, 3), "float32"), **tracing
    )
    assert out.shape == (1, 3, 6, 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("target", [2, 1.5, (30, 4096)])
def test_half_precision_reads_exact_places(dtype, target):
    # Position 1000.25 is no bfloat16 number, and the ramp would have steps.
    ramp = np.repeat([[np.arange(2048) % 2]], 20, axis=1)[..., None]
    image = keras_ops.cast(ramp, dtype)
    out = ops.resize(image, target)
    assert keras_ops.dtype(out) == dtype
    expected = ops.resize(ramp.astype("float32"), target)
    np.testing.assert_allclose(to_numpy(out), to_numpy(expected), atol=4e-3)


@pytest.mark.skipif(not ops.native_available(), reason="needs the compiled operations")
@pytest.mark.parametrize("channels", [1, 2, 3, 12, 35])
def test_half_precision_rounds_once(channels):
    draw = np.random.default_rng(channels)
    image = keras_ops.cast(draw.normal(size=(2, 9, 15, channels)), "bfloat16")
    single = keras_ops.cast(image, "float32")
    expected = keras_ops.cast(ops.resize(single, 1.7), "bfloat16")
    np.testing.assert_array_equal(to_numpy(ops.resize(image, 1.7)), to_numpy(expected))


@pytest.mark.parametrize("target", [0, -1, float("nan"), "2", (4,), (4, 0), 0.01, None])
def test_wrong_targets_are_named(target):
    with pytest.raises(InputError, match="Received: "):
        ops.resize(np.zeros((1, 8, 8, 3), "float32"), target)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (np.zeros((8, 8, 3), "float32"), {}),
        (np.zeros((1, 8, 8, 3), "uint8"), {}),
        (np.zeros((1, 8, 8, 3), "float32"), {"method": "bicubic"}),
        (np.zeros((1, 8, 8, 3), "float32"), {"method": "nearest", "align_corners": True}),
    ],
)
def test_wrong_inputs_are_named(image, options):
    with pytest.raises(InputError, match="Received: "):
        ops.resize(image, 2, **options)
