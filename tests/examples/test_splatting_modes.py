"""The picture of splatting modes: it is drawn, and its modes come in the order of the paper."""

import cv2
import numpy as np

from examples import splatting_modes
from tfvfi.cli.command import exit_code


def test_the_picture_shows_each_mode_better_than_the_one_before(tmp_path):
    path = tmp_path / "modes.png"
    given = ["splatting_modes.py", f"--output={path}", "--time=0.5"]
    assert exit_code(splatting_modes.main, splatting_modes.FLAGS, given) == 0
    first, second, flow = splatting_modes.scene()
    height, width = first.shape[:2]
    picture = cv2.imread(str(path))
    assert picture.shape[0] >= 2 * height and picture.shape[1] >= 4 * width

    gap = splatting_modes.difference(first, second, flow)
    # Half of the way is a whole number of pixels for what is in front.
    x, y = (round(step / 2) for step in splatting_modes.FOREGROUND)
    front = np.roll(flow[..., 0] > 0, (y, x), axis=(0, 1))
    truth = np.roll(first, (y, x), axis=(0, 1))[front]
    errors = []
    for mode in ("sum", "average", "linear", "softmax"):
        shown = splatting_modes.splatted(first, flow, gap, mode)
        errors.append(np.abs(shown[front] - truth).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10
