"""Frames read as splines: what they keep, and what they leave as it is."""

import numpy as np
import pytest
from keras import ops

from tests.pictures import texture
from tfvfi.ops import backward_warp, portable
from tfvfi.ops.dispatch import inference
from tfvfi.ops.spline import coefficients, read


def spline_warp(frame, flow):
    return read(coefficients(frame), frame, flow)[0]


def moved_waves(by):
    """Waves along x and y, in places between the pixels."""
    x, y = np.arange(64, dtype="float32") + by, np.arange(48, dtype="float32")[:, None] + by
    return np.repeat((np.sin(x) * np.cos(0.7 * y))[None, ..., None], 3, axis=-1)


def test_splines_keep_what_bilinear_sampling_blurs():
    frame, truth = moved_waves(0.0), moved_waves(0.5)[:, 4:-4, 4:-4]
    flow = np.full((1, 48, 64, 2), 0.5, "float32")
    bilinear = np.asarray(backward_warp(frame, flow))
    spline = np.asarray(spline_warp(frame, flow))
    wrong = [np.abs(found[:, 4:-4, 4:-4] - truth).max() for found in (bilinear, spline)]
    assert wrong[0] > 0.1 and wrong[1] < wrong[0] / 15


def test_splines_pass_through_the_pixels():
    frame = texture(16, 24)
    still = np.zeros((1, 16, 24, 2), "float32")
    assert np.abs(np.asarray(spline_warp(frame, still)) - frame).max() < 1 / 512
    moved = still + np.array([2, -1], "float32")
    found = np.asarray(spline_warp(frame, moved))
    assert np.abs(found[:, 1:, :-2] - frame[:, :-1, 2:]).max() < 1 / 512


def test_beyond_the_border_it_goes_on():
    frame = texture(16, 24)
    far = np.full((1, 16, 24, 2), -99.0, "float32")
    corner = np.broadcast_to(frame[:, :1, :1], frame.shape)
    np.testing.assert_allclose(spline_warp(frame, far), corner, atol=1 / 512)


def test_what_is_flat_stays_as_bright_as_it_is():
    frame = np.full((1, 16, 24, 3), 0.6, "float32")
    flow = np.random.default_rng(0).normal(size=(1, 16, 24, 2)).astype("float32") * 9
    warped = spline_warp(frame, flow)
    np.testing.assert_allclose(warped, frame, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (1, 5, 3, 3), (2, 16, 130, 3), (1, 9, 20, 5)])
def test_the_native_form_is_the_portable_one(shape):
    draw = np.random.default_rng(0)
    frame = ops.convert_to_tensor(draw.uniform(size=shape).astype("float32"))
    flow = draw.normal(0, 3, (*shape[:3], 2)).astype("float32")
    flow[0, 0, 0] = np.inf, -np.inf
    flow[-1, -1, -1] = 0.5, np.nan
    flow = ops.convert_to_tensor(flow)
    with portable():
        spline = coefficients(frame)
        expected = read(spline, frame, flow)
    with inference():
        np.testing.assert_allclose(coefficients(frame), spline, atol=2e-6)
        found = read(spline, frame, flow)
    # The portable form adds positions to what it subtracts again.
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
        one = np.asarray(one)
        assert np.isnan(one[-1, -1, -1]).all() and np.isfinite(one).sum() == one.size - shape[-1]
