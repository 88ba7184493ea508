"""The two contracts: an `Interpolator` renders frames, a `FlowEstimator` estimates their motion.

Both follow these conventions:
- frames are RGB, NHWC, float32 in [0, 1]; a network that needs another form converts internally;
- flow is (x, y) in pixels of its own resolution; the flow from frame0 to frame1 gives, for each
  pixel of frame0, the offset to its position in frame1;
- time is 0 at frame0 and 1 at frame1.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import keras
import numpy as np
from keras import ops

from tfvfi import images
from tfvfi.errors import InputError
from tfvfi.models.network import Network
from tfvfi.models.preset import AnyTimes
from tfvfi.models.times import check_times, parents
from tfvfi.ops import resize
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor
from tfvfi.tracing import compiled

__all__ = ["FlowEstimator", "Interpolator", "Network"]

# Limiting the pixels that are rendered in one pass limits memory: about 2 megapixels.
PIXELS_IN_ONE_PASS = 2**21


class Interpolator(Network):
    """A network that renders the frame at a given time between two frames.

    A subclass splits its work in two, so that several times share the first part:
    `prepare(frame0, frame1)` computes everything that depends on the pair alone, and
    `render(prepared, time)` computes the rest.

    Args:
        times: "any", or the times that the weights support.
    """

    input_names = ("frame0", "frame1", "time")
    main_output = "frame"
    # True where the weights support only the times that they have seen, whatever the motion.
    learns_time = False

    def __init__(self, times: AnyTimes | Sequence[float] = "any", **kwargs: Any):
        super().__init__(**kwargs)
        self.times = times if times == "any" else tuple(times)
        self._prepare = compiled(self.prepare) if self.traceable else self.prepare
        self._render_one = compiled(self._frame_at)
        self._render_several = compiled(self._frames_at)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {**super().get_config(), "times": self.times}

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns what is computed once per pair: a nest of tensors with the batch axis first."""
        raise NotImplementedError

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Returns the frame at `time` (one time per example) as "frame", with any other outputs."""
        raise NotImplementedError

    def call(self, inputs: Mapping[str, Tensor], training: bool | None = None) -> dict[str, Tensor]:
        """Returns the outputs for a batch of pairs, each at its own time."""
        self._check_inputs(inputs)
        time = ops.convert_to_tensor(inputs["time"], dtype="float32")
        if len(time.shape) != 1:
            raise InputError(f"time must be (batch,). Received: {tuple(time.shape)}")
        frame0, frame1 = (
            ops.convert_to_tensor(inputs[key], dtype="float32") for key in ("frame0", "frame1")
        )
        with in_order():
            return self.render(self.prepare(frame0, frame1), time)

    def padding(self, height: Tensor, width: Tensor) -> images.Padding:
        """Returns the padding for a frame size; the default pads at the bottom and on the right."""
        return images.pad_end(height, width, self.multiple)

    def pad(self, frames: Tensor) -> Tensor:
        """Pads frames as the network requires; the default repeats the border."""
        return images.pad_edge(frames, self.padding(*images.size(frames)))

    def interpolate(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float] = (0.5,)
    ) -> list[np.ndarray]:
        """Renders frames between one pair of any size, in the order of `times`.

        Args:
            frame0: The first frame, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The second frame, of the same size and type.
            times: The times of the frames, from 0 (`frame0`) to 1 (`frame1`). A time that the
                weights do not support is reached by repeated halving, or refused where halving
                cannot reach it.

        Returns:
            Frames of the same type as `frame0`, clipped to its range.

        Raises:
            InputError: The frames do not match, or a time cannot be reached.

        Example:
            >>> import numpy as np, tfvfi
            >>> model = tfvfi.load("flow_interpolation")
            >>> black, gray = np.zeros((40, 60, 3), "uint8"), np.full((40, 60, 3), 200, "uint8")
            >>> [frame.dtype.name for frame in model.interpolate(black, gray, times=(0.25, 0.5))]
            ['uint8', 'uint8']
        """
        images.check_pair(frame0, frame1)
        times = [float(time) for time in times]
        check_times(self.name, times, self.times)
        ends = {0.0: images.to_unit(frame0), 1.0: images.to_unit(frame1)}
        inner = list(dict.fromkeys(time for time in times if time not in ends))
        direct = [time for time in inner if self.times == "any" or time in self.times]
        known = ends | dict(zip(direct, self._between(*ends.values(), direct), strict=True))
        for time in inner:
            self._halve(Fraction(time), known)
        return [images.from_unit(known[time], frame0.dtype) for time in times]

    def interpolate_batch(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        """Renders frames between several pairs of one size, in one pass per time.

        Args:
            frame0: The first frames, N x H x W x 3, float32 in [0, 1].
            frame1: The second frames, of the same shape.
            times: The times of the frames; the weights must support them directly.

        Returns:
            One array per time, N x H x W x 3, float32, clipped to [0, 1].
        """
        height, width = frame0.shape[1:3]
        padding = self.padding(height, width)
        pair = (self.pad(ops.convert_to_tensor(frames)) for frames in (frame0, frame1))
        prepared = self._prepare(*pair)
        rendered = [
            ops.convert_to_numpy(
                self._render_one(prepared, ops.full((len(frame0),), time, dtype="float32"))
            )
            for time in times
        ]
        cropped = (images.crop(frames, padding, height, width) for frames in rendered)
        return [np.clip(frames, 0, 1).astype("float32") for frames in cropped]

    def frame_at_any_size(self, frame0: Tensor, frame1: Tensor, time: Tensor) -> Tensor:
        """Renders a batch of pairs of any size, each at its own time, clipped to [0, 1].

        This is `interpolate` for tensors within one graph, as exports need it.
        """
        height, width = images.size(frame0)
        frame = self._frame_at(self.prepare(self.pad(frame0), self.pad(frame1)), time)
        frame = images.crop(frame, self.padding(height, width), height, width)
        return ops.clip(ops.cast(frame, "float32"), 0, 1)

    def measure_times(self) -> AnyTimes | tuple[float, ...]:
        """Measures whether the weights depend on the time at all, and updates `times`.

        Weights that were trained on middle frames only may ignore the time; they then support 0.5
        only.

        Returns:
            The updated `times`.
        """
        noise = np.random.default_rng(0).uniform(size=(2, 1, 2 * self.build_side, self.build_side))
        pair = [np.repeat(frame[..., None], 3, -1).astype("float32") for frame in noise]
        early, late = self._between(pair[0][0], pair[1][0], [0.25, 0.75])
        if self.times == "any" and np.abs(early - late).max() < 1e-6:
            self.times = (0.5,)
        return self.times

    def _halve(self, time: Fraction, known: dict[float, np.ndarray]) -> None:
        """Adds the frame at `time` to the known frames by rendering the middles that lead to it."""
        if float(time) in known:
            return
        before, after = parents(time)
        self._halve(before, known)
        self._halve(after, known)
        (known[float(time)],) = self._between(known[float(before)], known[float(after)], [0.5])

    def _between(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        """Renders frames at supported times, as many per pass as memory allows."""
        if not times:
            return []
        height, width = frame0.shape[:2]
        top, _, left, _ = self.padding(height, width)
        pair = (self.pad(ops.convert_to_tensor(frame[None])) for frame in (frame0, frame1))
        prepared = self._prepare(*pair)
        at_once = max(1, PIXELS_IN_ONE_PASS // (height * width))
        frames = []
        for start in range(0, len(times), at_once):
            part = np.asarray(times[start : start + at_once], "float32")
            # A single time needs no copies of the prepared tensors.
            render = self._render_one if len(part) == 1 else self._render_several
            rendered = ops.convert_to_numpy(render(prepared, ops.convert_to_tensor(part)))
            frames.extend(rendered[:, top : top + height, left : left + width].astype("float32"))
        return frames

    def _flow_of_pair(
        self, flow: Callable[[Tensor, Tensor], Tensor], frame0: np.ndarray, frame1: np.ndarray
    ) -> np.ndarray:
        """Returns the flow of one pair of any size, given a function of padded frames."""
        images.check_pair(frame0, frame1)
        height, width = frame0.shape[:2]
        top, _, left, _ = self.padding(height, width)
        units = (images.to_unit(frame)[None] for frame in (frame0, frame1))
        pair = (self.pad(ops.convert_to_tensor(frames)) for frames in units)
        return ops.convert_to_numpy(flow(*pair))[0, top : top + height, left : left + width]

    def _frame_at(self, prepared: dict[str, Tensor], time: Tensor) -> Tensor:
        """Renders the frames of prepared pairs, each at its own time."""
        return self.render(prepared, time)["frame"]

    def _frames_at(self, prepared: dict[str, Tensor], times: Tensor) -> Tensor:
        """Renders frames of one prepared pair at several times."""
        count = ops.shape(times)[0]
        repeated = keras.tree.map_structure(lambda part: ops.repeat(part, count, axis=0), prepared)
        return self._frame_at(repeated, times)


class FlowEstimator(Network):
    """A network that estimates the flow between two frames."""

    input_names = ("frame0", "frame1")
    main_output = "flow"

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._flow = compiled(self.flow_at_any_size) if self.traceable else self.flow_at_any_size

    def flow(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns the outputs for checked frames: "flow" and any others that the network has."""
        raise NotImplementedError

    def call(self, inputs: Mapping[str, Tensor], training: bool | None = None) -> dict[str, Tensor]:
        """Returns the outputs, with "flow" (B, H, W, 2), for sizes that the network accepts."""
        self._check_inputs(inputs)
        pair = (ops.convert_to_tensor(inputs[key], dtype="float32") for key in self.input_names)
        with in_order():
            return self.flow(*pair)

    def flow_at_any_size(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow of a batch of any size, resized to a size that the network accepts."""
        height, width = images.size(frame0)
        inside = [images.next_multiple(side, self.multiple) for side in (height, width)]
        flow = self.flow(*(resize(frame, inside) for frame in (frame0, frame1)))["flow"]
        return images.resize_flow(flow, (height, width))

    def both_ways(self, frame0: Tensor, frame1: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the flow from frame0 to frame1 and the reverse flow, for a batch of any size."""
        return self.flow_at_any_size(frame0, frame1), self.flow_at_any_size(frame1, frame0)

    def estimate(self, frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
        """Estimates the flow of one pair of any size.

        Args:
            frame0: The frame where the flow starts, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The frame where the flow ends, of the same size and type.

        Returns:
            H x W x 2, float32: x and y offsets, in pixels.
        """
        images.check_pair(frame0, frame1)
        return self.estimate_batch(frame0[None], frame1[None])[0]

    def estimate_batch(self, frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
        """Estimates the flow of several pairs of one size, B x H x W x 2; see `estimate`."""
        pairs = (ops.convert_to_tensor(images.to_unit(frames)) for frames in (frame0, frame1))
        return ops.convert_to_numpy(self._flow(*pairs))
