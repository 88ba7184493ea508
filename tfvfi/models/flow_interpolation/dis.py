"""DIS optical flow (Kroeger et al., ECCV 2016), computed by OpenCV."""

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cv2
import keras
import numpy as np
from keras import ops

from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator
from tfvfi.ops.tensor import Tensor


class Search(NamedTuple):
    """How thoroughly patches are matched.

    Attributes:
        strides: The distance between patches at half the size and at the full size, in pixels.
        descents: Steps of gradient descent for each patch.
        refinements: Iterations of the variational refinement of the flow.
    """

    strides: tuple[int, int]
    descents: int
    refinements: int


# Small objects that move far are found only if patches start at every pixel, and at half the size
# that is cheap. The quick search takes less than half the time.
THOROUGH = Search(strides=(1, 3), descents=25, refinements=10)
QUICK = Search(strides=(2, 3), descents=12, refinements=3)
# DIS matches patches of 8 pixels, here also at half the size. Smaller frames are therefore
# enlarged by repeating their border.
SMALLEST_SIDE = 32


@keras.saving.register_keras_serializable("tfvfi")
class DIS(FlowEstimator):
    """Dense inverse search: fast classical flow on the CPU, without weights.

    It has no gradient and no graph form, so a network that contains it cannot be trained or
    exported.

    Args:
        quick: Whether to match fewer patches with fewer steps, which takes less than half the
            time and loses some small and distant motion.

    Example:
        >>> import numpy as np
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> DIS().estimate(frame, np.roll(frame, 2, axis=1)).shape
        (48, 64, 2)
    """

    traceable = False

    def __init__(self, quick: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.quick = quick

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this estimator can be recreated."""
        return {**super().get_config(), "quick": self.quick}

    def flow_at_any_size(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow of a batch; DIS accepts any size."""
        return self.flow(frame0, frame1)["flow"]

    def both_ways(self, frame0: Tensor, frame1: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the flow in both directions, estimated concurrently."""
        there, back = [frame0, frame1], [frame1, frame0]
        flows = self.flow_at_any_size(ops.concatenate(there), ops.concatenate(back))
        return tuple(ops.split(flows, 2))

    def flow(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns the flow of a batch as "flow", (B, H, W, 2)."""
        try:
            pairs = [ops.convert_to_numpy(frame) for frame in (frame0, frame1)]
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            raise InputError(
                "DIS flow is computed by OpenCV and cannot become part of a graph: "
                "for training or export name a learned flow estimator"
            ) from None
        # OpenCV releases Python's lock and leaves cores idle between its parallel parts.
        with ThreadPoolExecutor() as threads:
            search = functools.partial(_dis, QUICK if self.quick else THOROUGH)
            flows = list(threads.map(search, *map(_grey, pairs)))
        return {"flow": ops.convert_to_tensor(np.stack(flows))}


def _grey(frames: np.ndarray) -> list[np.ndarray]:
    return [
        cv2.cvtColor(np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        for frame in frames
    ]


def _dis(search: Search, frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
    """Returns the flow of grey frames: a dense search at half their size, then refinement."""
    height, width = frame0.shape
    missing = [max(0, SMALLEST_SIDE - side) for side in (height, width)]
    padded = [
        np.pad(grey, [(0, missing[0]), (0, missing[1])], mode="edge") for grey in (frame0, frame1)
    ]
    halves = [
        cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for grey in padded
    ]
    at_half, at_full = (_matcher(search, stride) for stride in search.strides)
    flow = at_half.calc(*halves, None)
    sizes = [grey.shape[::-1] for grey in (padded[0], halves[0])]
    flow = cv2.resize(flow, sizes[0]) * np.float32(np.divide(*sizes))
    return at_full.calc(*padded, flow)[:height, :width].astype(np.float32)


def _matcher(search: Search, stride: int) -> cv2.DISOpticalFlow:
    """Returns dense inverse search down to single pixels, finer than any of OpenCV's presets."""
    matcher = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    matcher.setFinestScale(0)
    matcher.setPatchStride(stride)
    matcher.setGradientDescentIterations(search.descents)
    matcher.setVariationalRefinementIterations(search.refinements)
    # Half the smoothness of the presets, which are tuned for flow rather than for frames.
    matcher.setVariationalRefinementAlpha(10)
    return matcher
