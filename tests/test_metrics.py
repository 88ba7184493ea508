"""Keras metrics: the numbers of `tfvfi.evaluation.measures`, and configurations that come back."""

import keras
import numpy as np
import pytest

from tfvfi import metrics
from tfvfi.errors import InputError
from tfvfi.evaluation import measures


@pytest.fixture
def frames():
    """Two batches that differ in noise, with flat areas and values out of range."""
    draw = np.random.default_rng(0)
    true = np.repeat(np.linspace(0, 1, 40, dtype="float32")[None, :, None, None], 3, axis=0)
    true = np.broadcast_to(true, (3, 40, 24, 3)).copy()
    noise = draw.normal(size=true.shape) * np.array([0.003, 0.05, 0.4])[:, None, None, None]
    pred = (true + noise).astype("float32")
    pred[:, :12, :12] = true[:, :12, :12] = 0.7
    return true, pred


@pytest.mark.parametrize(
    ("metric", "measure"),
    [(metrics.PSNR(), measures.psnr), (metrics.SSIM(), measures.ssim)],
)
def test_frames_are_measured_as_by_the_evaluation(metric, measure, frames):
    metric.update_state(*(part[:2] for part in frames))
    metric.update_state(*(part[2:] for part in frames))
    expected = [measure(np.clip(pred, 0, 1), true) for true, pred in zip(*frames, strict=True)]
    assert float(metric.result()) == pytest.approx(np.mean(expected), abs=2e-4)
    assert np.ptp(expected) > 0.1


def test_flow_is_measured_as_by_the_evaluation():
    true, pred = np.random.default_rng(1).normal(size=(2, 3, 8, 9, 2)).astype("float32")
    metric = metrics.EndpointError()
    metric.update_state(true, pred)
    expected = np.mean([measures.endpoint_error(*pair) for pair in zip(pred, true, strict=True)])
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_equal_frames_count_as_100_db(frames):
    metric = metrics.PSNR()
    metric.update_state(frames[0], frames[0])
    # What lies outside of the range is clipped first.
    metric.update_state(0 * frames[0], 0 * frames[0] - 5)
    assert float(metric.result()) == pytest.approx(100)


def test_frames_smaller_than_a_window_are_refused():
    small = np.zeros((1, 10, 20, 3), "float32")
    with pytest.raises(InputError, match=r"at least 11 x 11 pixels\. Received: .*10, 20"):
        metrics.SSIM().update_state(small, small)


@pytest.mark.parametrize("made", [metrics.PSNR, metrics.SSIM, metrics.EndpointError])
def test_metrics_come_back_from_their_configuration(made):
    kept = keras.saving.serialize_keras_object(made(name="mine"))
    again = keras.saving.deserialize_keras_object(kept)
    assert type(again) is made and again.name == "mine"
