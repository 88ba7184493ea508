"""What networks under evaluation predict, with the options that a benchmark asks for."""

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
    """A network under evaluation, loaded when it is first needed: known results need none."""

    spec: ModelSpec

    @property
    def label(self) -> str:
        """Names the network in tables and its folder."""
        return self.spec.label

    @cached_property
    def network(self) -> "Interpolator":
        """The network; fresh weights are the same in every run."""
        if self.spec.weights is None:
            from tfvfi import startup

            startup.import_keras()
            import keras

            keras.utils.set_random_seed(0)
        return self.spec.load_interpolator()


def under(spec: ModelSpec, plan: Protocol) -> ModelSpec:
    """A network as a benchmark's protocol requires it; options that were given stay.

    These are the options with which its authors measured it, and flow estimated at a smaller size
    where the protocol demands it and the network has an option for it.
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
    """Frames between pairs of one size, float32 in [0, 1]: for each pair one frame a time.

    Args:
        model: The network.
        pairs: Frames as in files, uint8 or uint16, or floats.
        times: Where between them.
        self_ensemble: Average the prediction over flips, upright and mirrored both ways, and over
            both directions of time.
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
    """A float frame as it is measured: in the type of the truth, or unchanged for "none"."""
    if rounding == "none":
        return frame
    values = np.clip(frame, 0, 1) * np.float32(np.iinfo(dtype).max)
    return (np.rint(values) if rounding == "nearest" else np.floor(values)).astype(dtype)


def _predict(
    model: "Interpolator", pairs: Sequence[tuple[np.ndarray, np.ndarray]], times: Sequence[float]
) -> list[list[np.ndarray]]:
    """One pair at a time as `interpolate` does, or all at once where the network answers them."""
    direct = model.times == "any" or set(times) <= set(model.times)
    if len(pairs) == 1 or not direct:
        return [model.interpolate(frame0, frame1, times) for frame0, frame1 in pairs]
    first, second = (np.stack(frames) for frames in zip(*pairs, strict=True))
    by_time = model.interpolate_batch(first, second, times)
    return [list(frames) for frames in zip(*by_time, strict=True)]
