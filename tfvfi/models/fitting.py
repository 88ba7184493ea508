"""What `compile`, `fit` and `evaluate` need: the objective, its terms, and the true outputs.

Keras's training step calls the network once and then computes the loss. An objective calls the
network itself, possibly several times. A `Forward` lets it reuse the outputs of that first call,
so that calling the network on the inputs of the step costs nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from tfvfi.errors import InputError
from tfvfi.metrics import PSNR, SSIM, EndpointError
from tfvfi.models import objectives
from tfvfi.models.index import preset_of
from tfvfi.models.optimizers import recommended
from tfvfi.models.preset import Preset
from tfvfi.ops.tensor import Tensor

AUTO = "auto"
# Channels of a batch's "flow" that hold the true value of each output.
FLOWS = {"flow0": slice(0, 2), "flow1": slice(2, 4)}


@keras.saving.register_keras_serializable("tfvfi")
class ObjectiveLoss:
    """An objective by name, with its options, for `compile(loss=...)`.

    Args:
        name: The name of an objective that suits the network, see
            `tfvfi.models.objectives.known`; by default the objective of the network's paper.
        **options: Arguments of the objective, such as `perceptual_weights="vgg16.pth"`.

    Example:
        >>> import tfvfi
        >>> from tfvfi.models.fitting import ObjectiveLoss
        >>> model = tfvfi.load("ifrnet_s")
        >>> model.compile(loss=ObjectiveLoss("laplacian"))
        >>> model.get_compile_config()["loss"]["config"]["name"]
        'laplacian'
    """

    def __init__(self, name: str | None = None, **options: Any):
        self.name, self.options = name, options

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this object can be recreated."""
        return {"name": self.name, **self.options}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ObjectiveLoss":
        """Creates the object from its configuration."""
        return cls(**keras.saving.deserialize_keras_object(dict(config)))


class Goal:
    """The objective that a network is compiled with, and the metrics of its terms.

    Args:
        known: The preset of the network.
        loss: The name and options of the objective.
    """

    def __init__(self, known: Preset, loss: ObjectiveLoss):
        self.loss = loss
        found = objectives.find(known, loss.name)
        self._objective = objectives.build(found, loss.options)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in found.terms}
        # The terms that the objective returned for these batches, out of all that it may return.
        self.seen: set[str] = set()

    def value(
        self, network: keras.Model, batch: Mapping[str, Tensor], outputs: Any, training: bool
    ) -> Tensor:
        """Returns the total loss of a batch and updates the metrics of its terms."""
        forward = Forward(network, batch, outputs)
        total, terms = self._objective(forward, batch, training=training)
        size = keras.ops.shape(next(iter(batch.values())))[0]
        for name, value in terms.items():
            if name in self.trackers:
                self.seen.add(name)
                self.trackers[name].update_state(value, sample_weight=size)
        return total


@dataclass(frozen=True)
class Plan:
    """The loss and metrics that a network was compiled with.

    Attributes:
        goal: The objective; None for a Keras loss.
        loss: The `loss` that was passed to `compile`.
        metrics: The Keras metrics that `compile` passed on.
    """

    goal: Goal | None = None
    loss: Any = None
    metrics: Any = None


class Forward:
    """Wraps a network whose outputs for one batch are already known.

    Args:
        network: The network, which is called for other inputs and provides all attributes.
        batch: The inputs that it was called with.
        outputs: The outputs that it returned.
    """

    def __init__(
        self, network: keras.Model, batch: Mapping[str, Tensor], outputs: Mapping[str, Tensor]
    ):
        self._network, self._batch, self._outputs = network, batch, outputs

    def __call__(
        self, inputs: Mapping[str, Tensor], training: bool = False
    ) -> Mapping[str, Tensor]:
        """Returns the known outputs for the tensors of the batch, and new ones for others."""
        if all(inputs.get(name) is self._batch[name] for name in self._network.input_names):
            return self._outputs
        return self._network(inputs, training=training)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


def goal_of(network: keras.Model, loss: Any) -> Goal | None:
    """Returns the objective that `compile(loss=...)` asks for; None if it is a Keras loss.

    Raises:
        InputError: The loss is "auto" and no preset describes the network.
    """
    known = preset_of(network)
    if isinstance(loss, str) and loss == AUTO:
        loss = ObjectiveLoss()
    elif isinstance(loss, str) and known is not None and loss in objectives.known(known):
        loss = ObjectiveLoss(loss)
    if not isinstance(loss, ObjectiveLoss):
        return None
    return Goal(_described(network, known, "loss"), loss)


def optimizer_of(network: keras.Model, optimizer: Any) -> Any:
    """Returns the optimizer that `compile(optimizer=...)` asks for."""
    if not (isinstance(optimizer, str) and optimizer == AUTO):
        return optimizer
    return recommended(_described(network, preset_of(network), "optimizer"))


def metrics_of(network: keras.Model, metrics: Any) -> Any:
    """Returns the metrics that `compile(metrics=...)` asks for."""
    if not (isinstance(metrics, str) and metrics == AUTO):
        return metrics
    return [PSNR(), SSIM()] if network.main_output == "frame" else [EndpointError()]


def batch_of(x: Mapping[str, Tensor], y: Any, output: str) -> dict[str, Tensor]:
    """Returns a batch in the form that objectives read, from Keras's x and y.

    Args:
        x: The inputs, and anything else that `tfvfi.data.load` yields.
        y: The true output if it is separate from x: a tensor, or a dict of tensors.
        output: The network's main output, "frame" or "flow".
    """
    if y is None:
        return dict(x)
    name = {"frame": "target"}.get(output, output)
    known = dict(y) if isinstance(y, Mapping) else {output: y}
    if output in known:
        known[name] = known.pop(output)
    return {**x, **known}


def truths(batch: Mapping[str, Tensor], output: str) -> dict[str, Tensor]:
    """Returns the true outputs of a network, as far as the batch contains them."""
    if output == "flow":
        return {"flow": batch["flow"]} if "flow" in batch else {}
    known = {name: batch[name] for name in FLOWS if name in batch}
    if "target" in batch:
        known["frame"] = batch["target"]
    if "flow" in batch:
        known |= {name: batch["flow"][..., part] for name, part in FLOWS.items()}
    return known


def compared(
    outputs: Mapping[str, Tensor], known: Mapping[str, Tensor], asked: Any, output: str
) -> tuple[Tensor, Tensor] | None:
    """Returns what a Keras loss or metric compares: the true values and the network's outputs.

    Args:
        outputs: The network's outputs.
        known: The true outputs, see `truths`.
        asked: The argument of `compile`; a dict refers to outputs by name.
        output: The network's main output, which everything but a dict refers to.

    Returns:
        True values and outputs; None if the true main output is unknown.

    Raises:
        InputError: An output that the dict names is missing or has another shape.
    """
    if not isinstance(asked, Mapping):
        if output not in known:
            return None
        _check_shapes(output, known[output], outputs[output])
        return known[output], outputs[output]
    for name in asked:
        if name not in known or name not in outputs:
            where = "the batch" if name in outputs else "the network's outputs"
            raise InputError(
                f"compile was given something for '{name}', which {where} lacks. "
                f"Received: {', '.join(sorted(known if name in outputs else outputs)) or 'nothing'}"
            )
        _check_shapes(name, known[name], outputs[name])
    return {name: known[name] for name in asked}, {name: outputs[name] for name in asked}


def _check_shapes(name: str, true: Tensor, pred: Tensor) -> None:
    shapes = tuple(true.shape), tuple(pred.shape)
    if any(None not in pair and pair[0] != pair[1] for pair in zip(*shapes, strict=False)):
        advice = "; read records with kind='pair'" if name == "flow" else ""
        raise InputError(
            f"the true {name} and that of the network have different shapes{advice}. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )


def _described(network: keras.Model, known: Preset | None, argument: str) -> Preset:
    if known is None:
        raise InputError(
            f"no preset says how {type(network).__name__} is trained; name a `{argument}` in "
            "compile, or register a preset of the network"
        )
    return known
