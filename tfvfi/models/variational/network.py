"""Variational flow from coarse to fine: without weights, and in a graph that can be exported."""

from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.models.base import FlowEstimator
from tfvfi.models.variational import solver

# Sizes at which flow is solved for: 1/2, 1/4 and so on of the frames', the coarsest 1/128.
LEVELS = 7


@keras.saving.register_keras_serializable("tfvfi")
class Variational(FlowEstimator):
    """Flow that `solver` finds at every size from what it found at the coarser one.

    It is a little less exact than DIS, and slower, but of stock operations only: a SavedModel of
    `flow_interpolation` with it serves without any weights.

    Example:
        >>> import numpy as np, tfvfi
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> tfvfi.load("variational").estimate(frame, np.roll(frame, 2, axis=1)).shape
        (48, 64, 2)
    """

    def flow_at_any_size(self, frame0: Any, frame1: Any) -> Any:
        """The flow itself: it takes any size."""
        return self.flow(frame0, frame1)["flow"]

    def flow(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """The flow, (B, H, W, 2), found at half the size."""
        levels = list(zip(smaller(frame0), smaller(frame1), strict=True))
        flow = ops.zeros_like(levels[-1][0][..., :2])
        for level in reversed(levels):
            flow = images.resize_flow(flow, images.size(level[0]))
            flow = solver.solve(*map(solver.features, level), flow)
        return {"flow": images.resize_flow(flow, images.size(frame0))}


def smaller(frame: Any) -> list[Any]:
    """The frame at 1/2, 1/4, ... of its size, which odd sides are rounded up to."""
    found = []
    for _ in range(LEVELS):
        height, width = images.size(frame)
        frame = images.pad_edge(frame, (1, 1 + height % 2, 1, 1 + width % 2))
        # Means of two by two pixels alone leave aliases, which solvers take for motion.
        for strides in (1, 1, 2):
            frame = ops.average_pool(frame, 2, strides=strides, padding="valid")
        found.append(frame)
    return found
