"""Names to networks: what `tfvfi.load` and `tfvfi.list_models` know.

A network is a folder in `tfvfi/models` with a `presets.py`; nothing else has to be told of it.
"""

import functools
import hashlib
import importlib
import inspect
import logging
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvfi import models, startup
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media.storage import file_state
from tfvfi.models.preset import Preset
from tfvfi.options import named

if TYPE_CHECKING:
    import numpy as np

    from tfvfi.models.base import FlowEstimator, Network

logger = logging.getLogger(__name__)

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


@functools.cache
def presets() -> dict[str, Preset]:
    """Every preset by its name."""
    found = {}
    for folder in pkgutil.iter_modules(models.__path__):
        if folder.ispkg:
            module = importlib.import_module(f"tfvfi.models.{folder.name}.presets")
            found |= {preset.name: preset for preset in module.PRESETS}
    return dict(sorted(found.items()))


def preset(name: str) -> Preset:
    """The preset of that name; an unknown one is answered with the names there are."""
    if name not in presets():
        known = ", ".join(presets())
        raise ArgumentError(f"there is no model '{name}'; the names are: {known}")
    return presets()[name]


def list_models() -> dict[str, dict[str, Any]]:
    """What can be loaded: name -> kind, variants, times, licence of the known weights.

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
        }
        for name, known in presets().items()
    }


def build(name: str, **options: Any) -> "Network":
    """A network of that name with fresh weights.

    Args:
        name: One of `list_models()`.
        **options: Arguments of its class that replace the preset's.
    """
    known = preset(name)
    network = _network_class(known)
    _check_options(known, options)
    settings = {"name": name, **known.config, **options}
    if known.times is not None:
        settings.setdefault("times", known.times)
    model = network(**settings)
    if known.has_weights:
        model.build_variables()
    return model


def load(name: str, weights: str | Path | None = "default", **options: Any) -> "Network":
    """Loads a network, ready to interpolate or to estimate flow.

    Args:
        name: One of `list_models()`.
        weights: A `.weights.h5` file; left out, the bundled weights; None, fresh random ones.
        **options: Arguments of the network, for instance `flow="dis"` or `scale=0.5`; left out,
            those that the weights were trained with.

    Raises:
        InputError: The name is unknown, or the weights are missing or of another network.

    Example:
        >>> import tfvfi
        >>> tfvfi.load("flow_interpolation", flow="dis").times
        'any'
    """
    known = preset(name)
    path = weight_path(known, weights)
    if path is None:
        return build(name, **options)
    if weights == "default" and known.warning:
        logger.warning("%s: %s", name, known.warning)
    from tfvfi import weights as weight_files

    model = build(name, **{**trained_with(name, path), **options})
    weight_files.load(model, path)
    return model


def weight_path(known: Preset, weights: str | Path | None) -> Path | None:
    """The file that `load` reads for its argument `weights`; None for fresh weights or none."""
    if weights is None or (weights == "default" and not known.has_weights):
        return None
    if not known.has_weights:
        raise InputError(f"{known.name} has no weights of its own; leave out weights={weights!r}")
    if weights != "default":
        return Path(weights)
    if known.bundled is None:
        raise InputError(_how_to_get_weights(known))
    return Path(__file__).parent / "bundled" / known.bundled


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
    name: str, weights: str | Path | None = "default", **options: Any
) -> "Network":
    """Loads a network that renders frames; a flow estimator is refused in one sentence."""
    if preset(name).kind != "interpolator":
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


def options_of(name: str) -> set[str]:
    """The options that `load` takes for a network of that name."""
    from tfvfi.models.base import Network

    taken = {"dtype"}
    cls = _network_class(preset(name))
    for parent in cls.__mro__[: cls.__mro__.index(Network)]:
        taken |= set(inspect.signature(parent.__init__).parameters) - {"self", "kwargs", "args"}
    return taken


def _network_class(known: Preset) -> type:
    startup.import_keras()
    module, _, name = known.network.partition(":")
    return getattr(importlib.import_module(module), name)


def _check_options(known: Preset, options: dict[str, Any]) -> None:
    """Refuses options that no class of the network's takes."""
    taken = options_of(known.name)
    unknown = sorted(set(options) - taken)
    if unknown:
        listed = ", ".join(sorted(taken))
        raise InputError(f"{known.name} takes no option '{unknown[0]}'; it takes: {listed}")


def trained_with(name: str, path: str | Path) -> dict[str, Any]:
    """The options that weights of a network were trained with, as far as their file tells."""
    from tfvfi import weights as weight_files

    about = weight_files.describe(path)
    told = about.get("options") if about.get("model") == name else None
    return told if isinstance(told, dict) else {}


def _stem(weights: str | Path) -> str:
    """The name of a file of weights without its folder and ending."""
    return Path(weights).name.removesuffix(".weights.h5")


def _digest(name: str, weights: str | Path | None) -> str | None:
    """SHA-256 of the file of weights, bundled ones too; None where there is no file."""
    file = weight_path(preset(name), weights)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else None


def _how_to_get_weights(known: Preset) -> str:
    if not known.checkpoints:
        return (
            f"{known.name} has no published weights; train some with tools/train.py, "
            "or pass weights=None for fresh ones"
        )
    first = known.checkpoints[0]
    return (
        f"{known.name} comes without weights: get {first.file} from {first.source} "
        f"(licence: {first.licence}), convert it with `python tools/convert_checkpoint.py "
        f"--model={known.name} --checkpoint={first.file} --output={known.name}.weights.h5`, and "
        f'pass weights="{known.name}.weights.h5" (or weights=None for fresh ones)'
    )
