"""What drives the steps: Keras's `fit` on one device, the strategy's own loop on several.

Keras's `fit` does not run under MultiWorkerMirroredStrategy. Both call the same callbacks of Keras,
an "epoch" being the stretch from one checkpoint to the next.
"""

from collections.abc import Iterable
from typing import Any

import keras

from tfvfi.training.step import Trainer


def fit(
    trainer: Trainer,
    batches: Iterable,
    steps: int,
    interval: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Steps through `fit`.

    Args:
        trainer: Compiled.
        batches: Without end.
        steps: How many steps to go.
        interval: Steps between the ends of epochs.
        callbacks: The last step must set `trainer.stop_training`, see `Countdown`.
    """
    trainer.fit(
        batches,
        epochs=-(-steps // interval),
        steps_per_epoch=min(steps, interval),
        callbacks=[*callbacks, Countdown(steps)],
        shuffle=False,
        verbose=0,
    )


def distribute(
    trainer: Any,
    strategy: Any,
    dataset: Any,
    steps: int,
    interval: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Steps through `strategy.run`; arguments as of `fit`.

    Args:
        trainer: A `TensorFlowTrainer`, made within the strategy's scope.
        strategy: Of tf.distribute.
        dataset: Batches of this worker, all its replicas together.
        steps: How many steps to go.
        interval: Steps between the ends of epochs.
        callbacks: As for `fit`.
    """
    import tensorflow as tf

    local = strategy.extended._num_replicas_in_sync // _workers(strategy)

    def of_one_replica(_: Any) -> tf.data.Dataset:
        share = dataset.element_spec["frame0"].shape[0] // local
        return dataset.rebatch(share, drop_remainder=True)

    batches = iter(strategy.distribute_datasets_from_function(of_one_replica))

    @tf.function
    def step() -> dict[str, Any]:
        found = strategy.run(trainer.update, args=(next(batches),))
        return {
            name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
            for name, value in sorted(found.items())
        }

    callbacks = keras.callbacks.CallbackList(callbacks, model=trainer)
    callbacks.on_train_begin()
    for first in range(0, steps, interval):
        callbacks.on_epoch_begin(first // interval)
        sums: dict[str, float] = {}
        for number in range(min(interval, steps - first)):
            callbacks.on_train_batch_begin(number)
            for name, value in step().items():
                sums[name] = sums.get(name, 0.0) + float(value)
            logs = {name: total / (number + 1) for name, total in sums.items()}
            callbacks.on_train_batch_end(number, logs)
        callbacks.on_epoch_end(first // interval, logs)
    callbacks.on_train_end()


class Countdown(keras.callbacks.Callback):
    """Stops `fit` after a number of steps, even within an epoch."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts."""
        self.left -= 1
        if not self.left:
            self.model.stop_training = True


def _workers(strategy: Any) -> int:
    from tfvfi.training.strategies import worker

    return worker(strategy)[1]
