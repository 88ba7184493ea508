"""What a network makes of an example, as one picture to look at."""

from collections.abc import Mapping

import cv2
import numpy as np

from tfvfi.evaluation.flow_pictures import flow_to_color

CAPTION, MARGIN = 16, 4
FONT, PAPER, INK = cv2.FONT_HERSHEY_SIMPLEX, 255, (40, 40, 40)
# Errors are small: a tenth of the full range is already white.
ERROR_GAIN = 10.0


def strip(example: Mapping[str, np.ndarray]) -> np.ndarray:
    """Inputs, output, truth, error and flow side by side, each with its name; uint8.

    Args:
        example: A batch's fields and a network's outputs, without the first axis.
    """
    tiles = {
        name: _color(example[name]) for name in ("frame0", "frame1", "frame2") if name in example
    }
    # What comes out of a cycle is the frame in its middle again.
    truth = example.get("target", example.get("frame1"))
    if "frame" in example:
        error = ERROR_GAIN * np.abs(np.clip(example["frame"], 0, 1) - truth)
        tiles |= {"output": _color(example["frame"]), f"error x {ERROR_GAIN:g}": _color(error)}
    if "target" in example:
        tiles["truth"] = _color(example["target"])
    for name in ("flow", "flow0", "flow1"):
        # Four channels are a batch's true flows, to both frames.
        if name in example and example[name].shape[-1] == 2:
            longest = float(np.linalg.norm(example[name], axis=-1).max()) or 1.0
            tiles[f"{name}, up to {longest:.1f} px"] = flow_to_color(example[name], longest)
    return np.concatenate([_framed(*tile) for tile in tiles.items()], axis=1)


def _framed(caption: str, image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    canvas = np.full((height + CAPTION + MARGIN, width + MARGIN, 3), PAPER, np.uint8)
    canvas[CAPTION : CAPTION + height, :width] = image
    cv2.putText(canvas, caption, (1, CAPTION - 5), FONT, 0.34, INK, 1, cv2.LINE_AA)
    return canvas


def _color(frame: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8)
