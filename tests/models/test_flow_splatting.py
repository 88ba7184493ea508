"""Splatting without a network: what lands, what wins, and what fills the holes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import tfvfi
from tests.conftest import psnr
from tests.models.known_flow import Known, moving_square, smooth_noise
from tests.models.shared import GOLDEN
from tests.pictures import texture
from tfvfi import registry, weights
from tfvfi.errors import InputError
from tfvfi.models.flow_interpolation.network import FlowInterpolation
from tfvfi.models.flow_interpolation.splatting import ALPHA, brightness_constancy

# Where the moving square's frames show ground that one of them hides, a pixel from its edges.
UNCOVERED, COVERED = np.s_[32:64, 41:51], np.s_[32:64, 89:99]
SQUARE = np.s_[32:64, 53:87]


def splatted(frames, there, back, times=(0.5,)):
    """The frames that known flows give, and how much of each source arrived."""
    model = FlowInterpolation(flow=Known(there, back), mode="splat")
    first, second = (frame[None].astype("float32") / 255 for frame in frames)
    out = model({"frame0": first, "frame1": second, "time": np.float32(times)})
    return {name: ops.convert_to_numpy(value)[0] for name, value in out.items()}


@pytest.mark.parametrize("level", [None, 0])
def test_a_moving_square_keeps_its_color(level):
    """Also black, which says nothing about holes."""
    square = smooth_noise(48, 48)[:36, :36].astype("uint8")
    if level is not None:
        square[:] = level
    (first, truth, second), there, back = moving_square(square)
    out = splatted((first, second), there, back)
    error = np.abs(255 * out["frame"] - truth)
    for region in (UNCOVERED, COVERED):
        assert error[region].max() < 0.01
    # Ground that the square will hide lands there too, and counts where its color is alike.
    assert psnr(255 * out["frame"][SQUARE], truth[SQUARE]) > 35
    # Uncovered ground is in the second frame alone, where the first leaves a hole.
    assert out["arrived0"][UNCOVERED].max() == 0 and out["arrived1"][UNCOVERED].min() == 1
    assert out["arrived1"][COVERED].max() == 0 and out["arrived0"][COVERED].min() == 1


@pytest.fixture(scope="module")
def stored():
    """What the origin made of two frames with a black patch in them."""
    with np.load(GOLDEN / "softsplat" / "anime.npz") as arrays:
        return dict(arrays)


def test_the_operation_splats_as_the_origin_does(stored):
    image, metric = (
        stored["frame_a"][None].astype("float32") / 255,
        stored["metric"][None, ..., None],
    )
    for at, time in enumerate(stored["times"]):
        flow = np.float32(time) * stored["flow"][None]
        ours = tfvfi.ops.softmax_splat(image, flow, -20 * metric, normalizer="zero")
        np.testing.assert_allclose(np.asarray(ours)[0], stored[f"splat_{at}"], atol=2e-6)


def test_black_is_no_hole(stored):
    """The origin takes every black pixel for a hole, and blends what lies there in both frames."""
    for at, time in enumerate(stored["times"]):
        theirs = stored[f"splat_{at}"]
        landed = tfvfi.ops.splat(
            np.ones((1, 64, 96, 1), "float32"), np.float32(time) * stored["flow"][None]
        )
        black = (255 * theirs < 1).all(axis=-1) & (np.asarray(landed)[0, ..., 0] > 0.5)
        assert black.sum() > 100
        assert stored[f"hole_{at}"][black].all()
        assert stored[f"frame_{at}"][black].max() > 100

        # The second frame's pixels go away, as they are not splatted there.
        frames, away = [stored[f"frame_{end}"] for end in "ab"], np.full((64, 96, 2), 1e4)
        ours = splatted(frames, stored["flow"], away, times=(time,))["frame"]
        assert 255 * ours[black].max() < 30


def test_where_neither_frame_arrives_the_parents_are_blended():
    first, second = (smooth_noise(48, 96, seed) for seed in (1, 2))
    apart = np.zeros((48, 96, 2))
    apart[:, 48:, 0] = 40
    # Both frames open a gap of 20 columns at the same place: 48 to 68.
    back = np.zeros((48, 96, 2))
    back[:, :48, 0], back[:, 48:, 0] = -1e4, 40
    out = splatted((first, second), apart, back)
    hole = (out["arrived0"] + out["arrived1"])[..., 0] == 0
    assert hole[:, 50:66].all() and hole.mean() < 0.25
    blend = (first + second) / 2
    np.testing.assert_allclose(255 * out["frame"][hole], blend[hole], atol=0.01)


def test_the_metric_is_the_brightness_constancy():
    frame, other = (np.full((1, 32, 40, 3), level, "float32") for level in (0.25, 0.5))
    flow = np.zeros((1, 32, 40, 2), "float32")
    np.testing.assert_allclose(brightness_constancy(frame, other, flow), -ALPHA * 0.25, rtol=1e-5)
    np.testing.assert_allclose(brightness_constancy(frame, frame, flow), 0)


def test_the_metric_follows_the_flow_itself():
    """The origin's warps stretch it by W / (W - 1), and find differences where there are none."""
    frame = smooth_noise(48, 96)[None].astype("float32") / 255
    flow = np.broadcast_to(np.float32([8, -4]), (1, 48, 96, 2))
    metric = brightness_constancy(frame, np.roll(frame, (-4, 8), axis=(1, 2)), flow)
    np.testing.assert_allclose(np.asarray(metric)[:, 7:-2, 2:-11], 0, atol=1e-4)


def test_a_flow_that_is_no_number_is_a_hole():
    """The kernel that the origin uses has no guard against it."""
    first, second = (smooth_noise(48, 96, seed) for seed in (1, 2))
    flow = np.zeros((48, 96, 2))
    flow[10:20, 30:40] = np.nan
    flow[30:40, 50:60, 0] = np.inf
    out = splatted((first, first), flow, 0 * flow[::-1, ::-1])
    np.testing.assert_allclose(255 * out["frame"], first, atol=0.01)
    both = splatted((first, second), flow, flow)
    hole = np.s_[10:20, 30:40]
    assert both["arrived0"][hole].max() == both["arrived1"][hole].max() == 0
    np.testing.assert_allclose(255 * both["frame"][hole], (first + second)[hole] / 2, atol=0.01)
    assert np.isfinite(both["frame"]).all()


def test_where_pixels_meet_the_one_that_is_found_again_wins():
    """Both the square and the ground before it land in one place; the ground is hidden later."""
    square = smooth_noise(48, 48)[:36, :36].astype("uint8")
    (first, truth, second), there, back = moving_square(square)
    # Of the first frame alone: the second's pixels go away.
    out = splatted((first, second), there, np.full_like(back, 1e4))
    both = np.s_[32:64, 78:86]
    assert out["arrived0"][both].min() == 2
    assert psnr(255 * out["frame"][both], truth[both]) > 35
    average = (first[both].astype(float) + square[2:34, 26:34]) / 2
    assert psnr(average, truth[both]) < 25


def test_real_frames(half_frames):
    """Better than the average by far, and next to the other mode."""
    modes = [tfvfi.load("flow_interpolation", mode=mode) for mode in ("splat", "warp")]
    scores = []
    for start in range(0, 28, 7):
        first, truth, second = half_frames[start : start + 3]
        found = [model.interpolate(first, second)[0] for model in modes]
        scores.append([psnr(f, truth) for f in (*found, (first.astype(float) + second) / 2)])
    splat, warp, average = np.mean(scores, axis=0)
    assert splat > average + 1
    assert splat > warp - 0.5


def test_reversed_input_at_reversed_time_is_the_same_frame(half_frames):
    first, _, second = half_frames[4:7]
    model = tfvfi.load("flow_interpolation", mode="splat")
    (there,) = model.interpolate(first, second, times=(0.25,))
    (back,) = model.interpolate(second, first, times=(0.75,))
    assert psnr(there, back) > 60


def test_portable_equals_native(half_frames):
    """What is exported is made of stock operations."""
    first, _, second = half_frames[4:7]
    model = tfvfi.load("flow_interpolation", mode="splat")
    native = model.interpolate(first, second, times=(0.25, 0.5))
    with tfvfi.ops.portable():
        portable = tfvfi.load("flow_interpolation", mode="splat").interpolate(
            first, second, times=(0.25, 0.5)
        )
    for one, other in zip(native, portable, strict=True):
        assert psnr(one, other) > 60


def test_ends_are_the_frames():
    first, second = (smooth_noise(48, 96, seed) for seed in (1, 2))
    flow = np.random.default_rng(0).normal(0, 4, (48, 96, 2))
    for time, frame in ((0.0, first), (1.0, second)):
        out = splatted((first, second), flow, -flow, times=(time,))
        np.testing.assert_allclose(255 * out["frame"], frame, atol=0.01)


@pytest.mark.parametrize("name", ["flownet2_s", pytest.param("pwcnet", marks=pytest.mark.slow)])
def test_learned_flow_is_tuned_through_the_splatting(name):
    model = FlowInterpolation(flow=registry.build(name), mode="splat")
    inputs = {"frame0": texture(64, 64), "frame1": texture(64, 64, 3)}
    with tf.GradientTape() as tape:
        frame = model({**inputs, "time": np.float32([0.5])})["frame"]
        loss = tf.reduce_mean(tf.abs(frame - texture(64, 64, 1.5)))
    gradients = tape.gradient(loss, model.trainable_variables)
    reached = [gradient is not None and np.abs(gradient).max() > 0 for gradient in gradients]
    assert len(reached) > 20 and np.mean(reached) > 0.9
    found = model.interpolate(inputs["frame0"][0], inputs["frame1"][0], times=(0.3, 0.6))
    assert len(found) == 2 and np.isfinite(found).all()


def test_weights_of_the_flow(tmp_path):
    kept = registry.build("pwcnet")
    path = tmp_path / "flow.weights.h5"
    weights.save(kept, path)
    model = tfvfi.load("flow_interpolation", flow="pwcnet", flow_weights=path, mode="splat")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    for other in (model, again):
        for ours, theirs in zip(other.estimator.weights, kept.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(InputError, match=r"pwcnet comes without weights.*that is flow_weights$"):
        tfvfi.load("flow_interpolation", flow="pwcnet")
    with pytest.raises(InputError, match="this one is loaded"):
        tfvfi.load("flow_interpolation", flow=kept, flow_weights=path)
    with pytest.raises(InputError, match=r"flow is a flow estimator.*Received: 'pwcnet'"):
        FlowInterpolation(flow="pwcnet")


def test_an_unknown_mode_is_named():
    with pytest.raises(InputError, match=r"mode is one of warp, splat\. Received: 'spalt'"):
        tfvfi.load("flow_interpolation", mode="spalt")
