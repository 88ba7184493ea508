"""What an export answers: the same network behind several doors.

Signatures of an interpolator (N pairs, each at its own time; any height and width):
- `serving_default`: frame0, frame1 (float32, N x H x W x 3, in [0, 1]), time (float32, N) -> frame
- `interpolate_uint8`: the same with frames of uint8
- `interpolate_encoded`: frame0_bytes, frame1_bytes (N JPEG or PNG files of one size), time ->
  frame_bytes. TensorFlow Serving's REST interface sends names that end in `_bytes` as base64.

Of a flow estimator: `serving_default` and `flow`: frame0, frame1 -> flow (N x H x W x 2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfvfi.models.base import FlowEstimator, Interpolator, Network
from tfvfi.ops import portable

FRAMES = [None, None, None, 3]
FLOAT_PAIR = {key: tf.TensorSpec(FRAMES, tf.float32, name=key) for key in ("frame0", "frame1")}
TIME = {"time": tf.TensorSpec([None], tf.float32, name="time")}


@dataclass(frozen=True)
class Signature:
    """One door: a traced function and what it takes and gives, by name."""

    function: Any
    inputs: dict[str, tf.TensorSpec]

    @property
    def outputs(self) -> dict[str, tf.TensorSpec]:
        """What it gives."""
        return self.function.structured_outputs


def core(model: Network) -> tf.types.experimental.ConcreteFunction:
    """The network for any size as one graph of stock operations.

    Every signature calls it, so its weights are stored once.
    """
    if isinstance(model, FlowEstimator):
        return _traced(model.flow_at_any_size, FLOAT_PAIR)

    def frame_at(frame0: Any, frame1: Any, time: Any) -> Any:
        return model.frame_at_any_size(frame0, frame1, _answered(model, time))

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
        flow = _named(lambda frame0, frame1: {"flow": compute(frame0, frame1)}, FLOAT_PAIR)
        return {"serving_default": flow, "flow": flow}

    def from_float(frame0: Any, frame1: Any, time: Any) -> dict[str, Any]:
        return {"frame": compute(frame0, frame1, time)}

    def from_uint8(frame0: Any, frame1: Any, time: Any) -> dict[str, Any]:
        frame = compute(_to_unit(frame0), _to_unit(frame1), time)
        return {"frame": tf.cast(tf.round(frame * 255), tf.uint8)}

    def from_encoded(frame0_bytes: Any, frame1_bytes: Any, time: Any) -> dict[str, Any]:
        frame = from_uint8(_decoded(frame0_bytes), _decoded(frame1_bytes), time)["frame"]
        return {"frame_bytes": tf.map_fn(ENCODERS[encoded_as], frame, fn_output_signature="string")}

    uint8_pair = {key: tf.TensorSpec(FRAMES, tf.uint8, name=key) for key in FLOAT_PAIR}
    files = {f"{key}_bytes": tf.TensorSpec([None], tf.string, f"{key}_bytes") for key in FLOAT_PAIR}
    found = {
        "serving_default": _named(from_float, FLOAT_PAIR | TIME),
        "interpolate_uint8": _named(from_uint8, uint8_pair | TIME),
    }
    if encoded_as:
        found["interpolate_encoded"] = _named(from_encoded, files | TIME)
    return found


ENCODERS = {"png": tf.io.encode_png, "jpeg": lambda frame: tf.io.encode_jpeg(frame, quality=95)}


def _traced(function: Callable, inputs: dict[str, tf.TensorSpec]) -> Any:
    """A graph of stock operations: native ones do not exist in TensorFlow Serving."""
    with portable():
        return tf.function(function, autograph=False).get_concrete_function(*inputs.values())


def _named(function: Callable, inputs: dict[str, tf.TensorSpec]) -> Signature:
    traced = tf.function(function, autograph=False).get_concrete_function(**inputs)
    return Signature(traced, inputs)


def _answered(model: Interpolator, time: Any) -> Any:
    """The time, after weights that answer some times only have refused all others."""
    if model.times == "any":
        return time
    answered = tf.constant(model.times, tf.float32)
    distance = tf.reduce_min(tf.abs(time[:, None] - answered), axis=1)
    numbers = ", ".join(f"{number:g}" for number in model.times)
    refusal = f"{model.name} answers time {numbers} only; received another"
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(distance < 1e-6), [refusal])]):
        return tf.identity(time)


def _to_unit(frame: Any) -> Any:
    return tf.cast(frame, tf.float32) / 255


def _decoded(files: Any) -> Any:
    """The frames of one batch, which must be of one size."""

    def decode(file: Any) -> Any:
        frame = tf.io.decode_image(file, channels=3, expand_animations=False)
        return tf.ensure_shape(frame, [None, None, 3])

    return tf.map_fn(decode, files, fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8))
