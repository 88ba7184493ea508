"""One step: what it adds up, averages, clips, and computes in parts or in few bits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import tiny
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.models.objectives import l1
from tfvfi.training import optimizers
from tfvfi.training.settings import Settings, complete
from tfvfi.training.step import Trainer
from tfvfi.training.tensorflow_step import TensorFlowTrainer

tiny.register()


def batch(seed: int, size: int = 4) -> dict[str, np.ndarray]:
    frames = np.random.default_rng(seed).uniform(size=(3, size, 16, 16, 3)).astype("float32")
    names = ("frame0", "frame1", "target")
    return dict(zip(names, frames, strict=True)) | {"time": np.full(size, 0.5, "float32")}


def tensors(seed: int) -> dict[str, tf.Tensor]:
    return {name: tf.constant(array) for name, array in batch(seed).items()}


def trainer(parts: int = 1, **asked) -> TensorFlowTrainer:
    asked = {"optimizer": "sgd", "learning_rate": 0.1, "steps": 10, "ema": 0.0, **asked}
    settings = complete(Settings("tiny", "", "", **asked), registry.preset("tiny"), 10, 16)
    made = TensorFlowTrainer(registry.build("tiny", dtype=settings.precision), l1, parts)
    shapes = {name: array.shape for name, array in batch(0).items()}
    made.prepare(optimizers.build(settings), shapes)
    return made


def steps(made: TensorFlowTrainer, count: int) -> list[np.ndarray]:
    """The weights after each of so many steps."""
    found = []
    for number in range(count):
        made.update(tensors(number))
        found.append(keras.ops.convert_to_numpy(made.network.shares))
    return found


def gradient(weights: np.ndarray, data: dict[str, np.ndarray]) -> np.ndarray:
    """Of the mean absolute difference, by hand."""
    frames = data["frame0"], data["frame1"], np.ones_like(data["frame0"])
    painted = sum(weight * frame for weight, frame in zip(weights, frames, strict=True))
    sign = np.sign(painted - data["target"])
    return np.array([np.mean(sign * frame) for frame in frames])


def test_a_step_goes_down_the_mean_over_the_batch():
    (found,) = steps(trainer(), 1)
    expected = np.array(tiny.FIRST) - 0.1 * gradient(np.array(tiny.FIRST), batch(0))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_batch_in_parts_moves_the_weights_as_the_whole():
    for options in ({}, {"optimizer": "adamax", "learning_rate": 0.01}, {"clip": 0.05}):
        whole, parts = steps(trainer(1, **options), 5), steps(trainer(4, **options), 5)
        np.testing.assert_allclose(parts, whole, atol=1e-5)
    whole, parts = (trainer(count).update(tensors(0)) for count in (1, 4))
    for name in ("loss", "l1", "psnr", "gradient"):
        assert float(parts[name]) == pytest.approx(float(whole[name]), rel=1e-5)


def test_objectives_learn_how_far_the_training_is():
    def objective(network, batch, training=True):
        frame = network({key: batch[key] for key in network.input_names})["frame"]
        unknown = keras.ops.convert_to_tensor(-1.0)
        return keras.ops.mean(frame), {"progress": batch.get("progress", unknown)}

    made = TensorFlowTrainer(registry.build("tiny"), objective, parts=2, steps=4)
    made.prepare(keras.optimizers.SGD(0.1), {name: part.shape for name, part in batch(0).items()})
    assert [float(made.update(tensors(0))["progress"]) for _ in range(3)] == [0, 0.25, 0.5]
    # Nothing is under way where weights are judged.
    assert made(batch(0), training=False)["progress"] == -1


def test_the_norm_of_the_gradient_is_told():
    by_hand = np.linalg.norm(gradient(np.array(tiny.FIRST), batch(0)))
    for clip in (0.0, 0.05):
        found = trainer(clip=clip).update(tensors(0))
        assert float(found["gradient"]) == pytest.approx(by_hand, rel=1e-4)
    # What overflows there is left out, and no reason to stop.
    assert "gradient" not in trainer(precision="mixed_float16").update(tensors(0))


def test_the_whole_gradient_is_clipped():
    (found,) = steps(trainer(clip=0.05), 1)
    moved = np.array(tiny.FIRST) - found
    assert np.linalg.norm(moved) == pytest.approx(0.1 * 0.05, rel=1e-4)
    by_hand = gradient(np.array(tiny.FIRST), batch(0))
    np.testing.assert_allclose(
        moved / np.linalg.norm(moved), by_hand / np.linalg.norm(by_hand), atol=1e-4
    )


def test_weights_are_averaged():
    made = trainer(ema=0.75)
    # The weights that nothing has taught yet do not count.
    mean, *others = steps(made, 4)
    for weights in others:
        mean = 0.75 * mean + 0.25 * weights
    (found,) = optimizers.averages(made.optimizer)
    np.testing.assert_allclose(found, mean, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "adamax", "sgd"])
def test_every_optimizer_learns(optimizer):
    made = trainer(optimizer=optimizer, learning_rate=0.01)
    values = [float(made.update(tensors(0))["loss"]) for _ in range(20)]
    assert values[-1] < values[0]


def test_an_optimizer_takes_its_own_options_only():
    made = trainer(optimizer="adamw", optimizer_options={"weight_decay": 0.5})
    assert made.optimizer.weight_decay == 0.5
    with pytest.raises(InputError, match=r"`optimizer='sgd'` does not take .*beta_3"):
        trainer(optimizer_options={"beta_3": 1})


def test_float16_is_scaled_so_that_small_gradients_survive():
    made = trainer(precision="mixed_float16", ema=0.75)
    assert type(made.optimizer).__name__ == "LossScaleOptimizer"
    np.testing.assert_allclose(steps(made, 3), steps(trainer(), 3), atol=1e-5)
    assert optimizers.averages(made.optimizer)


def test_coordinates_stay_float32():
    made = Trainer(registry.build("ifrnet_s", dtype="mixed_bfloat16"), l1)
    made.prepare(keras.optimizers.Adam(), {name: each.shape for name, each in batch(0).items()})
    found = made(batch(0, size=1), training=False)
    assert {value.dtype.name for value in found["outputs"].values()} == {"float32"}
    assert {weight.dtype for weight in made.network.weights} == {"float32"}
    assert made.network.compute_dtype != "float32"


def test_a_cycle_is_measured_by_the_frame_in_its_middle():
    from tfvfi.models.cycle import cycle

    data = batch(0)
    data["frame2"] = data.pop("target")
    found = Trainer(registry.build("tiny"), cycle())(data, training=True)
    assert set(found) == {"loss", "pixel", "psnr"}
