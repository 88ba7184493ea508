"""Variational flow: what it finds, at any size, and that it interpolates in an exported graph."""

import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tests.models.shared import psnr
from tests.pictures import texture
from tfvfi.models.variational import solver


@pytest.mark.parametrize("shift", [0.4, -1.3])
def test_the_solver_finds_a_motion_below_a_pixel(shift):
    frames = [solver.features(texture(48, 64, moved)) for moved in (0.0, shift)]
    flow = np.asarray(solver.solve(*frames, np.zeros((1, 48, 64, 2), "float32")))
    inside = flow[0, 8:-8, 8:-8]
    assert np.abs(np.median(inside, (0, 1)) - (shift, 0)).max() < 0.05
    assert np.abs(inside - (shift, 0)).mean() < 0.1


def test_frames_too_small_to_tell_motion_from_do_not_move():
    small = solver.features(texture(8, 8)), solver.features(texture(8, 8, 1.0))
    still = np.zeros((1, 8, 8, 2), "float32")
    np.testing.assert_array_equal(solver.solve(*small, still), still)


def test_the_flow_of_real_frames_brings_one_to_the_other(triplet):
    first, _, second = (frame.astype("float32")[None] / 255 for frame in triplet)
    flow = tfvfi.load("variational").estimate(first[0], second[0])
    warped = np.asarray(tfvfi.ops.backward_warp(second, flow[None]))
    assert psnr(warped, first) > psnr(second, first) + 5


def test_frames_of_many_sizes_one_after_the_other():
    """Graphs are traced for what the sizes have in common: here a coarsest height of one."""
    model = tfvfi.load("variational")
    for height, width in ((51, 140), (1, 1)):
        first, second = texture(height, width)[0], texture(height, width, 2.0)[0]
        flow = model.estimate(first, second)
        assert flow.shape == (height, width, 2) and np.isfinite(flow).all()


@pytest.mark.slow
def test_it_interpolates_in_a_graph_of_stock_operations():
    model = tfvfi.load("flow_interpolation", flow="variational")
    pair = [texture(64, 96), texture(64, 96, 2.0)]
    frame = tf.TensorSpec((None, None, None, 3))
    with tfvfi.ops.portable():
        graph = tf.function(model.frame_at_any_size).get_concrete_function(
            frame, frame, tf.TensorSpec((None,))
        )
    operations = {node.op for node in graph.graph.as_graph_def().node} | {
        node.op for part in graph.graph.as_graph_def().library.function for node in part.node_def
    }
    assert not [one for one in operations if one.startswith(("Tfvfi", "PyFunc", "EagerPyFunc"))]
    served = graph(*map(tf.constant, pair), tf.constant([0.5]))
    (expected,) = model.interpolate(pair[0][0], pair[1][0])
    np.testing.assert_allclose(served[0], expected, atol=1e-4)
