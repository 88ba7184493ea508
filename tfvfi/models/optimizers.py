"""Optimizers and learning rates as presets recommend them."""

from collections.abc import Mapping
from typing import Any

import keras

from tfvfi.errors import InputError
from tfvfi.models.advice import optimizer_of, rate_of
from tfvfi.models.preset import Preset
from tfvfi.models.schedules import LearningRate

CLASSES = {"adam": "Adam", "adamw": "AdamW", "adamax": "Adamax", "sgd": "SGD"}


def recommended(preset: Preset, steps: int | None = None) -> keras.optimizers.Optimizer:
    """The optimizer that a network's paper trains with.

    Args:
        preset: Of the network.
        steps: How many steps the training has, over which the paper's learning rate changes; left
            out, the rate stays what it is at first.

    Example:
        >>> import tfvfi
        >>> from tfvfi.models.optimizers import recommended
        >>> recommended(tfvfi.registry.preset("sepconv")).name
        'adamax'
    """
    name, options = optimizer_of(preset.training)
    rate = rate_of(preset.training)
    schedule = LearningRate(steps=steps, **rate) if steps else rate["first"]
    return create(name, schedule, options)


def create(name: str, rate: Any, options: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """An optimizer by its name.

    Args:
        name: One of `CLASSES`.
        rate: Its learning rate, a number or a schedule.
        options: Its other arguments.

    Raises:
        InputError: It takes no such argument.
    """
    try:
        return getattr(keras.optimizers, CLASSES[name])(rate, **options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`optimizer='{name}'` does not take {dict(options)}: {str(error).splitlines()[0]}"
        ) from None
