"""The presets there are: of the networks here, of installed packages, and registered by hand.

A network of ours is a folder beside this file with a `presets.py`. One from outside is announced
by `register`, or by an entry point of the group `tfvfi.presets` that leads to a `Preset` or to
several.
"""

import functools
import importlib
import importlib.metadata
import logging
import pkgutil
from collections.abc import Iterator
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

    Afterwards `tfvfi.load`, `tfvfi.list_models` and every command know it. A package that is
    installed can instead name its presets as an entry point of the group `tfvfi.presets`.

    Args:
        preset: What is known of it; `preset.network` is "module:Class" of a
            `tfvfi.models.base.Interpolator` or `FlowEstimator`.

    Raises:
        InputError: The name belongs to another network.

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
    """Every preset by its name, in alphabetical order."""
    return dict(sorted({**_installed(), **_registered}.items()))


def preset(name: str) -> Preset:
    """The preset of that name; an unknown one is answered with the names there are."""
    known = presets()
    if name not in known:
        raise ArgumentError(f"there is no model '{name}'; the names are: {', '.join(known)}")
    return known[name]


def preset_of(network: "Model") -> Preset | None:
    """The preset that a network was built from, or else the first one of its class."""
    same = [known for known in presets().values() if network_class(known) is type(network)]
    return next((known for known in same if known.name == network.name), same[0] if same else None)


def network_class(known: Preset) -> type:
    """The class of a preset, imported when it is first asked for."""
    startup.import_keras()
    module, _, name = known.network.partition(":")
    return getattr(importlib.import_module(module), name)


@functools.cache
def own_presets() -> tuple[Preset, ...]:
    """The presets of the networks in this package."""
    folders = (found.name for found in pkgutil.iter_modules(models.__path__) if found.ispkg)
    modules = (importlib.import_module(f"tfvfi.models.{folder}.presets") for folder in folders)
    return tuple(known for module in modules for known in module.PRESETS)


@functools.cache
def _installed() -> dict[str, Preset]:
    """The presets of this package, and those that other installed packages offer."""
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
        # Whatever another package does wrong must not take ours away.
        except Exception as error:
            logger.warning("The presets of entry point %s cannot be used: %s", point.value, error)
