"""Lets Keras find our classes by their registered names before their modules are imported.

`keras.saving.load_model` looks a class up by the name under which it was registered, which happens
when its module is imported. So that a file can be loaded after `import tfvfi` alone, a stand-in is
registered for every class that a file can name; it imports the class when it is needed.
"""

import importlib
from typing import Any

from tfvfi.models.index import own_presets

# Classes beside the networks that a saved model can name: their module -> their names.
OTHERS = {
    "tfvfi.layers": ("Conv2D", "ConvPReLU", "Double", "PReLU"),
    "tfvfi.metrics": ("PSNR", "SSIM", "EndpointError"),
    "tfvfi.models.fitting": ("ObjectiveLoss",),
    "tfvfi.models.schedules": ("LearningRate",),
}


class Deferred:
    """Stands for a class until an object of it is made.

    Args:
        place: The class, as "module:Class".
    """

    def __init__(self, place: str):
        self.place = place

    def from_config(self, config: dict[str, Any]) -> Any:
        """The object that the class itself makes of a config."""
        module, _, name = self.place.partition(":")
        return getattr(importlib.import_module(module), name).from_config(config)


def announce() -> None:
    """Registers a stand-in for every class that is not imported yet."""
    from keras.saving import get_custom_objects

    places = [f"{module}:{name}" for module, names in OTHERS.items() for name in names]
    known = get_custom_objects()
    for place in dict.fromkeys([*(preset.network for preset in own_presets()), *places]):
        known.setdefault(f"tfvfi>{place.partition(':')[2]}", Deferred(place))
