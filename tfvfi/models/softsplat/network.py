"""SoftSplat: features of both frames are splatted to the requested time and fused by a GridNet.

    frame0 --.              .--> flow01, flow10 ------------------------------.
              +--> flow ---+                                                   |
    frame1 --'              '--> warped features differ --> metric01, metric10 +--> splat --> grid
       |                                ^                                      |      (time)
       '--> encoder, three levels ------'--------------------------------------'

Everything before the splatting is computed once per pair. The metric decides which of several
pixels that arrive at one position is in front. Frames are normalized together and processed in the
order blue, green, red.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from tfvfi.models.base import Interpolator
from tfvfi.models.softsplat.flow import FlowNetwork
from tfvfi.models.softsplat.synthesis import Encoder, Merger, Metric, Painter
from tfvfi.ops import backward_warp
from tfvfi.ops.tensor import Tensor


@keras.saving.register_keras_serializable("tfvfi")
class SoftSplat(Interpolator):
    """Softmax splatting with its own flow network, which is trained along with it.

    To keep the flow network fixed, set `model.flow_network.trainable = False`.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("softsplat", weights=None)
        >>> pair = np.random.default_rng(0).integers(0, 255, (2, 37, 50, 3)).astype("uint8")
        >>> [frame.shape for frame in model.interpolate(*pair, times=(0.25, 0.5))]
        [(37, 50, 3), (37, 50, 3)]
    """

    multiple = 2

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.flow_network = FlowNetwork(dtype=policy, name="flow")
        self.encoder = Encoder(dtype=policy, name="encoder")
        self.metric = Metric(dtype=policy, name="metric")
        self.merger = Merger(dtype=policy, name="merger")
        self.painter = Painter(dtype=policy, name="painter")

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Computes features, flow and metric in both directions."""
        mean, deviation = statistics(frame0, frame1)
        # Both frames, and both directions, are processed as one batch.
        frames = ops.flip(ops.concatenate([frame0, frame1]), axis=-1)
        twice = [ops.concatenate([each, each]) for each in (mean, deviation)]
        frames = (frames - twice[0]) / (twice[1] + 1e-7)
        flow = self.flow_network(frames)[0]
        features = self.encoder(frames)
        metric = self.metric(frames, difference(features[0], flow))

        features0, features1 = zip(*(ops.split(level, 2) for level in features), strict=True)
        flow01, flow10 = ops.split(flow, 2)
        metric01, metric10 = ops.split(metric, 2)
        return {
            "features0": list(features0),
            "features1": list(features1),
            "flow01": flow01,
            "flow10": flow10,
            "metric01": metric01,
            "metric10": metric10,
            "mean": mean,
            "deviation": deviation,
        }

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Returns the frame at `time`, not clipped, with the pair's flows and metrics."""
        time = ops.reshape(time, (-1, 1, 1, 1))
        pair = prepared
        merged = self.merger(
            pair["features0"],
            pair["features1"],
            pair["flow01"] * time,
            pair["flow10"] * (1 - time),
            pair["metric01"] * 2 * time,
            pair["metric10"] * 2 * (1 - time),
        )
        frame = self.painter(merged) * pair["deviation"] + pair["mean"]
        known = ("flow01", "flow10", "metric01", "metric10")
        return {"frame": ops.flip(frame, axis=-1), **{name: pair[name] for name in known}}

    def estimate(self, frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
        """Estimates the flow between two frames of any size, as the network uses it.

        Args:
            frame0: The frame where the flow starts, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The frame where the flow ends, of the same size and type.

        Returns:
            H x W x 2, float32: x and y offsets, in pixels.
        """
        return self._flow_of_pair(lambda *pair: self._prepare(*pair)["flow01"], frame0, frame1)


def statistics(frame0: Tensor, frame1: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation of each example, over all values of both frames."""
    frames = ops.stack([frame0, frame1], axis=1)
    mean = _mean(frames)
    return mean[:, 0], ops.sqrt(_mean(ops.square(frames - mean)))[:, 0]


def difference(features: Tensor, flow: Tensor) -> Tensor:
    """Returns the mean difference of each frame's features from the other's along the flow.

    Args:
        features: Features of all first frames, followed by those of all second frames.
        flow: The flow from the first frames, followed by the flow from the second ones.
    """
    other = ops.concatenate(ops.split(features, 2)[::-1])
    warped = backward_warp(other, flow, padding="zeros")
    gap = ops.cast(ops.abs(features - warped), "float32")
    return ops.mean(gap, axis=-1, keepdims=True)


def _mean(frames: Tensor) -> Tensor:
    # In two steps, rows first: one sum over two whole frames would lose two more digits.
    rows = ops.mean(frames, axis=(3, 4), keepdims=True)
    return ops.mean(rows, axis=(1, 2), keepdims=True)
