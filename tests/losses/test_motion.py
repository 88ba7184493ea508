"""Losses of flow between two frames."""

import numpy as np

from tfvfi.losses import mutual_warping, total_variation


def test_frames_that_their_flows_exchange():
    noise = np.random.default_rng(0).uniform(size=(1, 6, 9, 3)).astype("float32")
    # Everything moves one pixel to the right; borders are repeated.
    frame0, frame1 = noise[:, :, 1:], noise[:, :, :-1]
    right = np.broadcast_to(np.array([1, 0], "float32"), (1, 6, 8, 2))
    onto0 = np.abs(frame1[:, :, -1] - frame0[:, :, -1]).sum()
    onto1 = np.abs(frame0[:, :, 0] - frame1[:, :, 0]).sum()
    expected = (onto0 + onto1) / frame0.size
    np.testing.assert_allclose(mutual_warping(frame0, frame1, right, -right), expected, rtol=1e-5)
    assert mutual_warping(frame0, frame1, -right, right) > 3 * expected


def test_a_sampler_of_ones_own():
    frame0, frame1 = np.zeros((1, 4, 4, 3), "float32"), np.ones((1, 4, 4, 3), "float32")
    flow = np.zeros((1, 4, 4, 2), "float32")
    loss = mutual_warping(frame0, frame1, flow, flow, warp=lambda frame, flow: frame / 2)
    np.testing.assert_allclose(loss, 0.5 + 1)


def test_variation_counts_both_directions_and_both_axes():
    flow = np.random.default_rng(0).normal(size=(2, 5, 7, 2)).astype("float32")
    expected = np.abs(np.diff(flow, axis=1)).mean() + np.abs(np.diff(flow, axis=2)).mean()
    np.testing.assert_allclose(total_variation(flow), expected, rtol=1e-6)
