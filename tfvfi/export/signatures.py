"""The signatures of an export: one network behind several entry points.

Signatures of an interpolator (N pairs, each at its own time; any height and width):
- `serving_default`: frame0, frame1 (float32, N x H x W x 3, in [0, 1]), time (float32, N) -> frame
- `interpolate_uint8`: the same with frames of uint8
- `interpolate_encoded`: frame0_bytes, frame1_bytes (N JPEG or PNG files of one size), time ->
  frame_bytes. TensorFlow Serving's REST interface sends names that end in `_bytes` as base64.

Of a flow estimator: `serving_default` and `flow`: frame0, frame1 -> flow (N x H x W x 2).

The graph itself refuses inputs that do not fit together: frames of two sizes, a missing time, or a
time that the weights do not answer. The server passes the sentence on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfvfi.export import files, refusal
from tfvfi.models.base import FlowEstimator, Interpolator, Network
from tfvfi.ops import portable
from tfvfi.ops.sums import in_order

FRAMES = [None, None, None, 3]
FLOAT_PAIR = {key: tf.TensorSpec(FRAMES, tf.float32, name=key) for key in ("frame0", "frame1")}
TIME = {"time": tf.TensorSpec([None], tf.float32, name="time")}


@dataclass(frozen=True)
class Signature:
    """An entry point: a traced function with its named inputs and outputs."""

    function: Any
    inputs: dict[str, tf.TensorSpec]

    @property
    def outputs(self) -> dict[str, tf.TensorSpec]:
        """The outputs by name."""
        return self.function.structured_outputs


def core(model: Network) -> tf.types.experimental.ConcreteFunction:
    """The network for any size as one graph of stock operations.

    Every signature calls it, so the weights are stored once. Where the weights answer certain times
    only, the graph returns NaN for all others, so that no signature ever ignores the time.
    """
    if isinstance(model, FlowEstimator):
        return _traced(model.flow_at_any_size, FLOAT_PAIR)

    def frame_at(frame0: Any, frame1: Any, time: Any) -> Any:
        frame = model.frame_at_any_size(frame0, frame1, time)
        if model.times == "any":
            return frame
        return tf.where(_answered(model, time)[:, None, None, None], frame, float("nan"))

    return _traced(frame_at, FLOAT_PAIR | TIME)


def signatures(
    model: Network, compute: Callable, encoded_as: str | None = None
) -> dict[str, Signature]:
    """The signatures of a network.

    Args:
        model: The network.
        compute: `core(model)`, or a frozen form of it.
        encoded_as: "png" or "jpeg" adds `interpolate_encoded`, which returns that.
    """
    if isinstance(model, FlowEstimator):
        return _of_estimator(compute)

    def from_float(frame0: Any, frame1: Any, time: Any) -> dict[str, Any]:
        with tf.control_dependencies(
            _refusals(frame0, frame1) + _refusals_of_time(model, time, frame0)
        ):
            return {"frame": compute(frame0, frame1, time)}

    def from_uint8(frame0: Any, frame1: Any, time: Any) -> dict[str, Any]:
        frame = from_float(_to_unit(frame0), _to_unit(frame1), time)["frame"]
        return {"frame": tf.cast(tf.round(frame * 255), tf.uint8)}

    def from_encoded(frame0_bytes: Any, frame1_bytes: Any, time: Any) -> dict[str, Any]:
        pair = files.decoded(frame0_bytes), files.decoded(frame1_bytes)
        return {"frame_bytes": files.encoded(from_uint8(*pair, time)["frame"], encoded_as)}

    uint8_pair = {key: tf.TensorSpec(FRAMES, tf.uint8, name=key) for key in FLOAT_PAIR}
    bytes_pair = {
        f"{key}_bytes": tf.TensorSpec([None], tf.string, f"{key}_bytes") for key in FLOAT_PAIR
    }
    found = {
        "serving_default": _named(from_float, FLOAT_PAIR | TIME),
        "interpolate_uint8": _named(from_uint8, uint8_pair | TIME),
    }
    if encoded_as:
        found["interpolate_encoded"] = _named(from_encoded, bytes_pair | TIME)
    return found


def _of_estimator(compute: Callable) -> dict[str, Signature]:
    def flow(frame0: Any, frame1: Any) -> dict[str, Any]:
        with tf.control_dependencies(_refusals(frame0, frame1)):
            return {"flow": compute(frame0, frame1)}

    door = _named(flow, FLOAT_PAIR)
    return {"serving_default": door, "flow": door}


def _traced(function: Callable, inputs: dict[str, tf.TensorSpec]) -> Any:
    """Traces stock operations only, because TensorFlow Serving has no native ones."""

    def ordered(*frames: Any) -> Any:
        with in_order():
            return function(*frames)

    with portable():
        return tf.function(ordered, autograph=False).get_concrete_function(*inputs.values())


def _named(function: Callable, inputs: dict[str, tf.TensorSpec]) -> Signature:
    traced = tf.function(function, autograph=False).get_concrete_function(**inputs)
    return Signature(traced, inputs)


def _refusals(frame0: Any, frame1: Any) -> list[Any]:
    """Operations that fail unless the frames are pairs."""
    first, second = (tf.shape(tf.ensure_shape(frame, FRAMES)) for frame in (frame0, frame1))
    return [
        refusal.unless(
            tf.reduce_all(first == second) & tf.reduce_all(first > 0),
            "frame0 and frame1 must be as many frames, of one size and not empty; received",
            first,
            second,
        )
    ]


def _refusals_of_time(model: Interpolator, time: Any, frames: Any) -> list[Any]:
    """Operations that fail on times that the network does not answer."""
    times, pairs = tf.shape(time)[0], tf.shape(frames)[0]
    numbers = "from 0 to 1" if model.times == "any" else ", ".join(f"{t:g}" for t in model.times)
    return [
        refusal.unless(
            times == pairs,
            "time must be one number for each pair; received, of times and of pairs",
            times,
            pairs,
        ),
        refusal.unless(
            tf.reduce_all(_answered(model, time)),
            f"{model.name} answers time {numbers} only; received",
            time,
        ),
    ]


def _answered(model: Interpolator, time: Any) -> Any:
    """Whether the network answers each time."""
    if model.times == "any":
        return (time >= 0) & (time <= 1)
    distance = tf.abs(time[:, None] - tf.constant(model.times, tf.float32))
    return tf.reduce_min(distance, axis=1) < 1e-6


def _to_unit(frame: Any) -> Any:
    return tf.cast(frame, tf.float32) / 255
