"""The loops that drive the steps: Keras's `fit` on one device, a custom loop under a strategy.

Keras's `fit` does not support MultiWorkerMirroredStrategy. Both loops call the same Keras
callbacks; an "epoch" is an interval, the span from one checkpoint to the next.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

import keras

from tfvfi.training import strategies
from tfvfi.training.job import Job
from tfvfi.training.step import Trainer

Callbacks = list[keras.callbacks.Callback]


def drive(job: Job, start: int, steps: int, interval: int, callbacks: Callbacks) -> None:
    """Performs steps of a job.

    Args:
        job: The training.
        start: Number of steps done before.
        steps: Number of steps to do.
        interval: Steps per "epoch".
        callbacks: Keras callbacks.
    """
    batches = job.batches(start)
    with strategies.lost_workers(job.strategy), _plain_errors():
        if job.strategy is None:
            fit(job.trainer, batches, steps, interval, callbacks)
        else:
            distribute(job.trainer, job.strategy, batches, steps, interval, callbacks)


def fit(
    trainer: Trainer, batches: Iterable, steps: int, interval: int, callbacks: Callbacks
) -> None:
    """Performs steps with `fit`.

    Args:
        trainer: The compiled trainer.
        batches: Batches without end.
        steps: Number of steps to do.
        interval: Steps per "epoch".
        callbacks: Keras callbacks.
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
    trainer: Any, strategy: Any, dataset: Any, steps: int, interval: int, callbacks: Callbacks
) -> None:
    """Performs steps with `strategy.run`.

    Args:
        trainer: A `TensorFlowTrainer` created within the strategy's scope.
        strategy: A strategy of tf.distribute.
        dataset: Batches of this worker, for all of its replicas together.
        steps: Number of steps to do.
        interval: Steps per "epoch".
        callbacks: Keras callbacks.
    """
    import tensorflow as tf

    local = strategy.num_replicas_in_sync // strategies.worker(strategy)[1]

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
        for number in range(min(interval, steps - first)):
            callbacks.on_train_batch_begin(number)
            callbacks.on_train_batch_end(number, step())
        callbacks.on_epoch_end(first // interval)
    callbacks.on_train_end()


class Countdown(keras.callbacks.Callback):
    """Stops `fit` after a number of steps, even within an epoch."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step and stops training after the last one."""
        self.left -= 1
        if not self.left:
            self.model.stop_training = True


def _plain_errors() -> contextlib.AbstractContextManager:
    """Returns a context that raises reading errors as they were before TensorFlow wrapped them."""
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    from tfvfi.data import plain_errors

    return plain_errors()
