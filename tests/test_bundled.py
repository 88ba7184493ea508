"""What works without any download: a good frame at any time, of real windows of nine frames."""

import numpy as np
import pytest

import tfvfi
from tests.conftest import psnr
from tfvfi import registry, weights

TIMES = (0.25, 0.5, 0.75)
BUNDLED = [known for known in registry.presets().values() if known.bundled]


@pytest.fixture(scope="module")
def nine_frames(half_frames) -> list[list[np.ndarray]]:
    """Windows of nine frames of the sample clip."""
    return [half_frames[start : start + 9] for start in range(0, len(half_frames) - 8, 7)]


@pytest.mark.parametrize("name", [registry.DEFAULT_MODEL, *(known.name for known in BUNDLED)])
def test_beats_cross_fading_at_every_time(name, nine_frames):
    model = tfvfi.load(name)
    gains = []
    for window in nine_frames:
        frames = model.interpolate(window[0], window[-1], TIMES)
        for time, frame in zip(TIMES, frames, strict=True):
            fade = (1 - time) * window[0].astype(float) + time * window[-1]
            truth = window[round(8 * time)]
            gains.append(psnr(frame, truth) - psnr(np.rint(fade), truth))
    by_time = np.reshape(gains, (-1, len(TIMES))).mean(axis=0)
    assert (by_time > 0).all(), by_time


@pytest.mark.parametrize("known", BUNDLED, ids=lambda known: known.name)
def test_bundled_weights_are_small_and_tell_what_they_are(known, caplog):
    path = registry.weight_path(known, "default")
    assert path.stat().st_size < 12e6
    about = weights.describe(path)
    assert about["model"] == known.name
    assert about["licence"] and about["trained_on"] and about["times"] == "any"
    tfvfi.load(known.name)
    assert known.warning in caplog.text
