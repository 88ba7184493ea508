"""Renders the frames between two source frames: interpolated, blended or held."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.cuts import CutDetector
from tfvfi.media.levels import white
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.memory import times_at_once
from tfvfi.video.tiles import Tiling
from tfvfi.video.timeline import Span
from tfvfi.video.treatment import HOLD, MIX

logger = logging.getLogger(__name__)

# Frames that differ by at most this, out of 255, are blended, because nothing moves.
STILL = 2
# The most pixels that one call of the network renders, over all its times.
PIXELS_AT_ONCE = 2**26
# The names of the errors of TensorFlow and PyTorch.
OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError")


class Planner:
    """Decides how each span is rendered; spans must come in order.

    Args:
        scene_cuts: At a cut, "hold" the frame before it, "fade" to the frame after it, or "mix"
            the two as if there were no cut.
    """

    def __init__(self, scene_cuts: str = HOLD):
        self.scene_cuts = scene_cuts
        self.cuts = CutDetector()

    def plan(self, span: Span) -> Span:
        """Returns the next span with the way in which its frames are rendered."""
        return replace(span, how=self._how(span))

    def _how(self, span: Span) -> str:
        is_cut = self._is_cut(span)
        if not any(span.shares):
            return "hold"
        if is_cut:
            return "hold" if self.scene_cuts == HOLD else "mix"
        return "mix" if is_still(span.first, span.second) else "interpolate"

    def _is_cut(self, span: Span) -> bool:
        if self.scene_cuts == MIX or span.second is None:
            return False
        return self.cuts.between(span.first[..., :3], span.second[..., :3])


class Renderer:
    """Renders frames with a network.

    Args:
        network: The network that interpolates.
        side: The side of the tiles into which frames are cut; None if they stay whole.
    """

    def __init__(self, network: FrameInterpolator, side: int | None = None):
        self.network = network
        self.side = side
        self.warned = False

    def frames(self, span: Span) -> Iterator[np.ndarray]:
        """Yields the frames of a span, in order."""
        inner = [share for share in span.shares if share]
        if span.how == "interpolate":
            made = self._interpolated(span, [float(share) for share in inner])
        elif span.how == "mix":
            made = (mixed(span.first, span.second, share) for share in inner)
        else:
            made = (span.first for _ in inner)
        for share in span.shares:
            yield next(made) if share else span.first

    def _interpolated(self, span: Span, times: Sequence[float]) -> Iterator[np.ndarray]:
        pixels = span.first.shape[0] * span.first.shape[1]
        at_once = max(1, PIXELS_AT_ONCE // pixels) if self.side is None else times_at_once(pixels)
        for start in range(0, len(times), at_once):
            yield from self.between(span.first, span.second, times[start : start + at_once])

    def between(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        """Returns the frames between two frames at the given times.

        Args:
            frame0: The first frame, H x W x 3 or 4.
            frame1: The second frame.
            times: The times of the new frames, rendered by one call of the network.

        Raises:
            InputError: There is not enough memory.
        """
        if frame0.shape[-1] == 3:
            return self._opaque(frame0, frame1, times)
        alphas = frame0[..., 3], frame1[..., 3]
        if np.array_equal(*alphas) and (alphas[0] == white(frame0.dtype)).all():
            alpha = np.ascontiguousarray(frame0[..., 3:])
            opaque = (np.ascontiguousarray(frame[..., :3]) for frame in (frame0, frame1))
            return [np.concatenate([color, alpha], -1) for color in self._opaque(*opaque, times)]
        return self._transparent(frame0, frame1, times)

    def _opaque(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        try:
            return self._tiled(frame0, frame1, times)
        except Exception as error:
            if isinstance(error, MemoryError) or type(error).__name__ in OUT_OF_MEMORY:
                height, width = frame0.shape[:2]
                raise InputError(
                    f"memory does not suffice for frames of {width}x{height}: pass smaller "
                    "tiles, such as `tile=512`"
                ) from None
            raise

    def _tiled(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        if self.side is None:
            return self.network.interpolate(frame0, frame1, times)
        tiling = Tiling(frame0.shape[:2], self.side)
        if not self.warned and (pixels := tiling.too_fast(frame0, frame1)):
            self.warned = True
            logger.warning(
                "things move by up to %d pixels and tiles overlap by %d: what leaves its tile is "
                "filled from the border; pass a larger `tile`, or a `scale` below 1",
                pixels,
                tiling.overlap,
            )
        return tiling.interpolate(self.network, frame0, frame1, times)

    def _transparent(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        """Interpolates colors weighted by their opacity, and the opacity as a frame of its own."""
        dtype, most = frame0.dtype, np.float32(white(frame0.dtype))
        unit = [frame.astype(np.float32) / most for frame in (frame0, frame1)]
        seen = self._opaque(*(frame[..., :3] * frame[..., 3:] for frame in unit), times)
        alphas = self._opaque(*(np.repeat(frame[..., 3:], 3, axis=-1) for frame in unit), times)
        made = []
        for color, alpha in zip(seen, alphas, strict=True):
            alpha = alpha.mean(axis=-1, keepdims=True).clip(0, 1)
            color = (color / np.maximum(alpha, 1 / 255)).clip(0, 1)
            frame = np.concatenate([color, alpha], axis=-1)
            made.append(frame if dtype.kind == "f" else np.rint(frame * most).astype(dtype))
        return made


def mixed(frame0: np.ndarray, frame1: np.ndarray, share: Fraction) -> np.ndarray:
    """Returns a blend of two frames; if they are equal, the first frame itself."""
    if np.array_equal(frame0, frame1):
        return frame0
    part = np.float32(share)
    frame = frame0.astype(np.float32) * (1 - part) + frame1.astype(np.float32) * part
    return (frame if frame0.dtype.kind == "f" else np.rint(frame)).astype(frame0.dtype)


def is_still(frame0: np.ndarray, frame1: np.ndarray) -> bool:
    """Returns whether two frames are equal except for invisible differences."""
    limit = STILL * white(frame0.dtype) / 255
    # A few rows are enough to distinguish most pairs.
    for step in (max(1, frame0.shape[0] // 8), 1):
        rows = [frame[::step] for frame in (frame0, frame1)]
        higher, lower = np.maximum(*rows), np.minimum(*rows)
        if np.max(higher - lower) > limit:
            return False
    return True
