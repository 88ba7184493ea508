"""Frame interpolation from optical flow without a synthesis network: by warping or splatting."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfvfi.errors import ArgumentError, InputError
from tfvfi.images import resize_flow, size
from tfvfi.models.base import FlowEstimator, Interpolator
from tfvfi.models.flow_interpolation import splatting, warping
from tfvfi.ops import resize
from tfvfi.ops.tensor import Tensor
from tfvfi.tracing import compiled

# Frames of more pixels have their flow estimated at half the size if the scale is "auto".
PIXELS_AT_FULL_SIZE = 2**19
MODES = {"warp": warping, "splat": splatting}


@keras.saving.register_keras_serializable("tfvfi")
class FlowInterpolation(Interpolator):
    """Bidirectional, occlusion-aware interpolation from any optical flow, at any time.

    Args:
        flow: A flow estimator. `tfvfi.load` also accepts the name of one ("dis", "pwcnet",
            "flownet2", ...), and its weights as `flow_weights`.
        mode: "warp" reads both frames along the motion estimated at the requested time, and is
            more accurate; "splat" sends the pixels of both frames forward to that time, which
            never distorts their content. The modules `warping` and `splatting` describe both.
        scale: Size, relative to the frames, at which flow is estimated: below 1 for motion that
            is too long for the estimator, or to save time. "auto" is 1, but 0.5 if DIS meets
            frames of more than 2**19 pixels, where the full size takes four times as long and
            hardly helps.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("flow_interpolation", flow="dis", mode="splat")
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> moved = np.roll(frame, 4, axis=1)
        >>> model.interpolate(frame, moved, times=(0.5,))[0].shape
        (48, 64, 3)
    """

    # Bytes of memory per pixel of a frame on a CPU, as measured.
    bytes_per_pixel = 600

    def __init__(
        self,
        flow: FlowEstimator,
        mode: str = "warp",
        scale: float | Literal["auto"] = 1.0,
        **kwargs: Any,
    ):
        if mode not in MODES:
            raise ArgumentError(f"mode is one of {', '.join(MODES)}. Received: {mode!r}")
        number = isinstance(scale, int | float) and 0 < scale <= 8
        if scale != "auto" and not number:
            raise ArgumentError(
                f"scale lies above 0 and not above 8, or is 'auto'. Received: {scale!r}"
            )
        if not isinstance(flow, FlowEstimator):
            raise InputError(
                "flow is a flow estimator; `tfvfi.load` takes the name of one as well. "
                f"Received: {flow!r}"
            )
        self.traceable = flow.traceable
        super().__init__(**kwargs)
        self.mode = mode
        self.scale = scale
        # Sides times the scale must be whole numbers.
        fixed = 1 if scale == "auto" else scale
        self.multiple = Fraction(fixed).limit_denominator(100).denominator
        self.estimator = flow
        prepare = MODES[mode].prepare
        # Where the flow cannot be part of a graph, everything after it still can.
        self._prepare_with_flow = prepare if self.traceable else compiled(prepare)
        self._flow_alone = compiled(self._flow) if self.traceable else self._flow

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "flow": keras.saving.serialize_keras_object(self.estimator),
            "mode": self.mode,
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "FlowInterpolation":
        """Creates the network with its estimator; see `Network.from_config`."""
        if isinstance(config.get("flow"), dict):
            flow = keras.saving.deserialize_keras_object(config["flow"], custom_objects)
            config = {**config, "flow": flow}
        return super().from_config(config, custom_objects)

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Computes the flow in both directions, and what the mode derives from it."""
        flow01, flow10 = self._at_scale(self.estimator.both_ways, frame0, frame1)
        return self._prepare_with_flow(frame0, frame1, flow01, flow10)

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Returns the frame at `time`, with the other outputs of the mode."""
        return MODES[self.mode].render(prepared, ops.reshape(time, (-1, 1, 1, 1)))

    def estimate(self, frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
        """Estimates the flow between two frames of any size, as it is used to render frames.

        Args:
            frame0: The frame where the flow starts, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The frame where the flow ends, of the same size and type.

        Returns:
            H x W x 2, float32: x and y offsets, in pixels.
        """
        return self._flow_of_pair(self._flow_alone, frame0, frame1)

    def _flow(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow from frame0 to frame1."""

        def there(*pair: Tensor) -> tuple[Tensor]:
            return (self.estimator.flow_at_any_size(*pair),)

        return self._at_scale(there, frame0, frame1)[0]

    def _at_scale(self, estimate: Callable, frame0: Tensor, frame1: Tensor) -> Sequence[Tensor]:
        """Estimates flows at the network's scale."""
        whole = size(frame0)
        scale = self._automatic(*whole) if self.scale == "auto" else self.scale
        if scale == 1:
            return estimate(frame0, frame1)
        resized = (resize(frame, scale) for frame in (frame0, frame1))
        return [resize_flow(flow, whole) for flow in estimate(*resized)]

    def _automatic(self, height: Tensor, width: Tensor) -> float | tuple[int, int]:
        """Returns what "auto" means for frames of a size: a scale, or the size to resize to."""
        # Learned estimators choose their own scales, and in a graph the size need not be known.
        known = isinstance(height, int) and isinstance(width, int)
        if self.traceable or not known or height * width <= PIXELS_AT_FULL_SIZE:
            return 1
        return (height + 1) // 2, (width + 1) // 2
