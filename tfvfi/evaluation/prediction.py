"""Predicts frames with the networks under evaluation and the options of a benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tfvfi import registry
from tfvfi.evaluation import published
from tfvfi.evaluation.protocols import Protocol, Rounding
from tfvfi.registry import ModelSpec

if TYPE_CHECKING:
    from tfvfi.models.base import Interpolator


@dataclass(frozen=True)
class Entry:
    """A network under evaluation, which is loaded only if some of its results are missing."""

    spec: ModelSpec

    @property
    def label(self) -> str:
        """The name of the network in tables, and of its folder."""
        return self.spec.label

    @cached_property
    def network(self) -> "Interpolator":
        """The network. Fresh weights are the same in every run."""
        if self.spec.weights is None:
            from tfvfi import startup

            startup.import_keras()
            import keras

            keras.utils.set_random_seed(0)
        return self.spec.load_interpolator()


def under(spec: ModelSpec, plan: Protocol) -> ModelSpec:
    """Returns a network with the options that the protocol of a benchmark requires.

    These are the options with which its authors measured it and, if the protocol requires flow at a
    smaller size, the option of the network for that. Options in `spec` take precedence.
    """
    required = published.options(spec.name, plan.published)
    offered = registry.options_of(spec.name)
    if plan.flow_scale != 1 and not {"flow_scale", "scale"} & set(spec.options):
        if "flow_scale" in offered:
            required["flow_scale"] = plan.flow_scale
        elif "scale" in offered:
            required["scale"] = 1 / plan.flow_scale
    return replace(spec, options={**required, **spec.options})


def predict(
    model: "Interpolator",
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
    times: Sequence[float],
    self_ensemble: bool = False,
) -> list[list[np.ndarray]]:
    """Returns the frames between pairs of one size.

    Args:
        model: The network.
        pairs: The given frames, uint8, uint16 or float.
        times: The times to predict.
        self_ensemble: Whether to average the prediction over the four flips of the frames and over
            both directions of time.

    Returns:
        For each pair one frame for each time, float32 in [0, 1].
    """
    from tfvfi import images

    pairs = [(images.to_unit(frame0), images.to_unit(frame1)) for frame0, frame1 in pairs]
    if not self_ensemble:
        return _predict(model, pairs, times)
    total: Any = 0
    views = [(slice(None, None, y), slice(None, None, x)) for y in (1, -1) for x in (1, -1)]
    for view in views:
        seen = [
            (np.ascontiguousarray(frame0[view]), np.ascontiguousarray(frame1[view]))
            for frame0, frame1 in pairs
        ]
        swapped = [(frame1, frame0) for frame0, frame1 in seen]
        forward = np.stack(_predict(model, seen, times))
        backward = np.stack(_predict(model, swapped, [1 - time for time in times]))
        total = total + (forward + backward)[:, :, view[0], view[1]]
    return [list(frames) for frames in total / (2 * len(views))]


def rounded(frame: np.ndarray, rounding: Rounding, dtype: np.dtype) -> np.ndarray:
    """Returns a float frame rounded to the type of the true frame, or unchanged for "none"."""
    if rounding == "none":
        return frame
    values = np.clip(frame, 0, 1) * np.float32(np.iinfo(dtype).max)
    return (np.rint(values) if rounding == "nearest" else np.floor(values)).astype(dtype)


def _predict(
    model: "Interpolator", pairs: Sequence[tuple[np.ndarray, np.ndarray]], times: Sequence[float]
) -> list[list[np.ndarray]]:
    """Predicts all pairs at once if the network supports the times directly, else one by one."""
    direct = model.times == "any" or set(times) <= set(model.times)
    if len(pairs) == 1 or not direct:
        return [model.interpolate(frame0, frame1, times) for frame0, frame1 in pairs]
    first, second = (np.stack(frames) for frames in zip(*pairs, strict=True))
    by_time = model.interpolate_batch(first, second, times)
    return [list(frames) for frames in zip(*by_time, strict=True)]
