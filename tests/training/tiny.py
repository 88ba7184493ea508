"""A network of three weights, which trains in no time; run as a script it does whole trainings.

python tests/training/tiny.py REPLICAS '{"records": "...", "output": "...", ...}'
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import registry, startup
from tfvfi.models.preset import Preset

startup.import_keras()
import keras  # noqa: E402
from keras import ops  # noqa: E402

from tfvfi.models.base import Interpolator  # noqa: E402

# How the weights begin: shares of both frames, and a brightness.
FIRST = (0.3, 0.5, 0.1)


class Tiny(Interpolator):
    """Shares of both frames, a brightness, and noise while it is trained.

    Args:
        noise: Its deviation.
    """

    def __init__(self, noise: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.noise = noise
        self.seeds = keras.random.SeedGenerator(7)
        self.shares = self.add_weight(
            shape=(3,), initializer=lambda shape, dtype=None: ops.array(FIRST, dtype), name="shares"
        )

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """The frame; noise makes the next step depend on the random state."""
        first, second, brightness = (ops.cast(self.shares, "float32")[at] for at in range(3))
        frame = first * inputs["frame0"] + second * inputs["frame1"] + brightness
        if training and self.noise:
            shape = ops.shape(frame)
            frame = frame + self.noise * keras.random.normal(shape, seed=self.seeds)
        return {"frame": frame}

    def render(self, prepared: dict[str, Any], time: Any) -> dict[str, Any]:
        """The frame of a pair."""
        return self.call(prepared)

    def prepare(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """The pair."""
        return {"frame0": frame0, "frame1": frame1}


def _preset(name: str, **config: float) -> Preset:
    here = "tests.training.tiny:Tiny"
    return Preset(name, here, "interpolator", "three weights", "this test", config)


def register() -> None:
    """Makes "tiny" and "tiny_noisy" loadable."""
    for preset in (_preset("tiny"), _preset("tiny_noisy", noise=0.05)):
        registry.register(preset)


def weights(run: Path) -> dict[str, np.ndarray]:
    """Every array of the newest checkpoint."""
    from tfvfi.training import checkpoints

    with np.load(checkpoints.newest(run / "checkpoints")) as file:
        return {name: file[name] for name in file.files}


def records(folder: Path, **options: Any) -> str:
    """Records of varied colors, small ones."""
    # Writing records needs TensorFlow Datasets, training on them does not.
    from tests.data import small_records

    return str(small_records.write(folder, size=16, **options))


def main() -> None:
    """What the script does; steps are printed as they are kept."""
    from absl import flags

    from tfvfi.cli import command

    register()
    command.run(_train, flags.FlagValues(), sys.argv[:1])


def _train() -> None:
    from tfvfi.training.session import train
    from tfvfi.training.settings import Settings

    replicas, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    if replicas > 1:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        devices = [tf.config.LogicalDeviceConfiguration()] * replicas
        tf.config.set_logical_device_configuration(cpu, devices)
    for each in settings if isinstance(settings, list) else [settings]:
        train(Settings(**each))


if __name__ == "__main__":
    main()
