"""What `compile`, `fit` and `evaluate` need to know of a network: truths, objective and terms.

Keras's training step calls the network once and then asks for the loss. An objective calls the
network itself, as often as it likes; given a `Forward`, its call for the very inputs of that step
costs nothing more.
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

AUTO = "auto"
# What frames and flows are compared with where a batch has no `y`.
FLOWS = {"flow0": slice(0, 2), "flow1": slice(2, 4)}


@keras.saving.register_keras_serializable("tfvfi")
class ObjectiveLoss:
    """An objective by its name, with its options: what `compile(loss=...)` takes beside losses.

    Args:
        name: One that suits the network, see `tfvfi.models.objectives.known`; left out, the one
            that its paper trains with.
        **options: What the objective needs, such as `perceptual_weights="vgg16.pth"`.

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
        """The arguments that create this object again."""
        return {"name": self.name, **self.options}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ObjectiveLoss":
        """The object of a configuration."""
        return cls(**keras.saving.deserialize_keras_object(dict(config)))


class Goal:
    """The objective that a network is compiled with, and the metrics of its terms.

    Args:
        known: The preset of the network.
        loss: Which objective.
    """

    def __init__(self, known: Preset, loss: ObjectiveLoss):
        self.loss = loss
        found = objectives.find(known, loss.name)
        self._objective = objectives.build(found, loss.options)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in found.terms}
        # Of all terms that an objective may have, those that it has for these batches.
        self.seen: set[str] = set()

    def value(self, network: Any, batch: Mapping[str, Any], outputs: Any, training: bool) -> Any:
        """The total loss of a batch; the metrics of its terms are updated."""
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
    """What a network was compiled with.

    Attributes:
        goal: Its objective; None for a loss of Keras's.
        loss: As given to `compile`.
        metrics: Those of Keras's, as `compile` passed them on.
    """

    goal: Goal | None = None
    loss: Any = None
    metrics: Any = None


class Forward:
    """A network that knows its outputs for one batch already.

    Args:
        network: What is called for other inputs, and has every attribute.
        batch: What it was called with.
        outputs: What it gave.
    """

    def __init__(self, network: Any, batch: Mapping[str, Any], outputs: Mapping[str, Any]):
        self._network, self._batch, self._outputs = network, batch, outputs

    def __call__(self, inputs: Mapping[str, Any], training: bool = False) -> Mapping[str, Any]:
        """The known outputs for the very tensors of the batch, and new ones for others."""
        if all(inputs.get(name) is self._batch[name] for name in self._network.input_names):
            return self._outputs
        return self._network(inputs, training=training)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


def goal_of(network: Any, loss: Any) -> Goal | None:
    """The objective that `compile(loss=...)` asks for; None where it is a loss of Keras's.

    Raises:
        InputError: "auto", and no preset says what that is.
    """
    known = preset_of(network)
    if isinstance(loss, str) and loss == AUTO:
        loss = ObjectiveLoss()
    elif isinstance(loss, str) and known is not None and loss in objectives.known(known):
        loss = ObjectiveLoss(loss)
    if not isinstance(loss, ObjectiveLoss):
        return None
    return Goal(_described(network, known, "loss"), loss)


def optimizer_of(network: Any, optimizer: Any) -> Any:
    """The optimizer that `compile(optimizer=...)` asks for."""
    if not (isinstance(optimizer, str) and optimizer == AUTO):
        return optimizer
    return recommended(_described(network, preset_of(network), "optimizer"))


def metrics_of(network: Any, metrics: Any) -> Any:
    """The metrics that `compile(metrics=...)` asks for."""
    if not (isinstance(metrics, str) and metrics == AUTO):
        return metrics
    return [PSNR(), SSIM()] if network.main_output == "frame" else [EndpointError()]


def batch_of(x: Mapping[str, Any], y: Any, output: str) -> dict[str, Any]:
    """The batch as objectives want it, from what Keras calls x and y.

    Args:
        x: The inputs, and whatever else `tfvfi.data.load` gives.
        y: The true output where it comes apart from x: a tensor, or a dict of several.
        output: The network's main output, "frame" or "flow".
    """
    if y is None:
        return dict(x)
    name = {"frame": "target"}.get(output, output)
    known = dict(y) if isinstance(y, Mapping) else {output: y}
    if output in known:
        known[name] = known.pop(output)
    return {**x, **known}


def truths(batch: Mapping[str, Any], output: str) -> dict[str, Any]:
    """What the outputs of a network should be, as far as a batch says so."""
    if output == "flow":
        return {"flow": batch["flow"]} if "flow" in batch else {}
    known = {name: batch[name] for name in FLOWS if name in batch}
    if "target" in batch:
        known["frame"] = batch["target"]
    if "flow" in batch:
        known |= {name: batch["flow"][..., part] for name, part in FLOWS.items()}
    return known


def compared(
    outputs: Mapping[str, Any], known: Mapping[str, Any], asked: Any, output: str
) -> tuple[Any, Any] | None:
    """What a loss or metrics of Keras's compare: true values, and what the network gave.

    Args:
        outputs: Of the network.
        known: See `truths`.
        asked: As given to `compile`; a dict names outputs.
        output: The network's main output, which everything but a dict is about.

    Returns:
        None where the true main output is unknown.

    Raises:
        InputError: The batch lacks an output that the dict names, or has it in another shape.
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


def _check_shapes(name: str, true: Any, pred: Any) -> None:
    shapes = tuple(true.shape), tuple(pred.shape)
    if any(None not in pair and pair[0] != pair[1] for pair in zip(*shapes, strict=False)):
        advice = "; read records with kind='pair'" if name == "flow" else ""
        raise InputError(
            f"the true {name} and that of the network have different shapes{advice}. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )


def _described(network: Any, known: Preset | None, argument: str) -> Preset:
    if known is None:
        raise InputError(
            f"no preset says how {type(network).__name__} is trained; name a `{argument}` in "
            "compile, or register a preset of the network"
        )
    return known
