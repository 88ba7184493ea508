"""Creates optimizers from the settings of a training."""

from typing import Any

import keras

from tfvfi.models.optimizers import create
from tfvfi.models.schedules import LearningRate
from tfvfi.training.settings import Settings


def build(settings: Settings, replicas: int = 1) -> keras.optimizers.Optimizer:
    """Returns the optimizer for complete settings.

    Args:
        settings: Settings without any None, see `tfvfi.training.settings.complete`.
        replicas: Number of replicas that apply it together. Each clips its share of the whole
            gradient, see `tfvfi.training.tensorflow_step`.
    """
    rate = LearningRate(
        settings.learning_rate,
        settings.steps,
        settings.schedule,
        last=settings.final_rate,
        milestones=settings.milestones,
        factor=settings.factor,
        warm_up=settings.warm_up,
    )
    options: dict[str, Any] = dict(settings.optimizer_options)
    if settings.clip:
        options["global_clipnorm"] = settings.clip / replicas
    if settings.ema:
        options |= {"use_ema": True, "ema_momentum": settings.ema}
    return create(settings.optimizer, rate, options)


def averages(optimizer: keras.optimizers.Optimizer) -> list[Any] | None:
    """Returns the moving averages of the trainable weights, in order; None if none are kept."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # Keras exposes them nowhere else; its own SwapEMAWeights reads the same list.
    return optimizer._model_variables_moving_average if optimizer.use_ema else None
