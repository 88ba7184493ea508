"""Creates optimizers with the learning rates that presets recommend."""

from collections.abc import Mapping
from typing import Any

import keras

from tfvfi.errors import InputError
from tfvfi.models.advice import optimizer_of, rate_of
from tfvfi.models.preset import Preset
from tfvfi.models.schedules import LearningRate

CLASSES = {"adam": "Adam", "adamw": "AdamW", "adamax": "Adamax", "sgd": "SGD"}


def recommended(preset: Preset, steps: int | None = None) -> keras.optimizers.Optimizer:
    """Returns the optimizer that a network's paper trains with.

    Args:
        preset: The preset of the network.
        steps: The length of the training, over which the learning rate follows the paper's
            schedule; by default the rate stays at its initial value.

    Example:
        >>> import tfvfi
        >>> from tfvfi.models.optimizers import recommended
        >>> type(recommended(tfvfi.registry.preset("sepconv"))).__name__
        'Adamax'
    """
    name, options = optimizer_of(preset.training)
    rate = rate_of(preset.training)
    schedule = LearningRate(steps=steps, **rate) if steps else rate["first"]
    return create(name, schedule, options)


def create(name: str, rate: Any, options: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Creates an optimizer by name.

    Args:
        name: One of `CLASSES`.
        rate: The learning rate, a number or a schedule.
        options: Further arguments of the optimizer.

    Raises:
        InputError: The optimizer does not accept these arguments.
    """
    try:
        return getattr(keras.optimizers, CLASSES[name])(rate, **options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`optimizer='{name}'` does not take {dict(options)}: {str(error).splitlines()[0]}"
        ) from None
