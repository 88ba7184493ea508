"""Scenes: what the flow says is what the frames show, at any time."""

import cv2
import numpy as np
import pytest

from tests.data import small_records
from tfvfi.data import procedural
from tfvfi.data.procedural import Motion, Plane, Scene
from tfvfi.data.samples import Samples

SIZE = 96


def picture(random):
    """Smooth enough that a bilinear look between pixels is exact to a few levels."""
    return cv2.GaussianBlur(random.uniform(0, 255, (SIZE, SIZE, 3)), (0, 0), 4).astype(np.float32)


def looked_up(image, flow):
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).astype(np.float32)
    return cv2.remap(image, *cv2.split(grid + flow), cv2.INTER_LINEAR)


@pytest.mark.parametrize("number", range(6))
def test_flow_leads_to_the_same_content(number):
    scene = procedural.scene(number, picture)
    scene = Scene(scene.planes)  # neither blur nor light
    inner = slice(24, -24)
    for time, other in ((0.375, 0.0), (0.375, 1.0), (0.0, 1.0), (1.0, 0.25)):
        wanted = scene.frame(time).astype(float)
        found = looked_up(scene.frame(other).astype(np.float32), scene.flow(time, other))
        wrong = np.abs(wanted - found)[inner, inner].max(-1)
        # Where content is hidden at the other time, the flow leads to what hides it.
        assert np.median(wrong) < 2, (time, other)
        assert np.mean(wrong > 6) < 0.25, (time, other)


def test_a_plane_moves_as_told():
    dot = np.zeros((SIZE, SIZE, 3), np.float32)
    dot[30, 40] = 255
    scene = Scene((Plane(dot, None, (Motion(shift=(12, -8), uneven=0.4),)),))
    # Half of the time, 0.5 + 0.4 / 4 of the way.
    assert np.argwhere(scene.frame(0.5)[..., 0] > 50).mean(0) == pytest.approx(
        (25.2, 47.2), abs=0.6
    )
    assert scene.flow(0.0, 0.5)[30, 40] == pytest.approx((7.2, -4.8), abs=1e-5)
    assert scene.flow(0.5, 0.0)[25, 47] == pytest.approx((-7.2, 4.8), abs=1e-5)


def test_turning_and_zooming_keep_the_center():
    middle = (SIZE - 1) / 2
    move = Motion(angle=30, zoom=0.2).at(1.0, SIZE)
    center = move @ (middle, middle, 1)
    assert center[:2] / center[2] == pytest.approx((middle, middle))
    right = move @ (middle + 10, middle, 1)
    reach = 10 * np.exp(0.2)
    assert right[:2] == pytest.approx(
        (middle + reach * np.cos(np.pi / 6), middle - reach * np.sin(np.pi / 6))
    )


def test_nearer_planes_hide_farther_ones_and_carry_their_own_flow():
    black, white = (np.full((SIZE, SIZE, 3), value, np.float32) for value in (0, 255))
    cover = np.zeros((SIZE, SIZE), np.float32)
    cover[20:40, 20:40] = 1
    camera = Motion(shift=(2, 0))
    scene = Scene(
        (Plane(black, None, (camera,)), Plane(white, cover, (camera, Motion(shift=(0, 10)))))
    )
    seen = scene.frame(1.0)[..., 0] > 128
    assert np.argwhere(seen).min(0).tolist() == [30, 22]
    flow = scene.flow(1.0, 0.0)
    assert flow[seen] == pytest.approx(np.broadcast_to((-2, -10), flow[seen].shape))
    assert flow[~seen] == pytest.approx(np.broadcast_to((-2, 0), flow[~seen].shape))


def test_a_shutter_blurs_what_moves_and_light_grows():
    edge = np.zeros((SIZE, SIZE, 3), np.float32)
    edge[:, SIZE // 2 :] = 200
    plane = Plane(edge, None, (Motion(shift=(20, 0)),))
    sharp, blurred = (Scene((plane,), shutter=value).frame(0.5) for value in (0.0, 0.4))

    def between(frame):
        return np.mean((frame > 5) & (frame < 195))

    assert between(blurred) > 3 * between(sharp)
    assert Scene((plane,), light=0.1).frame(1.0).max() == 220


def test_scenes_are_samples_like_records(tmp_path):
    folder = small_records.write(tmp_path / "records", size=64)
    samples, again = (Samples(f"procedural:{folder}", crop_size=48, seed=3) for _ in range(2))
    assert len(samples) == procedural.SCENES
    times = set()
    for position in (0, 7, 150_001):
        one, other = samples.sample(position), again.sample(position)
        assert all(np.array_equal(one[key], other[key]) for key in one)
        assert one["flow"].shape == (48, 48, 4)
        times.add(float(one["time"]))
    assert times <= {eighth / 8 for eighth in range(1, 8)}
    assert "procedural:" in str(samples.describe(0))
