"""Flow networks learn from frames alone: gradients reach their weights, and the error falls."""

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tests.conftest import psnr
from tfvfi import registry
from tfvfi.cli import command
from tfvfi.cli import train as tool
from tfvfi.models import objectives
from tfvfi.training.tensorflow_step import TensorFlowTrainer

RATE = 3e-4
# How far the scene moves to the right from one frame to the next.
SHIFT = 2


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Three frames of a scene that moves, in [0, 1]."""
    noise = np.random.default_rng(5).uniform(0, 1, (12, 12, 3))
    scene = cv2.resize(noise, (96, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    starts = (20 - SHIFT * number for number in range(3))
    return [scene[16:80, start : start + 64].astype("float32") for start in starts]


def train(network, objective, batch: dict[str, np.ndarray], steps: int) -> list[float]:
    """The loss at each step."""
    batch = {name: tf.constant(part) for name, part in batch.items()}
    trainer = TensorFlowTrainer(network, objective)
    trainer.prepare(keras.optimizers.Adam(RATE), {name: part.shape for name, part in batch.items()})
    step = tf.function(trainer.update)
    return [float(step(batch)["loss"]) for _ in range(steps)]


# Fast with other networks in tests/models/test_flow_splatting.py and test_pwcnet.py.
@pytest.mark.slow
# Matching colors is also tested, on the network alone, in tests/models/test_flownet2.py.
@pytest.mark.parametrize(
    ("way", "steps"),
    [
        ("through rendered frames", 9),
        ("by its own error", 24),
    ],
)
def test_weights_change_and_the_interpolation_error_falls(way, steps, frames):
    first, middle, second = frames
    keras.utils.set_random_seed(0)
    network = tfvfi.load("flownet2_s", weights=None)
    model = tfvfi.load("flow_interpolation", flow=network)

    def score() -> float:
        (frame,) = model.interpolate(first, second)
        return psnr(255 * frame, 255 * middle)

    before, fresh = score(), [weight.numpy() for weight in network.trainable_variables]
    batch = {"frame0": np.stack([first, second]), "frame1": np.stack([second, first])}
    if way == "by its own error":
        found = objectives.find(registry.preset("flownet2_s"), "photometric")
        assert found.batch == "pair"
        losses = train(network, objectives.build(found, {}), batch, steps)
    else:
        found = objectives.find(registry.preset("flow_interpolation"), "l1")
        batch |= {"target": np.stack([middle] * 2), "time": np.full(2, 0.5, "float32")}
        losses = train(model, objectives.build(found, {}), batch, steps)

    assert losses[-1] < 0.7 * losses[0]
    assert score() > before + 6
    changed = [
        np.abs(weight.numpy() - old).max() > 0
        for weight, old in zip(network.trainable_variables, fresh, strict=True)
    ]
    assert all(changed)


def test_the_command_takes_weights_of_the_flow(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("tfvfi.training.session.train", asked.append)
    flags = ["--model=flow_interpolation", "--records=mine", "--output=run", "--flow_weights=a.h5"]
    assert command.exit_code(tool.main, tool.FLAGS, ["train", *flags, "--flow=pwcnet"]) == 0
    assert (asked[0].flow, asked[0].weights) == ("pwcnet", "a.h5")
    both = ["--flow=pwcnet", "--weights=b.h5"]
    assert command.exit_code(tool.main, tool.FLAGS, ["train", *flags, *both]) == 2
    assert "takes the place of --weights" in capsys.readouterr().err
