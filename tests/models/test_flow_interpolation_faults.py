"""The faults of the interpolation that flow interpolation descends from, and that it has none.

Its origin (vineeths96/Video-Interpolation-using-Deep-Optical-Flow) is known by stored results, for
frames and flows that are stored too. A test shows the fault there, then its absence here.
"""

import cv2
import numpy as np
import pytest
from keras import ops

from tests.conftest import psnr
from tests.models.shared import GOLDEN
from tfvfi.models.base import FlowEstimator
from tfvfi.models.flow_interpolation.network import FlowInterpolation
from tfvfi.models.flow_interpolation.warping import consistency, match


class Given(FlowEstimator):
    """Knows the flow from a frame, the same wherever it leads, and the flow to it."""

    traceable = False

    def __init__(self, first, forth, back):
        super().__init__()
        self.first, self.forth, self.back = first, forth, back

    def flow_at_any_size(self, frame0, frame1):
        is_first = np.array_equal(ops.convert_to_numpy(frame0)[0], self.first)
        return ops.convert_to_tensor((self.forth if is_first else self.back)[None])


class Pan(FlowEstimator):
    """Knows that everything moves right by a share of the width, at the size that it sees."""

    multiple = 64
    traceable = False

    def __init__(self, first, share):
        super().__init__()
        self.brightness, self.share = first.mean(), share

    def flow(self, frame0, frame1):
        values = ops.convert_to_numpy(frame0)
        sign = 1 if abs(values.mean() - self.brightness) < 1e-3 else -1
        flow = np.zeros((*values.shape[:3], 2), "float32")
        flow[..., 0] = sign * self.share * values.shape[2]
        return {"flow": ops.convert_to_tensor(flow)}


@pytest.fixture(scope="module")
def stored():
    with np.load(GOLDEN / "flownet2" / "interpolation.npz") as arrays:
        return dict(arrays)


def ours(stored, case, brighter=0):
    """What flow interpolation makes of a stored case, H x W x 3 RGB, uint8."""
    frames = [stored[f"{case}_frame{end}_bgr"][..., ::-1].astype("float32") for end in (0, 1)]
    frames = [np.minimum(frame + brighter, 255) / 255 for frame in frames]
    flows = [stored[f"{case}_flow_{way}"] for way in ("fwd", "bwd")]
    (frame,) = FlowInterpolation(flow=Given(frames[0], *flows)).interpolate(*frames)
    return np.rint(255 * frame).astype("uint8")


def texture(height, width, seed=5):
    noise = np.random.default_rng(seed).uniform(30, 225, (height // 8 + 1, width // 8 + 1, 3))
    return cv2.resize(noise.astype("float32"), (width, height), interpolation=cv2.INTER_CUBIC)


def moving(height, width, shifts):
    """Float frames in [0, 1] of one scene, moved right by so many pixels."""
    scene = texture(height, width + 2 * max(shifts)) / 255
    start = 2 * max(shifts)
    return [scene[:, start - shift : start - shift + width].clip(0, 1) for shift in shifts]


def published_occlusion(flow, back):
    """Occlusion as the origin looks it up: the target's column is taken for a row."""
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    row = np.clip(np.rint(columns + flow[..., 0]).astype(int), 0, height - 1)
    column = np.clip(np.rint(rows + flow[..., 1]).astype(int), 0, width - 1)
    return (np.abs(flow + back[row, column]) > 0.5).any(axis=-1)


def published_splat(first, second, flow):
    """The flow half way as the origin finds it: where several land, half-way colors choose."""
    height, width = first.shape
    found, best = np.full((height, width, 2), np.nan), np.full((height, width), np.inf)
    rows, columns = np.mgrid[:height, :width]
    row = np.rint(rows + 0.5 * flow[..., 1]).astype(int)
    column = np.rint(columns + 0.5 * flow[..., 0]).astype(int)
    lands = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    for pixel in map(tuple, np.argwhere(lands)):
        to = row[pixel], column[pixel]
        error = (second[to] - first[pixel]) ** 2
        if error < best[to]:
            best[to], found[to] = error, flow[pixel]
    return found


def test_color_is_interpolated_not_blue_alone(stored):
    """The origin reads channel 0 of BGR and gives one channel."""
    assert stored["wide_mid_u8"].ndim == 2
    assert ours(stored, "wide").shape == (48, 80, 3)

    # What moves is seen in red and green alone; to the origin this is a still picture.
    first, truth, second = (frame * (1, 1, 0) for frame in moving(96, 160, (0, 4, 8)))
    forth = np.full((96, 160, 2), (8, 0), "float32")
    first, second = first.astype("float32"), second.astype("float32")
    model = FlowInterpolation(flow=Given(first, forth, -forth))
    (frame,) = model.interpolate(first, second)
    inside = np.s_[:, 16:-16]
    np.testing.assert_allclose(frame[inside], truth[inside], atol=0.01)
    assert np.abs((first + second)[inside] / 2 - truth[inside]).max() > 0.2


@pytest.mark.parametrize("case", ["edge", "wide"])
def test_occlusion_is_looked_up_where_the_flow_leads(stored, case):
    flow, back = stored[f"{case}_flow_fwd"], stored[f"{case}_flow_bwd"]
    for name, pair in (("first", (flow, back)), ("second", (back, flow))):
        found = published_occlusion(*pair)
        np.testing.assert_array_equal(found, stored[f"{case}_occ_{name}"] > 0)

    # Every other band of 6 rows moves right by 6: the flows agree but where they leave.
    flow = np.zeros_like(flow)
    flow[np.arange(len(flow)) // 6 % 2 == 1, :, 0] = 6
    back = -flow
    inside = np.s_[:, 6:-6]
    assert published_occlusion(flow, back)[inside].mean() > 0.3
    seen = ops.convert_to_numpy(consistency(flow[None], back[None]))[0, ..., 0]
    assert seen[inside].min() > 0.99


@pytest.mark.parametrize("case", ["edge", "wide"])
def test_pixels_that_land_together_are_judged_where_their_flow_ends(stored, case):
    """The origin looks up the second frame half way, where it shows something else."""
    blue = (stored[f"{case}_frame{end}_bgr"][..., 0].astype(float) for end in (0, 1))
    found = published_splat(*blue, stored[f"{case}_flow_fwd"])
    np.testing.assert_array_equal(found, stored[f"{case}_mid_flow_splat"])

    first, second = (frame.astype("float32")[None] for frame in moving(48, 96, (0, 12)))
    flow = np.full((1, 48, 96, 2), (12, 0), "float32")
    inside = np.s_[0, :, 16:-16, 0]
    right, wrong = (ops.convert_to_numpy(match(first, second, part * flow)) for part in (1, 0.5))
    assert right[inside].min() > 0.99 > 0.2 > np.median(wrong[inside])


def test_no_hole_is_left_black(stored):
    """The origin writes holes that no flow was found for as 0."""
    holes = np.isnan(stored["edge_mid_flow_filled"]).any(axis=-1)
    assert holes.any() and not stored["edge_mid_u8"][holes].any()

    # Nothing is black in these frames, so nothing may be in between.
    assert ours(stored, "edge", brighter=60).min() >= 60


def test_flow_of_resized_frames_is_rescaled():
    """The origin estimates 200 x 200 frames at 192 x 192 and keeps the values of that size."""
    first, truth, second = (f.astype("float32") for f in moving(200, 200, (0, 8, 16)))
    # Told apart by their brightness.
    second, truth = second * 0.9, truth * 0.95
    model = FlowInterpolation(flow=Pan(first, 16 / 200))
    flow = model.estimator.estimate(first, second)
    np.testing.assert_allclose(flow[..., 0], 16, rtol=1e-5)

    (frame,) = model.interpolate(first, second)
    inside = np.s_[24:-24, 24:-24]
    right = psnr(255 * frame[inside], 255 * truth[inside])
    unscaled = np.full((200, 200, 2), (16 * 256 / 200, 0), "float32")
    wrong_model = FlowInterpolation(flow=Given(first, unscaled, -unscaled))
    wrong = psnr(255 * wrong_model.interpolate(first, second)[0][inside], 255 * truth[inside])
    assert right > 40 and right > wrong + 10


def test_frames_may_be_wider_than_high(stored):
    """The origin bounds x by the height: right of that it repeats one column."""
    theirs, blue = stored["wide_mid_u8"].astype(float), ours(stored, "wide")[..., 2].astype(float)
    assert np.abs(np.diff(theirs[:, 60:])).mean() < 0.1
    assert np.abs(np.diff(blue[:, 60:])).mean() > 1

    first, truth, second = (f.astype("float32") for f in moving(48, 160, (0, 6, 12)))
    forth = np.full((48, 160, 2), (12, 0), "float32")
    (frame,) = FlowInterpolation(flow=Given(first, forth, -forth)).interpolate(first, second)
    right = np.s_[:, 48:-16]
    np.testing.assert_allclose(frame[right], truth[right], atol=0.01)


@pytest.mark.parametrize("time", [0.25, 0.75])
def test_any_time_not_the_middle_alone(time):
    first, truth, second = (f.astype("float32") for f in moving(64, 96, (0, round(16 * time), 16)))
    forth = np.full((64, 96, 2), (16, 0), "float32")
    model = FlowInterpolation(flow=Given(first, forth, -forth))
    (frame,) = model.interpolate(first, second, times=(time,))
    inside = np.s_[:, 20:-20]
    np.testing.assert_allclose(frame[inside], truth[inside], atol=0.01)
