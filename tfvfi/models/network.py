"""The base class of all networks: a Keras model that is built, saved, loaded and trained."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tfvfi import images
from tfvfi.errors import InputError, plain_errors
from tfvfi.models import fitting, folders, loading
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor


class Network(keras.Model):
    """The common base of interpolators and flow estimators.

    A subclass registers itself with Keras, creates its layers in `__init__` and returns every
    argument from `get_config`; then `clone_model`, `save` and `load_model` work as for any model.

    Attributes:
        multiple: Height and width must be divisible by this when the network itself is called.
        traceable: False if the network runs code that cannot be part of a graph.
        main_output: The main output, "frame" or "flow", which metrics and plain losses refer to.
    """

    multiple = 1
    traceable = True
    # Side of the frames for which variables are built; the coarsest level must not vanish.
    build_side = 128
    input_names: tuple[str, ...] = ()
    main_output = ""

    def __init__(self, **kwargs: Any):
        # Frames stay float32 under every policy: bfloat16 would round an 8-bit picture.
        super().__init__(autocast=False, **kwargs)
        # On TensorFlow, operations may be native, and XLA cannot compile those.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        # Kept in an object, because Keras forbids new state in a network once it is built.
        self._plan = fitting.Plan()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs of `call`."""
        with plain_errors():
            return super().__call__(*args, **kwargs)

    def build(self, input_shape: Mapping[str, Any] | None = None) -> None:
        """Creates every variable, without computing anything.

        Args:
            input_shape: The shape of each input by name; by default shapes of a size that every
                network accepts.
        """
        # Tracing calls the network, which must not build it again.
        self.built = True
        if not self.traceable or all(layer.built for layer in self.layers):
            return
        shapes = input_shape or self._default_shapes()
        self({name: keras.KerasTensor(shapes[name], dtype="float32") for name in self.input_names})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Network":
        """Creates a built network from its arguments, with fresh weights.

        Args:
            config: The result of `get_config`.
            custom_objects: Part of Keras's interface; networks need none.
        """
        network = cls(**config)
        network.build()
        return network

    def compile(
        self,
        optimizer: Any = fitting.AUTO,
        loss: Any = fitting.AUTO,
        *,
        loss_weights: Any = None,
        metrics: Any = fitting.AUTO,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Prepares the network for `fit`, `evaluate` and `predict`.

        Batches are dicts, as `tfvfi.data.load` yields them, or pairs of inputs and the true frame
        (for a flow estimator, the true flow). `tfvfi.training.session.train` does what `fit`
        cannot: it resumes a training to the last bit and trains on several machines.

        Args:
            optimizer: "auto" for the optimizer of the network's paper with its initial learning
                rate (see `tfvfi.models.optimizers.recommended` for its schedule), or any Keras
                optimizer.
            loss: "auto" for the objective of the network's paper; the name of another objective; a
                `tfvfi.models.fitting.ObjectiveLoss` for one with options; or any Keras loss, which
                compares frames (or flows), or a dict of Keras losses by output.
            loss_weights: Weights for a dict of losses.
            metrics: "auto" for PSNR and SSIM (for a flow estimator, the endpoint error), a list of
                Keras metrics, or a dict of such lists by output.
            weighted_metrics: As for any Keras model.
            run_eagerly: Whether to run without a graph.
            steps_per_execution: Number of steps in each call of the graph.
            jit_compile: Whether XLA compiles the steps; "auto" disables it on TensorFlow.
            auto_scale_loss: Whether the loss is scaled in float16.

        Raises:
            InputError: "auto" has no meaning for this network, or its objective needs an option.

        Example:
            >>> import tfvfi
            >>> model = tfvfi.load("ifrnet_s")
            >>> model.compile()
            >>> batches = tfvfi.data.load("records/sample", batch_size=1, crop_size=32)
            >>> sorted(model.evaluate(batches, steps=1, verbose=0, return_dict=True))
            ['census', 'charbonnier', 'geometry', 'loss', 'psnr', 'ssim']
        """
        goal = fitting.goal_of(self, loss)
        if goal is not None and loss_weights is not None:
            raise InputError("loss_weights are for losses of Keras's; an objective has its own")
        optimizer = fitting.optimizer_of(self, optimizer)
        metrics = fitting.metrics_of(self, metrics)
        self._plan = fitting.Plan(goal, loss, metrics)
        super().compile(
            optimizer=optimizer,
            loss=loss if goal is None else None,
            loss_weights=loss_weights,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )

    def get_compile_config(self) -> dict[str, Any]:
        """Returns the arguments of `compile` in the form that Keras saves with the model."""
        config = super().get_compile_config()
        if config and self._plan.goal is not None:
            config["loss"] = keras.saving.serialize_keras_object(self._plan.goal.loss)
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the network in the same way as when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def train_step(self, *arguments: Any) -> Any:
        """Performs one step of `fit`; on TensorFlow, gradients are summed in a fixed order."""
        with in_order():
            return super().train_step(*arguments)

    def compute_loss(
        self,
        x: Any = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns the loss of a batch, which Keras minimizes.

        Args:
            x: The inputs, and anything else that the batch contains.
            y: The true output, if the batch does not contain it.
            y_pred: The network's outputs for x.
            sample_weight: Weights of the examples, for Keras losses.
            training: Whether the network is being trained rather than evaluated.

        Raises:
            InputError: The true output is missing.
        """
        batch = fitting.batch_of(x, y, self.main_output)
        if self._plan.goal is not None:
            return self._plan.goal.value(self, batch, y_pred, training)
        known = fitting.truths(batch, self.main_output)
        pair = fitting.compared(y_pred, known, self._plan.loss, self.main_output)
        if pair is None:
            name = "target" if self.main_output == "frame" else self.main_output
            raise InputError(
                f"the loss needs the true {self.main_output}: '{name}' in the batch, or y. "
                f"Received: a batch of {', '.join(sorted(batch))}"
            )
        return super().compute_loss(x, *pair, sample_weight=sample_weight, training=training)

    def compute_metrics(
        self, x: Any, y: Tensor, y_pred: Tensor, sample_weight: Any = None
    ) -> dict[str, Tensor]:
        """Updates the metrics, as far as the truth is known, and returns their results."""
        known = fitting.truths(fitting.batch_of(x, y, self.main_output), self.main_output)
        pair = fitting.compared(y_pred, known, self._plan.metrics, self.main_output)
        if pair is None:
            return self.get_metrics_result()
        return super().compute_metrics(x, *pair, sample_weight=sample_weight)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns the metrics of `compile`, once they are built, and of the objective's terms."""
        found = [metric for metric in super().metrics if getattr(metric, "built", True)]
        return found + (list(self._plan.goal.trackers.values()) if self._plan.goal else [])

    def get_metrics_result(self) -> dict[str, Tensor]:
        """Returns the metrics' values by name, without terms that the batches do not provide."""
        found = super().get_metrics_result()
        unseen = set(self._plan.goal.trackers) - self._plan.goal.seen if self._plan.goal else set()
        return {name: value for name, value in found.items() if name not in unseen}

    @classmethod
    def from_preset(
        cls, preset: str | Path, weights: str | Path | None = "default", **options: Any
    ) -> "Network":
        """Loads a network of this class; `Network.from_preset` loads any network.

        Args:
            preset: One of `tfvfi.list_models()`, or a folder that `save_to_preset` wrote.
            weights: See `tfvfi.load`.
            **options: Arguments of the network that replace the preset's.

        Raises:
            InputError: There is no such preset, it is of another class, or its weights are missing.

        Example:
            >>> from tfvfi.models.ifrnet.network import IFRNet
            >>> IFRNet.from_preset("ifrnet_s", scale=0.5).multiple
            32
        """
        return loading.load_as(cls, preset, weights, **options)

    def save_to_preset(self, folder: str | Path, overwrite: bool = False) -> None:
        """Writes the network to a folder that `from_preset` and `tfvfi.load` read.

        Args:
            folder: A new folder; it appears only when it is complete.
            overwrite: Whether to replace an existing preset folder.

        Example:
            >>> import tempfile, tfvfi
            >>> folder = tempfile.mkdtemp() + "/preset"
            >>> tfvfi.load("ifrnet_s").save_to_preset(folder)
            >>> tfvfi.load(folder).name
            'ifrnet_s'
        """
        folders.save(self, folder, overwrite)

    @classmethod
    def options(cls) -> set[str]:
        """Returns the names of the arguments that this class and its base classes accept."""
        taken = {"dtype"}
        for parent in cls.__mro__[: cls.__mro__.index(Network)]:
            taken |= set(inspect.signature(parent.__init__).parameters)
        return taken - {"self", "args", "kwargs"}

    def _default_shapes(self) -> dict[str, tuple[int | None, ...]]:
        side = images.next_multiple(self.build_side, self.multiple)
        # JAX cannot trace every operation for an open number of pairs. What PyTorch cannot trace,
        # Keras computes, for 83 pairs if their number is open.
        pairs = None if keras.backend.backend() == "tensorflow" else 1
        return {
            name: (pairs,) if name == "time" else (pairs, side, side, 3)
            for name in self.input_names
        }

    def _check_inputs(self, inputs: Mapping[str, Tensor]) -> None:
        """Raises an error if inputs have the wrong names or shapes."""
        if not isinstance(inputs, Mapping) or not set(self.input_names) <= set(inputs):
            received = sorted(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__
            raise InputError(
                f"{self.name} is called with a dict of {', '.join(self.input_names)}. "
                f"Received: {received}"
            )
        shapes = [tuple(inputs[key].shape) for key in ("frame0", "frame1")]
        for key, shape in zip(("frame0", "frame1"), shapes, strict=True):
            if len(shape) != 4 or shape[-1] != 3:
                raise InputError(f"{key} must be (batch, height, width, 3). Received: {shape}")
            for side in shape[1:3]:
                if side is not None and side % self.multiple:
                    raise InputError(
                        f"{self.name} needs height and width that divide by {self.multiple}; "
                        f"`interpolate` and `estimate` take any size. Received: {key} of {shape}"
                    )
        if any(a != b for a, b in zip(*shapes, strict=True) if None not in (a, b)):
            raise InputError(f"frame0 and frame1 must have one shape. Received: {shapes}")
