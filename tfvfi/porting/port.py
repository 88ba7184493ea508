"""Ports the arrays of a checkpoint to the variables of a network by their names.

The `checkpoint.py` of a network maps the names in published files to its variables:

- `variable_names(config)` maps each published key to the path of a variable inside the network,
  for the arguments that the network was built with;
- `UNUSED` holds patterns of published keys that the network does not need;
- `rename(key)`, if several spellings were published, returns the spelling that `variable_names`
  uses.
"""

import importlib.util
import inspect
import re
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tfvfi.checkpoints.layout import arranged, published_shape
from tfvfi.errors import InputError
from tfvfi.models.index import preset, presets
from tfvfi.models.loading import build
from tfvfi.weights import variable_name

if TYPE_CHECKING:
    from tfvfi.models.base import Network

SHOWN = 3


def port(
    tensors: Mapping[str, np.ndarray],
    model: "Network",
    rules: ModuleType | Any,
    source: str = "the checkpoint",
) -> None:
    """Assigns every variable of a network from a checkpoint, or none if any does not fit.

    Args:
        tensors: The arrays by their published keys, as `read` returns them.
        model: A built network.
        rules: The `checkpoint.py` of the network.
        source: The name of the checkpoint in error messages.

    Raises:
        InputError: Arrays are missing, unknown or of another shape. The message names the first of
            each kind and, if it is recognized, the network that the checkpoint belongs to.
    """
    tensors = _renamed(tensors, rules)
    variables = {variable_name(variable): variable for variable in model.weights}
    names = rules.variable_names(model.get_config())
    if sorted(names.values()) != sorted(variables):
        differ = sorted(set(names.values()) ^ set(variables)) or "one variable filled twice"
        raise RuntimeError(f"checkpoint.py of {model.name} and its variables differ: {differ}")

    missing = [key for key in names if key not in tensors]
    unknown = [key for key in tensors if key not in names and not _is_unused(key, rules)]
    misshapen, values = [], {}
    for key in names:
        if key in tensors:
            variable = variables[names[key]]
            values[names[key]] = arranged(tensors[key], names[key], tuple(variable.shape))
            if values[names[key]] is None:
                expected = published_shape(names[key], tuple(variable.shape))
                misshapen.append(f"{key} is {tensors[key].shape} and should be {expected}")
    complaints = [
        _complaint(missing, "missing from it"),
        _complaint(unknown, f"unknown to {model.name}"),
        _complaint(misshapen, "of another shape"),
    ]
    if any(complaints):
        raise InputError(
            f"{source} does not fit {model.name}: {'; '.join(filter(None, complaints))}; "
            + _advice(tensors, model.name)
        )
    for path, value in values.items():
        variables[path].assign(value)


def rules_of(name: str) -> ModuleType:
    """Returns the `checkpoint.py` module of the network with this name.

    Raises:
        InputError: The network has none.
    """
    if not _has_rules(name):
        raise InputError(f"{name} has no published weights that could be converted")
    return importlib.import_module(_rules_module(name))


def recognize(tensors: Mapping[str, np.ndarray]) -> str | None:
    """Returns the name of the network that the arrays of a checkpoint belong to.

    Args:
        tensors: The arrays by their published keys.

    Returns:
        The name of the first network that they fit, or None if there is none.
    """
    for name, known in presets().items():
        if not _has_rules(name):
            continue
        module, _, cls = known.network.partition(":")
        rules = rules_of(name)
        network = getattr(importlib.import_module(module), cls)
        names = rules.variable_names(_defaults(network) | dict(known.config))
        renamed = _renamed(tensors, rules)
        used = {key for key in renamed if key in names or not _is_unused(key, rules)}
        # Building a network is slow, so shapes are compared only if the names match.
        if used == set(names) and _fits(renamed, names, build(name)):
            return name
    return None


def _rules_module(name: str) -> str:
    network = preset(name).network.partition(":")[0]
    return f"{network.rpartition('.')[0]}.checkpoint"


def _has_rules(name: str) -> bool:
    return importlib.util.find_spec(_rules_module(name)) is not None


def _fits(tensors: Mapping[str, np.ndarray], names: Mapping[str, str], model: "Network") -> bool:
    shapes = {variable_name(variable): tuple(variable.shape) for variable in model.weights}
    return all(
        arranged(tensors[key], path, shapes[path]) is not None for key, path in names.items()
    )


def _defaults(network: type) -> dict[str, Any]:
    parameters = inspect.signature(network).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _renamed(tensors: Mapping[str, np.ndarray], rules: Any) -> dict[str, np.ndarray]:
    rename = getattr(rules, "rename", str)
    return {rename(key): values for key, values in tensors.items()}


def _is_unused(key: str, rules: Any) -> bool:
    return any(re.fullmatch(pattern, key) for pattern in rules.UNUSED)


def _complaint(found: list[str], what: str) -> str:
    if not found:
        return ""
    listed = ", ".join(found[:SHOWN] + ["..."] * (len(found) > SHOWN))
    return f"{len(found)} {'is' if len(found) == 1 else 'are'} {what} ({listed})"


def _advice(tensors: Mapping[str, np.ndarray], wanted: str) -> str:
    found = recognize(tensors)
    if found is None or found == wanted:
        return "it looks like no network known here; get the file published for this one"
    return f"this looks like {found}, so name that model"
