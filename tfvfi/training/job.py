"""From settings to what is trained: records, network, objective and trainer, each checked.

Everything that can be refused is refused here, before any training starts.
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

# Three frames in a row, for networks that answer the middle only.
MIDDLE = Sampling(num_interp=1)


@dataclass(frozen=True)
class Job:
    """A training that can start.

    Attributes:
        settings: Complete ones.
        objective: What it minimizes.
        samples: What it learns from.
        strategy: Of tf.distribute; None for one device.
        trainer: Network, objective and optimizer.
    """

    settings: Settings
    objective: Objective
    samples: Samples
    strategy: Any
    trainer: Trainer

    @property
    def network(self) -> Any:
        """What is trained."""
        return self.trainer.network

    @property
    def is_chief(self) -> bool:
        """Whether this process writes; of several workers the first does."""
        return strategies.worker(self.strategy)[0] == 0

    def batches(self, start: int) -> Iterable:
        """This worker's batches from the `start`-th on, without end."""
        size = self.settings.batch_size
        if keras.backend.backend() == "tensorflow":
            from tfvfi.data.batches import Plan
            from tfvfi.data.pipeline import dataset

            plan = Plan(len(self.samples), size, strategies.worker(self.strategy))
            return dataset(self.samples, plan, start)
        from tfvfi.data.batches import iterate

        # Keras takes from a generator tuples only.
        return (
            (batch,)
            for batch in iterate(
                self.settings.records, batch_size=size, start=start, **self.reading
            )
        )

    @property
    def reading(self) -> dict[str, Any]:
        """How training samples are read, as arguments of `tfvfi.data.load`."""
        return reading(self.settings, self.objective, self.network)


def prepare(asked: Settings) -> Job:
    """Builds a training, or raises `InputError` with what does not fit.

    Args:
        asked: What the user set; the preset of the network fills the rest.
    """
    check(asked)
    if asked.weights and not asked.flow:
        # What continues from weights goes on with their options.
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
    """The network with the weights that training starts from.

    Raises:
        InputError: It has nothing to train.
    """
    options = {"dtype": settings.precision}
    own = {**options, **settings.options}
    if settings.flow:
        if "flow" not in registry.options_of(settings.model):
            raise InputError(f"{settings.model} takes no `flow`; leave it out")
        # A flow network learns inside the interpolation that it is for.
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
    """The part of a network that weights are saved of."""
    return getattr(network, "estimator", network)


def answered_times(job: Job) -> AnyTimes | tuple[float, ...] | None:
    """The times that the trained weights will answer; None for flow."""
    times = getattr(job.network, "times", None)
    learns_time = getattr(job.network, "learns_time", False)
    saw_middles = job.objective.batch == "triplet" and job.samples.source.layout.frames == 3
    if learns_time and saw_middles and job.settings.weights is None:
        return (0.5,)
    return times


def reading(settings: Settings, objective: Objective, network: Any) -> dict[str, Any]:
    """How training samples are read, as arguments of `Samples` and `tfvfi.data.load`."""
    return {
        "kind": objective.batch,
        "crop_size": settings.crop_size,
        "augmentation": settings.augmentation,
        "seed": settings.seed,
        "sampling": _sampling(settings, objective.batch, network),
    }


def _sampling(settings: Settings, kind: str, network: Any) -> Sampling | None:
    """Which frames make a sample, where the user, the paper or the network want that settled."""
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
    # Short windows are taken as they are: both ends and any frame between.
    return wanted if wanted and frames > 3 and wanted.count(frames) else None


def build_objective(settings: Settings, objective: Objective) -> Any:
    """The function that is minimized."""
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
    """Refuses crops and batches that the network or the strategy cannot take."""
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
