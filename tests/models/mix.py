"""A network of three weights, which Keras saves, loads and trains in no time."""

from typing import Any

import keras
from keras import ops

from tfvfi import registry
from tfvfi.models.base import Interpolator
from tfvfi.models.preset import Preset


@keras.saving.register_keras_serializable("tests")
class Mix(Interpolator):
    """Shares of both frames, and a brightness."""

    def __init__(self, start: float = 0.3, **kwargs: Any):
        super().__init__(**kwargs)
        self.start = start
        self.calls = 0

    def build(self, input_shape: Any = None) -> None:
        """Creates the shares."""
        start = keras.initializers.Constant(self.start)
        self.shares = self.add_weight(shape=(3,), initializer=start, name="shares")

    def get_config(self) -> dict[str, Any]:
        """The arguments that create this network again."""
        return {**super().get_config(), "start": self.start}

    def prepare(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """The pair."""
        self.calls += 1
        return {"frame0": frame0, "frame1": frame1}

    def render(self, prepared: dict[str, Any], time: Any) -> dict[str, Any]:
        """The frame, and flows that are always one pixel."""
        first, second, brightness = (ops.cast(self.shares, "float32")[at] for at in range(3))
        frame = first * prepared["frame0"] + second * prepared["frame1"] + brightness
        flow = ops.ones_like(frame[..., :2])
        return {"frame": frame, "flow0": flow, "flow1": -flow}


def register() -> None:
    """Makes "mix" loadable."""
    training = {"optimizer": {"name": "sgd", "momentum": 0.5}, "learning_rate": 0.1}
    registry.register(
        Preset("mix", "tests.models.mix:Mix", "interpolator", "three weights", "this test")
    )
    registry.register(
        Preset(
            "mix_quick",
            "tests.models.mix:Mix",
            "interpolator",
            "three weights",
            "this test",
            training=training,
        )
    )
