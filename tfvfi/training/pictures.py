"""Shows an example with the network's outputs as one picture."""

from collections.abc import Mapping

import cv2
import numpy as np

from tfvfi.flow.pictures import flow_to_color

CAPTION, MARGIN, COLUMNS = 16, 4, 4
FONT, PAPER, INK = cv2.FONT_HERSHEY_SIMPLEX, 255, (40, 40, 40)
# Smaller tiles are enlarged to at least this height.
SMALLEST = 128
# Errors are amplified: a tenth of the full range already shows as white.
ERROR_GAIN = 10.0


def sheet(example: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draws inputs, truth, output, error and flow with captions in a grid; uint8.

    Args:
        example: The fields of a batch and a network's outputs, without the batch axis.
    """
    named = {"frame0": "frame0", "frame1": "frame1", "frame2": "frame2", "target": "truth"}
    tiles = {named[name]: _color(frame) for name, frame in sorted(example.items()) if name in named}
    if "frame" in example:
        # The output of a cycle reconstructs its middle frame.
        truth = example.get("target", example["frame1"])
        error = ERROR_GAIN * np.abs(np.clip(example["frame"], 0, 1) - truth)
        tiles |= {"output": _color(example["frame"]), f"error x {ERROR_GAIN:g}": _color(error)}
    for name in ("flow", "flow0", "flow1"):
        # A flow with four channels is the true flow of a batch, to both frames.
        if name in example and example[name].shape[-1] == 2:
            longest = float(np.linalg.norm(example[name], axis=-1).max()) or 1.0
            tiles[f"{name} to {longest:.1f} px"] = flow_to_color(example[name], longest)
    framed = [_framed(*tile) for tile in tiles.items()]
    framed += [np.full_like(framed[0], PAPER)] * (-len(framed) % COLUMNS)
    rows = [framed[first : first + COLUMNS] for first in range(0, len(framed), COLUMNS)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _framed(caption: str, image: np.ndarray) -> np.ndarray:
    times = -(-SMALLEST // image.shape[0])
    image = image.repeat(times, axis=0).repeat(times, axis=1)
    height, width = image.shape[:2]
    canvas = np.full((height + CAPTION + MARGIN, width + MARGIN, 3), PAPER, np.uint8)
    canvas[CAPTION : CAPTION + height, :width] = image
    cv2.putText(canvas, caption, (1, CAPTION - 4), FONT, 0.42, INK, 1, cv2.LINE_AA)
    return canvas


def _color(frame: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8)
