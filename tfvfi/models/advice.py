"""The training that a preset recommends, completed with defaults; needs no backend."""

from collections.abc import Mapping
from typing import Any

# Defaults for presets without a recommendation.
OPTIMIZER, RATE, EPOCHS = {"name": "adamw"}, 1e-4, 100
MILESTONES, FACTOR = (0.5, 0.75), 0.1
# The final rate of a cosine schedule, as a share of the initial rate.
END = 0.1


def optimizer_of(training: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the name and the arguments of the optimizer in a preset's `training`."""
    advised = dict(training.get("optimizer", OPTIMIZER))
    return advised.pop("name"), advised


def rate_of(training: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the learning rate in a preset's `training`, as arguments of `LearningRate`."""
    advised = training.get("learning_rate", RATE)
    if not isinstance(advised, Mapping):
        advised = {"schedule": "constant", "first": advised}
    epochs = training.get("epochs", EPOCHS)
    first = advised["first"]
    return {
        "first": first,
        "shape": advised["schedule"],
        "last": advised.get("last", END * first),
        "milestones": tuple(epoch / epochs for epoch in advised.get("epochs", ())) or MILESTONES,
        "factor": advised.get("factor", FACTOR),
        "warm_up": advised.get("warm_up", 0),
    }
