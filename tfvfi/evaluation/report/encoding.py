"""Pictures and videos as data URLs, compressed for viewing and not for measurements."""

import base64
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tfvfi.evaluation.clip import Clip
from tfvfi.flow.pictures import flow_to_color, longest_shown
from tfvfi.images import from_unit

LONGEST_SIDE, LONGEST_SIDE_PLAYED = 1280, 640
QUALITY = 90
PLAYED_FPS = Fraction(12)
# The brightest color stands for this percentile of the error, but at least for 8 of 255.
ERROR_PERCENTILE, SMALLEST_SCALE = 99.5, 8 / 255


def picture(frame: np.ndarray) -> str:
    """Returns a frame of floats in [0, 1] as a picture."""
    return _webp(_shrunk(from_unit(frame, np.uint8), LONGEST_SIDE))


def small(frame: np.ndarray) -> np.ndarray:
    """Returns a frame for playback, in 8 bits and with even sides."""
    shrunk = _shrunk(from_unit(frame, np.uint8), LONGEST_SIDE_PLAYED)
    height, width = shrunk.shape[:2]
    return np.ascontiguousarray(shrunk[: height - height % 2, : width - width % 2])


def error_scale(errors: Sequence[np.ndarray]) -> float:
    """Returns the error that the brightest color stands for in a common scale."""
    return max(SMALLEST_SCALE, *(float(np.percentile(e, ERROR_PERCENTILE)) for e in errors))


def heat(error: np.ndarray, scale: float) -> str:
    """Returns an H x W error map as a picture, from black for 0 to bright yellow for `scale`."""
    levels = np.rint(255 * np.clip(error / scale, 0, 1)).astype(np.uint8)
    colored = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    return _webp(_shrunk(colored, LONGEST_SIDE))


def flows(found: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Returns flows as pictures in one scale, with the length in pixels of full saturation."""
    if not found:
        return {}
    longest = longest_shown(list(found.values()))
    pictures = {
        name: _webp(_shrunk(flow_to_color(flow, longest), LONGEST_SIDE))
        for name, flow in found.items()
    }
    return {"longest": longest, **pictures}


def video(frames: Sequence[np.ndarray]) -> str:
    """Returns frames as an H.264 video, which every browser plays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "playback.mp4"
        clip = Clip(path, frames[0].shape[:2], PLAYED_FPS, crf=20)
        for frame in frames:
            clip.write(frame)
        clip.finish()
        return _address("video/mp4", path.read_bytes())


def _shrunk(image: np.ndarray, longest: int) -> np.ndarray:
    share = longest / max(image.shape[:2])
    if share >= 1:
        return image
    width, height = (max(1, round(side * share)) for side in image.shape[1::-1])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _webp(image: np.ndarray) -> str:
    _, encoded = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return _address("image/webp", encoded.tobytes())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
