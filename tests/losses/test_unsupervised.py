"""Losses without truth, against the values of their origin, and gradients that it did not have."""

from pathlib import Path

import numpy as np
import pytest

from tests.gradients import value_and_gradients
from tfvfi.losses import photometric, smoothness
from tfvfi.losses.unsupervised import root_penalty

GOLDEN = Path(__file__).parents[1] / "golden" / "flownet2" / "interpolation.npz"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as arrays:
        return {key: arrays[key].astype("float32") for key in arrays}


@pytest.mark.parametrize("case", ["edge", "wide"])
def test_smoothness_is_the_stored_one(golden, case):
    found = smoothness(golden[f"{case}_flow_fwd"][None])
    np.testing.assert_allclose(found, golden[f"{case}_unsup_smoothness"], rtol=1e-5)


@pytest.mark.parametrize("case", ["edge", "wide"])
def test_the_penalty_of_the_stored_warp_is_the_stored_error(golden, case):
    difference = golden[f"{case}_uni_warp"] - golden[f"{case}_frame0_bgr"][..., 0]
    found = np.sum(root_penalty(difference))
    np.testing.assert_allclose(found, golden[f"{case}_unsup_photometric"], rtol=1e-5)


def test_photometric_error_is_near_the_stored_one(golden):
    """Its origin samples by splines and truncates to whole numbers: a few percent."""
    frame0, frame1 = (golden[f"edge_frame{end}_bgr"][None, ..., :1] / 255 for end in (0, 1))
    found = photometric(frame0, frame1, golden["edge_flow_fwd"][None])
    np.testing.assert_allclose(found, golden["edge_unsup_photometric"], rtol=0.03)


def test_every_color_counts(golden):
    """The origin looked at blue alone: a change of red was no error."""
    frame = golden["edge_frame0_bgr"][None] / 255
    redder = frame + np.array([0, 0, 0.1], "float32")
    still = np.zeros_like(frame[..., :2])
    assert float(photometric(frame, redder, still)) > 1000 * float(photometric(frame, frame, still))


def test_gradients_reach_the_flow_and_lead_to_the_true_one():
    y, x = np.mgrid[:32, :48].astype("float32")
    scene = lambda shift: np.stack([np.sin((x + shift) / 5), np.cos(y / 4)], -1)[None] / 2 + 0.5  # noqa: E731
    frame0, frame1 = scene(0), scene(-2)

    def loss(flow):
        return photometric(frame0, frame1, flow) + smoothness(flow)

    flow = np.full((1, 32, 48, 2), (1.0, 0.0), "float32")
    _, (gradient,) = value_and_gradients(loss, [flow], np.float32(1))
    assert np.isfinite(gradient).all()
    assert gradient[..., 0].mean() < 0, "the true flow lies further right"
    assert float(loss(np.full_like(flow, (2.0, 0.0)))) < float(loss(flow))


def test_two_examples_count_as_their_mean(golden):
    flow = golden["edge_flow_fwd"][None]
    one = float(smoothness(flow))
    both = float(smoothness(np.concatenate([flow, np.zeros_like(flow)])))
    flat = float(smoothness(np.zeros_like(flow)))
    np.testing.assert_allclose(both, (one + flat) / 2, rtol=1e-5)
