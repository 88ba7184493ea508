"""Interpolation from flow: better than plain ways on real frames, right where truth is known."""

from collections.abc import Callable

import cv2
import keras
import numpy as np
import pytest
from keras import ops

import tfvfi
from tests.conftest import psnr
from tests.models.known_flow import Known, moving_square, smooth_noise
from tfvfi.errors import InputError
from tfvfi.models.flow_interpolation import network
from tfvfi.models.flow_interpolation.dis import DIS
from tfvfi.models.flow_interpolation.network import FlowInterpolation
from tfvfi.models.flow_interpolation.warping import consistency, fill_holes


def searched_once(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """DIS as OpenCV has it, down to single pixels."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setVariationalRefinementIterations(10)
    return search.calc(*(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (first, second)), None)


def mean_scores(frames: list[np.ndarray], starts: range, estimate: Callable) -> np.ndarray:
    """PSNR of our middle frame, of plain half-way warps along a flow and of the average."""
    model = tfvfi.load("flow_interpolation", flow="dis")
    scores = []
    for start in starts:
        first, truth, second = frames[start : start + 3]
        there, back = estimate(first, second), estimate(second, first)
        halves = [
            ops.convert_to_numpy(
                tfvfi.ops.backward_warp(image[None].astype("float32"), 0.5 * flow[None])
            )[0]
            for image, flow in ((first, back), (second, there))
        ]
        (ours,) = model.interpolate(first, second)
        candidates = (ours, np.rint(sum(halves) / 2), (first.astype(float) + second) / 2)
        scores.append([psnr(frame, truth) for frame in candidates])
    return np.mean(scores, axis=0)


def test_beats_averaging_and_plain_warping_on_real_frames(half_frames):
    ours, plain, average = mean_scores(half_frames, range(0, 28, 4), DIS().estimate)
    assert ours > plain
    assert ours > average + 1


@pytest.mark.slow
def test_beats_plain_warping_on_blurred_frames(clip_frames):
    """Of blurred frames, which splines do not help, plain means along our own flow are as good."""
    ours, plain, average = mean_scores(clip_frames, range(0, 28, 7), searched_once)
    assert ours > plain
    assert ours > average + 1


@pytest.mark.parametrize("time", [0.25, 0.5, 0.75])
def test_known_motion_is_followed_at_any_time(time):
    scene = smooth_noise(160, 256)
    crop = lambda x, y: scene[40 + y : 104 + y, 60 + x : 156 + x].astype("float32") / 255  # noqa: E731
    # The scene moves right and down, so the window on it moves left and up.
    first, second = crop(0, 0), crop(-8, -4)
    truth = crop(-round(8 * time), -round(4 * time))
    pan = np.full((64, 96, 2), (8, 4))
    model = FlowInterpolation(flow=Known(pan, -pan))
    (frame,) = model.interpolate(first, second, times=(time,))
    inside = np.s_[12:-12, 16:-16]
    np.testing.assert_allclose(frame[inside], truth[inside], atol=2e-3)


def test_flow_at_half_the_size_finds_the_same_motion():
    scene = smooth_noise(192, 320).astype("uint8")
    first, truth, second = (scene[24:150, 40 - 6 * at : 250 - 6 * at] for at in range(3))
    model = tfvfi.load("flow_interpolation", flow="dis", scale=0.5)
    (frame,) = model.interpolate(first, second)
    assert frame.shape == first.shape
    inside = np.s_[:, 16:-16]
    np.testing.assert_allclose(frame[inside].astype(int), truth[inside], atol=2)
    prepared = model.prepare(
        *(part[None, :, :].astype("float32") / 255 for part in (first, second))
    )
    flow = ops.convert_to_numpy(prepared["flow01"])[0]
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (12, 0), atol=0.3)
    # The flow that is written to files is the one that renders frames.
    np.testing.assert_allclose(model.estimate(first, second), flow, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (17, 33)])
def test_tiny_frames_at_a_quarter_of_the_size(size):
    a, b = np.zeros((*size, 3), "uint8"), np.full((*size, 3), 200, "uint8")
    (frame,) = tfvfi.load("flow_interpolation", scale=0.25).interpolate(a, b)
    assert frame.shape == a.shape and 0 < frame.mean() < 200


@pytest.mark.parametrize("scale", [0, -1, 9, "half", None, float("nan")])
def test_scales_that_cannot_be(scale):
    with pytest.raises(InputError, match="scale lies above 0 and not above 8"):
        tfvfi.load("flow_interpolation", scale=scale)


@pytest.mark.parametrize("size", [(61, 97), (64, 96)])
def test_the_automatic_scale_is_one_half_for_large_frames_only(size, monkeypatch):
    scene = smooth_noise(192, 320).astype("uint8")
    first, second = (scene[: size[0], 40 - by : 40 - by + size[1]] for by in (0, 3))
    models = {scale: tfvfi.load("flow_interpolation", scale=scale) for scale in ("auto", 1, 0.5)}

    def frames():
        return {scale: model.interpolate(first, second)[0] for scale, model in models.items()}

    found = frames()
    np.testing.assert_array_equal(found["auto"], found[1])
    assert (found["auto"] != found[0.5]).any()
    monkeypatch.setattr(network, "PIXELS_AT_FULL_SIZE", size[0] * size[1] - 1)
    found = frames()
    assert (found["auto"] != found[1]).any() and found["auto"].shape == first.shape
    assert psnr(found["auto"], found[0.5]) > 40
    assert tfvfi.load("flow_interpolation").scale == "auto"


def test_the_quick_search_finds_plain_motion():
    scene = smooth_noise(192, 320).astype("uint8")
    first, second = (scene[24:150, 40 - by : 250 - by] for by in (0, 12))
    estimator = tfvfi.load("dis_quick")
    assert type(estimator).from_config(estimator.get_config()).quick
    flow = estimator.estimate(first, second)
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (12, 0), atol=0.3)
    assert (flow != tfvfi.load("dis").estimate(first, second)).any()


def test_reversed_input_at_reversed_time_is_the_same_frame(triplet):
    first, _, second = triplet
    model = tfvfi.load("flow_interpolation")
    (there,) = model.interpolate(first, second, times=(0.25,))
    (back,) = model.interpolate(second, first, times=(0.75,))
    assert psnr(there, back) > 60


def test_content_seen_in_one_frame_comes_from_that_frame():
    """A square moves over a ground at rest: what it uncovers is only in the second frame."""
    square = smooth_noise(48, 48)[:36, :36].astype("uint8")
    (first, truth, second), there, back = moving_square(square)
    (frame,) = FlowInterpolation(flow=Known(there, back)).interpolate(first, second)

    for region in (np.s_[32:64, 41:51], np.s_[32:64, 89:99], np.s_[32:64, 54:86]):
        average = (first[region].astype(float) + second[region]) / 2
        assert psnr(frame[region], truth[region]) > psnr(average, truth[region]) + 6


def test_consistency_tells_occlusion():
    flow = np.zeros((1, 8, 8, 2), "float32")
    flow[..., 0] = 3.0
    back = -flow
    back[:, :, 6:] = 9.0
    seen = ops.convert_to_numpy(consistency(flow, back))[0, 0, :, 0]
    assert seen[:3].min() > 0.99 and seen[3:].max() < 0.02


def test_holes_are_filled_from_their_surroundings():
    total, weight = np.zeros((1, 40, 40, 2), "float32"), np.zeros((1, 40, 40, 1), "float32")
    total[:, :, :15], weight[:, :, :15] = 2.0, 1.0
    filled = ops.convert_to_numpy(fill_holes(total, weight))
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(filled, 2.0, atol=0.01)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 33)])
def test_tiny_frames(size):
    a, b = np.zeros((*size, 3), "uint8"), np.full((*size, 3), 200, "uint8")
    (frame,) = tfvfi.interpolate(a, b, model="flow_interpolation")
    assert frame.shape == a.shape and 0 < frame.mean() < 200


def test_dis_finds_a_shift():
    frame = smooth_noise(96, 160).astype("uint8")
    flow = DIS().estimate(frame, np.roll(frame, (2, 5), axis=(0, 1)))
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (5, 2), atol=0.3)


def test_dis_in_a_graph_is_refused_in_one_sentence():
    import tensorflow as tf

    model = tfvfi.load("flow_interpolation")
    spec = tf.TensorSpec((None, None, None, 3), tf.float32)
    graph = tf.function(
        lambda a, b: model({"frame0": a, "frame1": b, "time": tf.fill([1], 0.5)})["frame"]
    )
    # TensorFlow wraps what is raised while it traces.
    with pytest.raises(Exception, match="cannot become part of a graph"):
        graph.get_concrete_function(spec, spec)


def test_unknown_flow_lists_the_estimators():
    with pytest.raises(InputError, match=r"'diss' is no flow estimator; there are: dis"):
        tfvfi.load("flow_interpolation", flow="diss")


def test_config_round_trip():
    model = tfvfi.load("flow_interpolation")
    again = FlowInterpolation.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert keras.saving.get_registered_name(FlowInterpolation)
