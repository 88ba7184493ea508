"""Uses a network of this package in every way that a Keras user would.

The network is loaded, summarized, compiled with its paper's objective, trained for some steps with
Keras's own callbacks, evaluated, used for prediction, saved, and loaded again by another process,
whose predictions must be the same.

    python examples/keras_user.py --model=ifrnet_s --output=out/keras_user
    tensorboard --logdir=out/keras_user
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

import tfvfi
from tfvfi import startup
from tfvfi.cli import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string("model", "ifrnet_s", "what to train", flag_values=FLAGS)
flags.DEFINE_string("weights", None, "where to start; fresh ones if not given", flag_values=FLAGS)
flags.DEFINE_string("records", "records/sample", "what to learn from", flag_values=FLAGS)
flags.DEFINE_string("output", None, "a folder for results", flag_values=FLAGS, required=True)
flags.DEFINE_integer("steps", 20, "steps of training", 1, flag_values=FLAGS)
flags.DEFINE_integer("batch_size", 2, "examples in a step", 1, flag_values=FLAGS)
flags.DEFINE_integer("crop_size", 64, "side of the crops in pixels", 1, flag_values=FLAGS)

# The program with which another process uses the saved model.
AGAIN = """
import sys
import keras
import numpy as np
import tfvfi

model = keras.saving.load_model(sys.argv[1])
inputs = dict(np.load(sys.argv[2]))
np.save(sys.argv[3], model.predict(inputs, verbose=0)[model.main_output])
"""


def main() -> None:
    """Performs all steps and reports their results."""
    startup.import_keras()
    output = Path(FLAGS.output)
    output.mkdir(parents=True, exist_ok=True)

    model = tfvfi.load(FLAGS.model, weights=FLAGS.weights)
    model.summary()
    model.compile(optimizer="auto", loss="auto", metrics="auto")
    history = fit(model, output)
    print("Trained:", written(history))
    print("Evaluated:", written(model.evaluate(batches(model), steps=2, return_dict=True)))

    inputs = first_inputs(model)
    predicted = model.predict(inputs, verbose=0)[model.main_output]
    model.save(output / "model.keras")
    again = predicted_by_another_process(inputs, output)
    if not np.array_equal(again, predicted):
        worst = np.abs(again - predicted).max()
        raise InputError(f"the loaded model predicts otherwise, by up to {worst:.1e}")
    print(f"Saved to {output / 'model.keras'}; loaded by another process it predicts the same.")


def fit(model: Any, output: Path) -> dict[str, float]:
    """Trains for two epochs; TensorBoard logs and one checkpoint per epoch go to the output."""
    import keras

    callbacks = [
        keras.callbacks.ModelCheckpoint(output / "epoch-{epoch}.keras"),
        keras.callbacks.TerminateOnNaN(),
    ]
    # Keras writes TensorBoard files with TensorFlow, whatever its backend.
    if importlib.util.find_spec("tensorflow"):
        callbacks.append(keras.callbacks.TensorBoard(output / "logs"))
    epochs = min(2, FLAGS.steps)
    history = model.fit(
        batches(model),
        epochs=epochs,
        steps_per_epoch=FLAGS.steps // epochs,
        shuffle=False,
        callbacks=callbacks,
    )
    return {name: values[-1] for name, values in history.history.items()}


def batches(model: Any) -> Any:
    """Returns endless batches: triplets for interpolators, pairs with exact flow for estimators."""
    how = {"batch_size": FLAGS.batch_size, "crop_size": FLAGS.crop_size}
    if model.main_output == "frame":
        return loaded(FLAGS.records, **how)
    return loaded(f"procedural:{FLAGS.records}", kind="pair", **how)


def loaded(records: str, **how: Any) -> Any:
    """Returns batches of records: a tf.data.Dataset, or an iterator on other Keras backends."""
    import keras

    if keras.backend.backend() == "tensorflow":
        return tfvfi.data.load(records, **how)
    # From a generator, Keras accepts tuples but not dicts.
    return ((batch,) for batch in tfvfi.data.iterate(records, **how))


def first_inputs(model: Any) -> dict[str, np.ndarray]:
    """Returns the inputs of one batch, without the truth."""
    batch = next(iter(batches(model)))
    batch = batch[0] if isinstance(batch, tuple) else batch
    return {name: np.asarray(batch[name]) for name in model.input_names}


def predicted_by_another_process(inputs: dict[str, np.ndarray], output: Path) -> np.ndarray:
    """Returns the saved model's prediction in a process that imports only tfvfi and Keras."""
    given, found = output / "inputs.npz", output / "predicted.npy"
    np.savez(given, **inputs)
    saved = output / "model.keras"
    subprocess.run([sys.executable, "-c", AGAIN, saved, given, found], check=True)
    return np.load(found, allow_pickle=False)


def written(values: dict[str, float]) -> str:
    """Formats metrics as text."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


if __name__ == "__main__":
    command.run(main, FLAGS)
