"""Lets Keras find our classes by their registered names before their modules are imported.

`keras.saving.load_model` looks a class up by its registered name, and a class is registered when
its module is imported. To load a file after `import tfvfi` alone, a stand-in is registered for
every class that a file can refer to; the stand-in imports the class on demand.
"""

import importlib
from typing import Any

from tfvfi.models.index import own_presets

# Classes other than networks that a saved model can refer to, by module.
OTHERS = {
    "tfvfi.layers": ("Conv2D", "ConvPReLU", "Double", "PReLU"),
    "tfvfi.metrics": ("PSNR", "SSIM", "EndpointError"),
    "tfvfi.models.fitting": ("ObjectiveLoss",),
    "tfvfi.models.schedules": ("LearningRate",),
}


class Deferred:
    """Stands in for a class until an object of it is created.

    Args:
        place: The location of the class, as "module:Class".
    """

    def __init__(self, place: str):
        self.place = place

    def from_config(self, config: dict[str, Any]) -> Any:
        """Returns the object that the class itself creates from a configuration."""
        module, _, name = self.place.partition(":")
        return getattr(importlib.import_module(module), name).from_config(config)


def announce() -> None:
    """Registers a stand-in for every class that is not imported yet."""
    from keras.saving import get_custom_objects

    places = [f"{module}:{name}" for module, names in OTHERS.items() for name in names]
    known = get_custom_objects()
    for place in dict.fromkeys([*(preset.network for preset in own_presets()), *places]):
        known.setdefault(f"tfvfi>{place.partition(':')[2]}", Deferred(place))
