"""Pictures that show what interpolation does."""

from fractions import Fraction

import numpy as np

from tests.video.clips import Fade, grey
from tfvfi.media.source import open_source
from tfvfi.video.show import before_after


def test_before_and_after_play_in_step(tmp_path):
    path = tmp_path / "shown.webp"
    frames = [grey(level, (64, 96)) for level in range(0, 90, 10)]
    before_after(frames, Fraction(1, 25), 4, Fade(), path)
    shown = list(open_source([path]))
    assert [frame.time for frame in shown] == [Fraction(number, 25) for number in range(8)]
    halves = [np.split(frame.image[..., :3].astype(float), 2, axis=1) for frame in shown]
    left, right = (np.array([half[side].mean() for half in halves]) for side in (0, 1))
    # On the left every fourth frame is held; on the right each frame is lighter than the last.
    assert np.ptp(left[:4]) < 0.5 and left[4] - left[3] > 30
    assert (np.diff(right) > 5).all()
