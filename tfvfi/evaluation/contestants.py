"""Who is evaluated: a network with its weights and options, as one line of text, and what it does.

ifrnet_s,weights=ifrnet_s.weights.h5
flow_interpolation,flow=dis,mode=splat
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfvfi import options, registry
from tfvfi.evaluation import published
from tfvfi.evaluation.protocols import Protocol, Rounding

if TYPE_CHECKING:
    from tfvfi.models.base import Interpolator


@dataclass(frozen=True)
class Contestant:
    """A network with its weights and options, loaded when it is first needed.

    Attributes:
        name: One of `tfvfi.list_models()`.
        weights: As for `tfvfi.load`.
        options: Further arguments of `tfvfi.load`.
    """

    name: str
    weights: str | Path | None = "default"
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, weights: str = "default") -> "Contestant":
        """A contestant from "name,option=value,...", where weights is one of the options."""
        name, given = options.named(text)
        return cls(name, given.pop("weights", weights), given)

    @property
    def label(self) -> str:
        """A name that tells it from others, and may be that of a folder."""
        parts = [self.name]
        if self.weights not in ("default", None):
            stem = _stem(self.weights)
            parts += [stem] if stem != self.name else []
        parts += ["fresh"] if self.weights is None else []
        for key, value in sorted(self.options.items()):
            parts.append(f"{key}-{_stem(value) if key.endswith('weights') else value}")
        return "_".join("".join(c if c.isalnum() or c in "-._" else "-" for c in p) for p in parts)

    @cached_property
    def model(self) -> "Interpolator":
        """The network; fresh weights are the same in every run."""
        if self.weights is None:
            from tfvfi import startup

            startup.import_keras()
            import keras

            keras.utils.set_random_seed(0)
        return registry.load_interpolator(self.name, self.weights, **self.options)

    def under(self, plan: Protocol) -> "Contestant":
        """The same as a benchmark's protocol wants it; options that were given stay.

        These are the options with which its authors measured it, and flow estimated smaller where
        the protocol says so and the network has an option for it.
        """
        wanted = published.options(self.name, plan.published)
        offered = registry.options_of(self.name)
        if plan.flow_scale != 1 and not {"flow_scale", "scale"} & set(self.options):
            if "flow_scale" in offered:
                wanted["flow_scale"] = plan.flow_scale
            elif "scale" in offered:
                wanted["scale"] = 1 / plan.flow_scale
        return replace(self, options={**wanted, **self.options})

    def identity(self) -> dict[str, Any]:
        """What makes its results its own, for files."""
        return {
            "model": self.name,
            "weights": "fresh" if self.weights is None else str(self.weights),
            "weights_sha256": _digest(self.name, self.weights),
            "options": {key: str(value) for key, value in sorted(self.options.items())},
            "flow_weights_sha256": self._digest_of_flow(),
        }

    def _digest_of_flow(self) -> str | None:
        flow = self.options.get("flow")
        return _digest(flow, self.options.get("flow_weights", "default")) if flow else None


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

    pairs = [tuple(images.to_unit(frame) for frame in pair) for pair in pairs]
    if not self_ensemble:
        return _predict(model, pairs, times)
    total: Any = 0
    views = [(slice(None, None, y), slice(None, None, x)) for y in (1, -1) for x in (1, -1)]
    for view in views:
        seen = [tuple(np.ascontiguousarray(frame[view]) for frame in pair) for pair in pairs]
        forward = np.stack(_predict(model, seen, times))
        backward = np.stack(
            _predict(model, [pair[::-1] for pair in seen], [1 - time for time in times])
        )
        total = total + (forward + backward)[:, :, view[0], view[1]]
    return [list(frames) for frames in total / (2 * len(views))]


def rounded(frame: np.ndarray, rounding: Rounding, dtype: np.dtype) -> np.ndarray:
    """A float frame as it is measured: in the type of the truth, or as it is for "none"."""
    if rounding == "none":
        return frame
    values = np.clip(frame, 0, 1) * np.float32(np.iinfo(dtype).max)
    return (np.rint(values) if rounding == "nearest" else np.floor(values)).astype(dtype)


def _predict(model, pairs, times):
    """One pair at a time as `interpolate` does, or all at once where the network answers them."""
    direct = model.times == "any" or set(times) <= set(model.times)
    if len(pairs) == 1 or not direct:
        return [model.interpolate(*pair, times) for pair in pairs]
    first, second = (np.stack(frames) for frames in zip(*pairs, strict=True))
    by_time = model.interpolate_batch(first, second, times)
    return [list(frames) for frames in zip(*by_time, strict=True)]


def _stem(weights: Any) -> str:
    """The name of a file of weights without its folder and ending."""
    return Path(str(weights)).name.removesuffix(".weights.h5")


def _digest(name: str, weights: Any) -> str | None:
    """SHA-256 of the file of weights, bundled ones too; None where there is no file."""
    file = registry.weight_path(registry.preset(name), weights)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else None
