"""The index of all presets: those of this package, of installed packages, and registered ones.

Each network of this package is a folder beside this file with a `presets.py`. Other networks are
added with `register`, or through an entry point of the group `tfvfi.presets` that refers to one
`Preset` or to several.
"""

import functools
import importlib
import importlib.metadata
import logging
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tfvfi import models, startup
from tfvfi.errors import ArgumentError, InputError
from tfvfi.models.preset import Preset

if TYPE_CHECKING:
    from keras import Model

logger = logging.getLogger(__name__)
ENTRY_POINTS = "tfvfi.presets"
_registered: dict[str, Preset] = {}


def register(preset: Preset) -> None:
    """Makes a network from outside this package loadable by its name.

    Afterwards `tfvfi.load`, `tfvfi.list_models` and every command accept the name. An installed
    package can instead declare its presets as an entry point of the group `tfvfi.presets`.

    Args:
        preset: The description of the network; `preset.network` is the "module:Class" of a
            `tfvfi.models.base.Interpolator` or `FlowEstimator`.

    Raises:
        InputError: The name already belongs to another network.

    Example:
        >>> import tfvfi
        >>> from tfvfi.models.preset import Preset
        >>> tfvfi.register(
        ...     Preset(
        ...         name="my_ifrnet",
        ...         network="tfvfi.models.ifrnet.network:IFRNet",
        ...         kind="interpolator",
        ...         description="IFRNet with narrow layers",
        ...         origin="this example",
        ...         config={"widths": (8, 12, 16, 24), "side": 8},
        ...     )
        ... )
        >>> tfvfi.load("my_ifrnet", weights=None).count_params() < 400_000
        True
    """
    if not isinstance(preset, Preset):
        raise InputError(f"a tfvfi.models.preset.Preset is registered. Received: {preset!r}")
    if presets().get(preset.name, preset) != preset:
        raise InputError(
            f"there is already a model '{preset.name}', of {presets()[preset.name].network}; "
            "choose another name for the preset"
        )
    _registered[preset.name] = preset


def presets() -> dict[str, Preset]:
    """Returns every preset by name, in alphabetical order."""
    return dict(sorted({**_installed(), **_registered}.items()))


def preset(name: str) -> Preset:
    """Returns the preset of that name.

    Raises:
        ArgumentError: There is no such preset; the message lists those that exist.
    """
    known = presets()
    if name not in known:
        raise ArgumentError(f"there is no model '{name}'; the names are: {', '.join(known)}")
    return known[name]


def member_names(joined: str) -> list[str]:
    """Splits the names of interpolators that are written as one text.

    Example:
        >>> member_names("flow_interpolation+rife_v4_0")
        ['flow_interpolation', 'rife_v4_0']
    """
    return joined.split("+")


def with_members(name: str, options: Mapping[str, Any] | None = None) -> list[Preset]:
    """Returns the preset of that name and those of the members that its network holds by name.

    Args:
        name: One of `tfvfi.list_models()`.
        options: Arguments that replace the preset's.
    """
    known = preset(name)
    settings = {**known.config, **(options or {})}
    joined = [settings[argument] for argument in known.members if argument in settings]
    names = [each for text in joined if isinstance(text, str) for each in member_names(text)]
    return [known, *(preset(each) for each in names)]


def preset_of(network: "Model") -> Preset | None:
    """Returns the preset that a network was built from, or else the first one of its class."""
    same = [known for known in presets().values() if network_class(known) is type(network)]
    return next((known for known in same if known.name == network.name), same[0] if same else None)


def network_class(known: Preset) -> type:
    """Returns the class of a preset, which is imported on first use."""
    startup.import_keras()
    module, _, name = known.network.partition(":")
    return getattr(importlib.import_module(module), name)


@functools.cache
def own_presets() -> tuple[Preset, ...]:
    """Returns the presets of the networks in this package."""
    folders = (found.name for found in pkgutil.iter_modules(models.__path__) if found.ispkg)
    modules = (importlib.import_module(f"tfvfi.models.{folder}.presets") for folder in folders)
    return tuple(known for module in modules for known in module.PRESETS)


@functools.cache
def _installed() -> dict[str, Preset]:
    """Returns the presets of this package and of other installed packages."""
    found = {known.name: known for known in _offered()}
    return {**found, **{known.name: known for known in own_presets()}}


def _offered() -> Iterator[Preset]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            offered: Any = point.load()
            for known in (offered,) if isinstance(offered, Preset) else tuple(offered):
                if not isinstance(known, Preset):
                    raise TypeError(f"it offers {known!r}, which is no Preset")
                yield known
        # An error in another package must not make this package's presets unavailable.
        except Exception as error:
            logger.warning("The presets of entry point %s cannot be used: %s", point.value, error)
