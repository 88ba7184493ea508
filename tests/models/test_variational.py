"""The network of our own: its solver, its sampling, and what its bundled weights are worth."""

import numpy as np
import pytest

import tfvfi
from tests.models.shared import Golden, InterpolatorCase, psnr, texture
from tfvfi.models.variational import solver
from tfvfi.models.variational.objective import objective
from tfvfi.models.variational.sampling import sharp_warp, with_bends


@pytest.fixture(scope="module")
def bundled():
    return tfvfi.load("variational")


class TestVariational(InterpolatorCase):
    preset = "variational"

    def golden(self):
        """Nobody published it: the truth is a texture that moves."""
        for time in (0.25, 0.5):
            frames = {"frame0": texture(64, 96), "frame1": texture(64, 96, 2.0)}
            inputs = {**frames, "time": np.array([time], "float32")}
            # Where content enters at the border nobody can know it.
            yield Golden(
                tfvfi.load("variational"), inputs, {"frame": (texture(64, 96, 2 * time), 0.25)}
            )


@pytest.mark.parametrize("time", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("shift", [0.4, 1.3])
def test_the_solver_finds_a_motion_below_a_pixel(shift, time):
    frames = [solver.features(texture(48, 64, moved)) for moved in (0.0, shift)]
    still = np.zeros((1, 48, 64, 2), "float32")
    motion = np.asarray(solver.solve(*frames, still, np.full((1, 1, 1, 1), time, "float32")))
    inside = motion[0, 8:-8, 8:-8]
    assert np.abs(np.median(inside, (0, 1)) - (shift, 0)).max() < 0.05
    assert np.abs(inside - (shift, 0)).mean() < 0.1


def test_frames_too_small_to_tell_motion_from_do_not_move():
    small = solver.features(texture(8, 8)), solver.features(texture(8, 8, 1.0))
    still = np.zeros((1, 8, 8, 2), "float32")
    half = np.full((1, 1, 1, 1), 0.5, "float32")
    np.testing.assert_array_equal(solver.solve(*small, still, half), still)


def test_sharp_warp_keeps_what_bilinear_sampling_blurs():
    x = np.arange(64, dtype="float32")
    wave = np.broadcast_to(np.sin(x)[None, None, :, None], (1, 32, 64, 3))
    flow = np.broadcast_to(np.array([0.5, 0], "float32"), (1, 32, 64, 2))
    truth = np.broadcast_to(np.sin(x + 0.5)[None, None, :, None], wave.shape)[:, :, 2:-2]
    bent = with_bends(np.ascontiguousarray(wave))
    bilinear, sharp = (
        np.abs(np.asarray(sharp_warp(bent, flow, gain))[:, :, 2:-2] - truth).max()
        for gain in (0.0, 1.0)
    )
    assert bilinear > 0.1 and sharp < bilinear / 4


def test_whole_pixels_are_read_as_they_are():
    frame = texture(16, 24)
    flow = np.broadcast_to(np.array([2, -1], "float32"), (1, 16, 24, 2))
    warped = np.asarray(sharp_warp(with_bends(frame), flow, 1.5))
    np.testing.assert_allclose(warped[:, 1:, :-2], frame[:, :-1, 2:], atol=1e-6)


@pytest.mark.parametrize(("time", "end"), [(0.0, "frame0"), (1.0, "frame1")])
def test_the_ends_are_the_frames_themselves(bundled, time, end):
    inputs = {"frame0": texture(64, 96), "frame1": texture(64, 96, 3.0, seed=1)}
    frame = bundled({**inputs, "time": np.array([time], "float32")})["frame"]
    np.testing.assert_allclose(frame, inputs[end], atol=1e-6)


def test_the_objective_prefers_the_true_frame(bundled):
    batch = {
        "frame0": texture(64, 64),
        "frame1": texture(64, 64, 2.0),
        "time": np.array([0.5], "float32"),
    }
    right, terms = objective(bundled, {**batch, "target": texture(64, 64, 1.0)})
    wrong, _ = objective(bundled, {**batch, "target": texture(64, 64, 1.0, seed=1)})
    assert set(terms) == {"absolute", "squared", "motion"}
    assert float(right) < float(wrong) - 1


def test_frames_of_many_sizes_one_after_the_other():
    """Graphs are traced for what the sizes have in common: here a coarsest height of one."""
    model = tfvfi.load("variational", weights=None)
    for height, width in ((64, 96), (51, 140)):
        first, second = texture(height, width)[0], texture(height, width, 2.0)[0]
        assert model.interpolate(first, second)[0].shape == (height, width, 3)


def test_the_bundled_weights_beat_flow_interpolation_on_real_frames(bundled, triplet):
    first, truth, second = (frame.astype("float32") / 255 for frame in triplet)
    (ours,) = bundled.interpolate(first, second)
    (other,) = tfvfi.load("flow_interpolation").interpolate(first, second)
    assert psnr(ours, truth) > psnr(other, truth) + 0.2
