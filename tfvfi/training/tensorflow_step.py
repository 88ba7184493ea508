"""The training step on TensorFlow: on several replicas, and with a batch in several parts.

Keras sums the replicas' gradients and clips each of them before the sum. Here every replica
computes its share of the gradient of the mean over the whole batch, and clips its share of the
whole gradient, so that the weights do not depend on the number of replicas.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfvfi.ops.sums import in_order
from tfvfi.training.step import Trainer


class TensorFlowTrainer(Trainer):
    """A `Trainer` for TensorFlow.

    Args:
        network: The network to train.
        objective: See `Trainer`.
        parts: The number of parts in which a batch is computed.
        steps: See `Trainer`.
    """

    def __init__(
        self,
        network: Any,
        objective: Callable,
        parts: int = 1,
        steps: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(network, objective, steps, **kwargs)
        self.parts = parts

    def train_step(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Performs one step, called by `fit`."""
        return self.update(batch)

    @in_order()
    def update(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Updates the weights; returns loss and terms of this replica's part of the batch.

        "gradient" is the gradient norm of the whole batch, which `clip` limits. It is omitted in
        float16, where gradients may overflow and the update is then skipped.
        """
        weights = self.trainable_variables
        parts = {name: tf.split(tensor, self.parts) for name, tensor in batch.items()}
        gradients: list[Any] = []
        found: dict[str, Any] = {}
        for number in range(self.parts):
            # Parts run one after the other, because memory could not hold them all.
            with tf.control_dependencies(_tensors(gradients)):
                values, more = self._gradients({name: part[number] for name, part in parts.items()})
            gradients = _added(gradients, more) if gradients else more
            found = {name: found.get(name, 0.0) + value for name, value in values.items()}
        shares = self._shares(gradients)
        self.optimizer.apply(shares, weights)
        values = {name: total / self.parts for name, total in found.items()}
        if not isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            values["gradient"] = _replicas() * tf.linalg.global_norm(shares)
        return values

    def _gradients(self, part: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Returns loss and terms of a part, and its share of the gradient of the whole batch."""
        shares = self.parts * _replicas()
        with tf.GradientTape() as tape:
            values = self(part, training=True)
            loss = self.optimizer.scale_loss(values["loss"] / shares)
        return values, tape.gradient(loss, self.trainable_variables)

    def _shares(self, gradients: list[Any]) -> list[Any]:
        """Returns an equal share of the whole gradient; Keras sums all replicas' shares."""
        if _replicas() == 1:
            return gradients
        known = [gradient for gradient in gradients if gradient is not None]
        context = tf.distribute.get_replica_context()
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, known))
        return [None if gradient is None else next(summed) / _replicas() for gradient in gradients]


def _replicas() -> int:
    """Returns the number of replicas that compute this step together."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def _added(gradients: list[Any], more: list[Any]) -> list[Any]:
    return [
        one if other is None else other if one is None else one + other
        for one, other in zip(gradients, more, strict=True)
    ]


def _tensors(gradients: list[Any]) -> list[tf.Tensor]:
    known = [gradient for gradient in gradients if gradient is not None]
    return tf.nest.flatten(known, expand_composites=True)
