"""Builds a training from its settings: records, network, objective and trainer.

Everything is checked here, so that invalid settings are refused before training starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import keras

from tfvfi import registry
from tfvfi.data import Samples
from tfvfi.data.kinds import CYCLE_SAMPLING
from tfvfi.data.sampling import Sampling
from tfvfi.data.sources import open_source
from tfvfi.errors import InputError
from tfvfi.models import objectives
from tfvfi.models.preset import AnyTimes, Objective, Preset
from tfvfi.training import optimizers, strategies
from tfvfi.training.settings import Settings, check, complete, sampling
from tfvfi.training.step import Trainer

# Three consecutive frames, for networks that support the middle only.
MIDDLE = Sampling(num_interp=1)


@dataclass(frozen=True)
class Job:
    """A training that is ready to start.

    Attributes:
        settings: The complete settings.
        objective: The objective that is minimized.
        samples: The training samples.
        strategy: A strategy of tf.distribute; None for one device.
        trainer: Combines network, objective and optimizer.
    """

    settings: Settings
    objective: Objective
    samples: Samples
    strategy: Any
    trainer: Trainer

    @property
    def network(self) -> Any:
        """The network that is trained."""
        return self.trainer.network

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files; of several workers, only the first does."""
        return strategies.worker(self.strategy)[0] == 0

    def batches(self, start: int) -> Iterable:
        """Returns this worker's batches from the `start`-th on, without end."""
        size = self.settings.batch_size
        if keras.backend.backend() == "tensorflow":
            from tfvfi.data.batches import Plan
            from tfvfi.data.pipeline import dataset

            plan = Plan(len(self.samples), size, strategies.worker(self.strategy))
            return dataset(self.samples, plan, start)
        from tfvfi.data.batches import iterate

        # From a generator, Keras accepts tuples only.
        return (
            (batch,)
            for batch in iterate(
                self.settings.records, batch_size=size, start=start, **self.reading
            )
        )

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of `tfvfi.data.load` with which training samples are read."""
        return reading(self.settings, self.objective, self.network)


def prepare(asked: Settings) -> Job:
    """Builds a training and checks its settings.

    Args:
        asked: The user's settings; the preset of the network provides the others.

    Raises:
        InputError: A setting is invalid or does not fit the others.
    """
    check(asked)
    if asked.weights and not asked.flow:
        # A training that starts from weights continues with their options.
        known = registry.trained_with(asked.model, asked.weights)
        asked = replace(asked, options={**known, **asked.options})
    preset = registry.preset(asked.flow or asked.model)
    objective = objectives.find(registry.preset(asked.model), asked.objective)
    layout = open_source(asked.records, "train").layout
    strategy = strategies.open_strategy(asked.strategy)
    if asked.deterministic:
        _use_deterministic_operations()
    keras.utils.set_random_seed(asked.seed)
    with strategies.scope(strategy):
        network = build_network(asked)
        patch = min(layout.height, layout.width)
        settings = complete(
            replace(asked, objective=objective.name),
            preset,
            len(
                Samples(asked.records, **reading(asked, objective, network) | {"augmentation": ()})
            ),
            patch - patch % network.multiple,
        )
        if patch < network.multiple:
            raise InputError(
                f"{asked.model} needs patches of {network.multiple} pixels at least, and those of "
                f"{asked.records} have {patch}; make records with larger patches"
            )
        _check_fit(settings, network, strategy)
        samples = Samples(settings.records, **reading(settings, objective, network))
        trainer = _trainer(settings, objective, network, strategy)
        share = settings.batch_size // strategies.replicas(strategy) // settings.accumulate
        trainer.prepare(
            optimizers.build(settings, strategies.replicas(strategy)),
            {name: (share, *shape) for name, shape in samples.spec.items()},
        )
    return Job(settings, objective, samples, strategy, trainer)


def build_network(settings: Settings) -> Any:
    """Builds the network with its initial weights.

    Raises:
        InputError: It has no weights to train.
    """
    options = {"dtype": settings.precision}
    own = {**options, **settings.options}
    if settings.flow:
        if "flow" not in registry.options_of(settings.model):
            raise InputError(f"{settings.model} takes no `flow`; leave it out")
        # A flow network is trained inside the interpolation that uses it.
        flow = registry.load(settings.flow, settings.weights, **options)
        network = registry.load(settings.model, flow=flow, **own)
    else:
        if not registry.preset(settings.model).has_weights:
            raise InputError(_nothing_to_train(registry.preset(settings.model)))
        network = registry.load(settings.model, settings.weights, **own)
    if not network.trainable_variables:
        raise InputError(f"{settings.flow} has no weights to train; choose another `flow`")
    return network


def with_own_weights(network: Any) -> Any:
    """Returns the part of a network whose weights are saved."""
    return getattr(network, "estimator", network)


def answered_times(job: Job) -> AnyTimes | tuple[float, ...] | None:
    """Returns the times that the trained weights will support; None for flow."""
    times = getattr(job.network, "times", None)
    learns_time = getattr(job.network, "learns_time", False)
    saw_middles = job.objective.batch == "triplet" and job.samples.source.layout.frames == 3
    if learns_time and saw_middles and job.settings.weights is None:
        return (0.5,)
    return times


def reading(settings: Settings, objective: Objective, network: Any) -> dict[str, Any]:
    """Returns the arguments of `Samples` and `tfvfi.data.load` for training samples."""
    return {
        "kind": objective.batch,
        "crop_size": settings.crop_size,
        "augmentation": settings.augmentation,
        "seed": settings.seed,
        "sampling": _sampling(settings, objective.batch, network),
    }


def _sampling(settings: Settings, kind: str, network: Any) -> Sampling | None:
    """Returns which frames form a sample, if the user, the paper or the network determines it."""
    middles = getattr(network, "times", "any") == (0.5,)
    advised = registry.preset(settings.model).training.get("sampling", {})
    if asked := sampling(settings):
        usual = {"triplet": advised, "cycle": vars(CYCLE_SAMPLING)}.get(kind, {})
        wanted = Sampling(**{**usual, **asked})
        if middles and kind == "triplet" and wanted.num_interp != 1:
            raise InputError(
                f"{settings.model} renders the middle only, which is `num_interp=1`. "
                f"Received: {wanted.num_interp}"
            )
        return wanted
    if kind != "triplet":
        return None
    wanted = MIDDLE if middles else Sampling(**advised) if advised else None
    frames = open_source(settings.records, "train").layout.frames
    # Short windows are used in full: both ends, and any frame between as the target.
    return wanted if wanted and frames > 3 and wanted.count(frames) else None


def build_objective(settings: Settings, objective: Objective) -> Any:
    """Returns the function that is minimized."""
    options = {"perceptual_weights": settings.perceptual_weights}
    if "teacher" in objective.options:
        weights = settings.teacher or settings.weights
        if weights is None:
            raise InputError(
                f"the objective '{objective.name}' needs a `teacher`, or `weights` to start "
                "from, which then serve as the teacher too"
            )
        options["teacher"] = build_network(replace(settings, weights=weights))
    elif settings.teacher:
        options["teacher"] = settings.teacher
    return objectives.build(objective, options)


def _trainer(settings: Settings, objective: Objective, network: Any, strategy: Any) -> Trainer:
    function = build_objective(settings, objective)
    if keras.backend.backend() != "tensorflow":
        if settings.accumulate > 1:
            raise InputError("`accumulate` needs Keras on TensorFlow; leave it out")
        return Trainer(network, function, settings.steps)
    from tfvfi.training.tensorflow_step import TensorFlowTrainer

    return TensorFlowTrainer(network, function, settings.accumulate, settings.steps)


def _check_fit(settings: Settings, network: Any, strategy: Any) -> None:
    """Raises an error for crops or batches that the network or the strategy cannot process."""
    if settings.crop_size % network.multiple:
        raise InputError(
            f"{settings.model} needs crops that divide by {network.multiple}. "
            f"Received: `crop_size={settings.crop_size}`"
        )
    parts = strategies.replicas(strategy) * settings.accumulate
    if settings.batch_size % parts:
        raise InputError(
            f"a batch of {settings.batch_size} cannot be shared evenly by {parts} parts (replicas "
            f"times `accumulate`); choose a `batch_size` that divides by {parts}"
        )


def _use_deterministic_operations() -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _nothing_to_train(preset: Preset) -> str:
    if preset.kind == "interpolator":
        return f"{preset.name} has no weights of its own; choose a `flow` to train inside it"
    return f"{preset.name} has no weights to train; choose another `model`"
