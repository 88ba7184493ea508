"""Backward warping against the samplers of published networks, and at its edges."""

import numpy as np
import pytest
from keras import ops as keras_ops

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.errors import InputError


def warp(padding="border", grid="pixel"):
    return lambda image, flow: ops.backward_warp(image, flow, padding=padding, grid=grid)


def scene(channels=3, batch=2, height=7, width=9, spread=4.0, seed=0):
    random = np.random.default_rng(seed)
    image = random.normal(size=(batch, height, width, channels)).astype("float32")
    flow = random.normal(0, spread, size=(batch, height, width, 2)).astype("float32")
    return image, flow


@pytest.mark.parametrize(
    ("variant", "padding", "grid"),
    [
        ("zeros", "zeros", "pixel"),
        ("masked", "masked", "pixel"),
        ("halfpixel", "zeros", "half_pixel"),
    ],
)
def test_zeros_variants(form, tracing, golden, variant, padding, grid):
    arrays = golden("backwarp")
    inputs = [arrays["r_x"], arrays["r_flow"]]
    out, gradients = value_and_gradients(warp(padding, grid), inputs, arrays["r_g"], **tracing)
    assert_close(out, arrays[f"r_{variant}_out"], 1e-5)
    assert_close(gradients[0], arrays[f"r_{variant}_dx"], 1e-4)
    assert_close(gradients[1], arrays[f"r_{variant}_dflow"], 1e-4)


@pytest.mark.parametrize("variant", ["zeros", "masked"])
def test_whole_number_flows(form, golden, variant):
    arrays = golden("backwarp")
    out = to_numpy(warp(variant)(arrays["i_x"], arrays["i_flow"]))
    assert_close(out, arrays[f"i_{variant}_out"], 1e-5)


@pytest.mark.parametrize("case", ["small", "leave"])
def test_border_with_every_gradient(form, tracing, golden, case):
    arrays = {key[4:]: array for key, array in golden("flownet2").items() if key[:3] == "res"}
    inputs = [arrays[f"{case}_img"], arrays[f"{case}_flow"]]
    out, gradients = value_and_gradients(warp(), inputs, arrays[f"{case}_gout"], **tracing)
    assert_close(out, arrays[f"{case}_out"], 1e-5)
    assert_close(gradients[0], arrays[f"{case}_gimg"], 1e-4)
    assert_close(gradients[1], arrays[f"{case}_gflow"], 1e-4)


def test_border_of_ifrnet(form, golden):
    arrays = golden("ifrnet")
    out = to_numpy(ops.backward_warp(arrays["warp_img"], arrays["warp_flow"]))
    assert_close(out, arrays["warp_out"], 1e-5)


@pytest.mark.parametrize(
    ("array", "grid"),
    [
        ("nvidia_out", "pixel"),
        ("nvidia_out_align_false", "unaligned"),
        ("paliwal_out", "off_by_one"),
        ("paliwal_out_align_false", "off_by_half"),
    ],
)
def test_super_slomo_samplers(form, golden, array, grid):
    arrays = golden("superslomo")
    network = array.split("_")[0]
    image, flow = arrays[f"{network}_im"], arrays[f"{network}_flow"]
    out = to_numpy(ops.backward_warp(image, flow, padding="zeros", grid=grid))
    # The published code's own float32 positions are off by up to 1e-5 of a pixel.
    scale = np.abs(image).max()
    assert_close(out / scale, arrays[array] / scale, 3e-5)


@pytest.mark.parametrize("padding", ["border", "zeros", "masked"])
@pytest.mark.parametrize("channels", [1, 3, 5, 16, 33])
def test_any_channel_count_against_plain_loops(form, padding, channels):
    image, flow = scene(channels)
    out = to_numpy(warp(padding)(image, flow))
    expected = np.zeros_like(image)
    batch, height, width, _ = image.shape
    for n, y, x in np.ndindex(batch, height, width):
        at_x, at_y = x + flow[n, y, x, 0], y + flow[n, y, x, 1]
        x0, y0, inside = int(np.floor(at_x)), int(np.floor(at_y)), 0.0
        for column, row in ((x0, y0), (x0 + 1, y0), (x0, y0 + 1), (x0 + 1, y0 + 1)):
            weight = (1 - abs(at_x - column)) * (1 - abs(at_y - row))
            if 0 <= column < width and 0 <= row < height:
                inside += weight
            elif padding != "border":
                continue
            pixel = image[n, min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
            expected[n, y, x] += weight * pixel
        if padding == "masked" and inside <= 0.999:
            expected[n, y, x] = 0
    assert_close(out, expected, 1e-5)


@pytest.mark.parametrize("padding", ["border", "zeros", "masked"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e10, -1e10, 3e38, -3e38])
def test_flows_that_are_no_place_or_far_away(form, tracing, padding, value):
    image, flow = scene(spread=1.0)
    flow[0, 2, 3, 0] = flow[1, 4, 5, 1] = value
    upstream = np.ones_like(image)
    out, gradients = value_and_gradients(warp(padding), [image, flow], upstream, **tracing)
    assert np.isfinite(gradients[0]).all() and np.isfinite(gradients[1]).all()
    assert gradients[1][0, 2, 3, 0] == gradients[1][1, 4, 5, 1] == 0
    touched = np.zeros(image.shape[:3], bool)
    touched[0, 2, 3] = touched[1, 4, 5] = True
    assert np.isfinite(out[~touched]).all()
    if padding != "border":
        assert (out[touched] == 0).all()
    elif np.isnan(value):
        assert np.isnan(out[touched]).all()
    else:
        # The same as leaving the frame by a little more than its size.
        near = flow.copy()
        near[0, 2, 3, 0] = near[1, 4, 5, 1] = np.sign(value) * 20
        assert_close(out, to_numpy(warp(padding)(image, near)), 1e-6)


def test_a_whole_position_has_the_right_hand_derivative(form):
    image = np.array([1, 3, 9], "float32").reshape(1, 1, 3, 1)
    flow = np.zeros((1, 1, 3, 2), "float32")
    ones = np.ones_like(image)
    _, border = value_and_gradients(warp("border"), [image, flow], ones)
    _, zeros = value_and_gradients(warp("zeros"), [image, flow], ones)
    np.testing.assert_array_equal(border[1][0, 0, :, 0], [2, 6, 0])
    np.testing.assert_array_equal(zeros[1][0, 0, :, 0], [2, 6, -9])
    np.testing.assert_array_equal(zeros[1][0, 0, :, 1], [-1, -3, -9])


@pytest.mark.parametrize("grid", ["half_pixel", "off_by_one", "unaligned", "off_by_half"])
def test_frames_one_pixel_wide_give_numbers(form, grid):
    image, flow = scene(height=5, width=1)
    out, gradients = value_and_gradients(warp("zeros", grid), [image, flow], np.ones_like(image))
    assert np.isfinite(out).all() and np.isfinite(gradients[1]).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_reads_exact_places(dtype):
    # 1999.5 is no bfloat16 number: positions in half precision would miss by pixels.
    width = 2048
    image = keras_ops.cast(np.arange(width).reshape(1, 1, width, 1) % 2, dtype)
    flow = np.zeros((1, 1, width, 2), "float32")
    flow[..., 0] = 0.25
    out = ops.backward_warp(image, flow)
    assert keras_ops.dtype(out) == dtype
    expected = np.where(np.arange(width) % 2, 0.75, 0.25)
    np.testing.assert_array_equal(to_numpy(out)[0, 0, :-1, 0], expected[:-1])


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 24, 35])
def test_half_precision_rounds_once(form, channels):
    draw = np.random.default_rng(channels)
    image = keras_ops.cast(draw.normal(size=(2, 9, 150, channels)), "bfloat16")
    flow = 5 * draw.normal(size=(2, 9, 150, 2)).astype("float32")
    single = keras_ops.cast(image, "float32")
    expected = keras_ops.cast(ops.backward_warp(single, flow), "bfloat16")
    np.testing.assert_array_equal(to_numpy(ops.backward_warp(image, flow)), to_numpy(expected))


def test_portable_is_left_again():
    with ops.portable(), ops.portable():
        pass
    assert ops.dispatch.native_allowed()


@pytest.mark.parametrize(
    ("image", "flow", "options"),
    [
        (np.zeros((4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32"), {}),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 3), "float32"), {}),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 5, 2), "float32"), {}),
        (np.zeros((1, 4, 4, 3), "uint8"), np.zeros((1, 4, 4, 2), "float32"), {}),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32"), {"padding": "x"}),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32"), {"grid": "x"}),
    ],
)
def test_wrong_inputs_are_named(image, flow, options):
    with pytest.raises(InputError, match="Received: "):
        ops.backward_warp(image, flow, **options)
