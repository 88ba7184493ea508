"""One training step: a network and its objective as one Keras model.

Keras's `fit` trains it on any backend. On TensorFlow, `tensorflow_step.TensorFlowTrainer` does the
same on several replicas, and can process a batch in parts.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from tfvfi.errors import plain_errors
from tfvfi.metrics import psnr

# The outputs that are kept for validation and pictures.
SHOWN = ("frame", "flow", "flow0", "flow1")


class Trainer(keras.Model):
    """Maps a batch to "loss", every term by name and, for frames, "psnr".

    Args:
        network: The network to train.
        objective: `objective(network, batch, training=True)` -> total and terms.
        steps: The length of the training; if given, batches contain their "progress".

    Example:
        >>> import numpy as np, tfvfi
        >>> from tfvfi.models.objectives import l1
        >>> trainer = Trainer(tfvfi.load("ifrnet_s", weights=None), l1)
        >>> frames = np.zeros((2, 32, 32, 3), "float32")
        >>> batch = dict.fromkeys(("frame0", "frame1", "target"), frames)
        >>> sorted(trainer(batch | {"time": np.full(2, 0.5, "float32")}, training=True))
        ['l1', 'loss', 'psnr']
    """

    def __init__(self, network: Any, objective: Callable, steps: int | None = None, **kwargs: Any):
        super().__init__(autocast=False, dtype=network.dtype_policy, **kwargs)
        self.network = network
        self.objective = objective
        self.steps = steps
        self._iterations: Any = None
        self.built = True

    def prepare(self, optimizer: keras.optimizers.Optimizer, batch: Mapping[str, Any]) -> None:
        """Builds and compiles the model.

        Args:
            optimizer: The optimizer that updates the weights.
            batch: Name -> shape of each field of a batch.
        """
        tensors = {name: keras.KerasTensor(shape, "float32") for name, shape in batch.items()}
        with plain_errors():
            self(tensors, training=True)
        # XLA cannot compile native operations; on JAX everything is compiled by XLA.
        self.compile(optimizer, jit_compile=keras.backend.backend() == "jax")
        # Keras wraps the optimizer for float16. Its variables must exist before they are restored.
        self.optimizer.build(self.trainable_variables)

    def call(self, batch: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Returns loss, terms and PSNR as scalars, and "outputs" unless in training."""
        watched = Watched(self.network)
        if training and self.steps and self.compiled:
            done = self.optimizer.iterations if self._iterations is None else self._iterations
            batch = {**batch, "progress": ops.cast(done, "float32") / self.steps}
        total, terms = self.objective(watched, batch, training=bool(training))
        found = {"loss": total, **terms}
        frame = watched.outputs.get("frame")
        if frame is not None:
            # A cycle has no target; its last pass is compared with the middle frame.
            target = batch["target"] if "target" in batch else batch["frame1"]
            found["psnr"] = ops.mean(psnr(target, frame))
        if not training:
            found["outputs"] = {
                key: watched.outputs[key] for key in SHOWN if key in watched.outputs
            }
        return found

    def compute_loss_and_updates(
        self, *args: Any, optimizer_variables: Any = None, **options: Any
    ) -> Any:
        """Computes a step's loss on JAX, where variables hold no values during a step."""
        if optimizer_variables is not None:
            known = zip(self.optimizer.variables, optimizer_variables, strict=True)
            with keras.StatelessScope(state_mapping=known):
                self._iterations = ops.convert_to_tensor(self.optimizer.iterations)
        try:
            return super().compute_loss_and_updates(
                *args, optimizer_variables=optimizer_variables, **options
            )
        finally:
            self._iterations = None

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True) -> Any:
        """Returns the loss that Keras minimizes."""
        return y_pred["loss"]

    def compute_metrics(self, x, y, y_pred, sample_weight=None) -> dict[str, Any]:
        """Returns what Keras reports of a step: its loss and terms."""
        return y_pred


class Watched:
    """Wraps a network to keep its latest outputs, since an objective returns only the loss."""

    def __init__(self, network: Any):
        self._network = network
        self.outputs: Mapping[str, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.outputs = self._network(*args, **kwargs)
        return self.outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)
