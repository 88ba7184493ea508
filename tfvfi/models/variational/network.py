"""Coarse-to-fine variational flow, without weights and exportable as a graph."""

import keras
from keras import ops

from tfvfi import images
from tfvfi.models.base import FlowEstimator
from tfvfi.models.variational import solver
from tfvfi.ops.tensor import Tensor

# Number of sizes at which flow is solved for: 1/2, 1/4, ... 1/128 of the frames'.
LEVELS = 7


@keras.saving.register_keras_serializable("tfvfi")
class Variational(FlowEstimator):
    """Flow that `solver` refines at every size, starting from the flow of the next coarser size.

    It is slightly less accurate than DIS, and slower, but consists of standard operations only: a
    SavedModel of `flow_interpolation` with it runs without any weights.

    Example:
        >>> import numpy as np, tfvfi
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> tfvfi.load("variational").estimate(frame, np.roll(frame, 2, axis=1)).shape
        (48, 64, 2)
    """

    def flow_at_any_size(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow of a batch; any size is accepted."""
        return self.flow(frame0, frame1)["flow"]

    def flow(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns the flow as "flow", (B, H, W, 2), upsampled from half the size."""
        levels = list(zip(smaller(frame0), smaller(frame1), strict=True))
        flow = ops.zeros_like(levels[-1][0][..., :2])
        for level in reversed(levels):
            flow = images.resize_flow(flow, images.size(level[0]))
            flow = solver.solve(*map(solver.features, level), flow)
        return {"flow": images.resize_flow(flow, images.size(frame0))}


def smaller(frame: Tensor) -> list[Tensor]:
    """Returns the frame at 1/2, 1/4, ... of its size; odd sides are rounded up."""
    found = []
    for _ in range(LEVELS):
        height, width = images.size(frame)
        frame = images.pad_edge(frame, (1, 1 + height % 2, 1, 1 + width % 2))
        # Means of 2 x 2 pixels alone would leave aliasing, which the solver mistakes for motion.
        for strides in (1, 1, 2):
            frame = ops.average_pool(frame, 2, strides=strides, padding="valid")
        found.append(frame)
    return found
