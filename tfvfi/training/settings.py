"""What a training is told: by flags, and for the rest by the preset of its network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tfvfi.errors import InputError
from tfvfi.models.preset import Preset

STRATEGIES = ("one", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SCHEDULES = ("constant", "steps", "cosine")
OPTIMIZERS = ("adam", "adamw", "adamax", "sgd")

# What a preset that recommends nothing is trained with.
RATE, BATCH_SIZE, EPOCHS = 1e-4, 8, 100
AUGMENTATION = (
    ("crop", 1.0),
    ("flip_vertically", 0.5),
    ("flip_horizontally", 0.5),
    ("reverse_time", 0.5),
)
MILESTONES, FACTOR = (0.5, 0.75), 0.1
# An interval is this share of the steps, as long as that is neither hasty nor slow.
INTERVALS, LONGEST_INTERVAL = 20, 1000
# What may change when a run is continued: what it has learned so far stays valid.
FREE = (
    *("output", "records", "steps", "strategy", "interval"),
    *("learning_rate", "schedule", "final_rate", "milestones", "factor", "warm_up", "clip"),
    *("validation", "validation_limit", "pictures", "export"),
)


@dataclass(frozen=True)
class Settings:
    """Everything that a training depends on. None: as the preset of the model recommends.

    Attributes:
        model: Name of the network.
        records: Folder of the records.
        output: Folder of the run.
        steps: Updates of the weights.
        batch_size: Examples that an update learns from, all replicas together.
        crop_size: Side of the crops.
        num_interp: How many frames lie between two that the network sees; this and the next two
            are told in `tfvfi.data.sampling`.
        sample_rate: How far apart frames are taken.
        step_size: How many frames on the next sample begins.
        objective: Name of the objective; its own by default.
        weights: A .weights.h5 file to start from; fresh ones by default.
        options: Arguments of the network, such as {"flow_scale": 2}.
        flow: Name of the flow network to train inside `flow_interpolation`; `weights` are its.
        teacher: A .weights.h5 file of the same model, for objectives with a teacher.
        perceptual_weights: torchvision's file of VGG, for objectives that compare features.
        optimizer: One of `OPTIMIZERS`.
        optimizer_options: Its other arguments, over what is recommended.
        learning_rate: The rate after the warm-up.
        schedule: One of `SCHEDULES`.
        final_rate: Where the cosine ends.
        milestones: Shares of the steps after which the rate is multiplied by `factor`.
        factor: See `milestones`.
        warm_up: Steps in which the rate rises from zero.
        ema: Momentum of the moving average of the weights; 0 for none.
        accumulate: In how many parts a batch is computed, to save memory.
        clip: Largest norm of the whole gradient; 0 for any.
        augmentation: How patches are changed at random, steps of `tfvfi.data.augment`; with none
            of them their middle is cropped.
        precision: One of `PRECISIONS`.
        strategy: One of `STRATEGIES`.
        seed: Everything random follows from it.
        deterministic: Whether only operations are used that give the same bits every time.
        interval: Steps between checkpoints, each with a validation and a line of metrics.
        validation: Benchmarks to validate on beside the records' own split, as "name:folder".
        validation_limit: Samples that a validation looks at, of each source.
        pictures: Samples that are shown in TensorBoard.
        export: A .weights.h5 file to write the best averaged weights to.
    """

    model: str
    records: str
    output: str
    steps: int | None = None
    batch_size: int | None = None
    crop_size: int | None = None
    num_interp: int | None = None
    sample_rate: int | None = None
    step_size: int | None = None
    objective: str | None = None
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    flow: str | None = None
    teacher: str | None = None
    perceptual_weights: str | None = None
    optimizer: str | None = None
    optimizer_options: Mapping[str, Any] | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    final_rate: float | None = None
    milestones: tuple[float, ...] | None = None
    factor: float | None = None
    warm_up: int | None = None
    ema: float | None = None
    accumulate: int = 1
    clip: float = 0.0
    augmentation: tuple[tuple[str, Any], ...] | None = None
    precision: str = "float32"
    strategy: str = "one"
    seed: int = 0
    deterministic: bool = False
    interval: int | None = None
    validation: tuple[str, ...] = ()
    validation_limit: int = 64
    pictures: int = 2
    export: str | None = None


def complete(settings: Settings, preset: Preset, examples: int, patch: int) -> Settings:
    """The settings with every None replaced by what the preset recommends.

    Args:
        settings: What the user asked for; it goes before what is recommended.
        preset: Of the model.
        examples: How many the records hold for training; recommendations count epochs.
        patch: The shorter side of the records' patches; recommended crops are not larger.

    Example:
        >>> from tfvfi import registry
        >>> asked = Settings("ifrnet_s", "records", "run", batch_size=8)
        >>> done = complete(asked, registry.preset("ifrnet_s"), examples=800, patch=256)
        >>> done.steps, done.schedule, done.learning_rate, done.crop_size
        (30000, 'cosine', 0.0001, 224)
    """
    advice = preset.training
    batch_size = settings.batch_size or advice.get("batch_size", BATCH_SIZE)
    epochs = advice.get("epochs", EPOCHS)
    steps = settings.steps or max(1, epochs * examples // batch_size)
    return replace(
        settings,
        batch_size=batch_size,
        steps=steps,
        crop_size=settings.crop_size or min(advice.get("crop_size", patch), patch),
        ema=_first(settings.ema, momentum(steps)),
        augmentation=_first(settings.augmentation, advice.get("augmentation"), AUGMENTATION),
        interval=settings.interval or max(1, min(LONGEST_INTERVAL, steps // INTERVALS)),
        **_optimizer(settings, advice),
        **_rate(settings, advice),
    )


def momentum(steps: int) -> float:
    """A moving average over the last twentieth of a short run, and over 1,000 steps of others."""
    return max(0.0, min(0.999, 1 - 20 / steps))


def sampling(settings: Settings) -> dict[str, int]:
    """What the user said of which frames make a sample."""
    names = ("num_interp", "sample_rate", "step_size")
    return {name: value for name in names if (value := getattr(settings, name)) is not None}


def changed(kept: Mapping[str, Any], now: Settings) -> list[str]:
    """What differs between kept settings and those given, as "--name (then ..., now ...)"."""
    given = json.loads(json.dumps(vars(now)))
    return [
        f"--{name} (then {kept.get(name)}, now {value})"
        for name, value in given.items()
        if name not in FREE and kept.get(name) != value
    ]


def check(settings: Settings) -> None:
    """Refuses settings that contradict themselves, in one sentence."""
    positive = (
        *("steps", "batch_size", "crop_size", "learning_rate", "interval", "accumulate"),
        "validation_limit",
    )
    for name in (*positive, "final_rate", "factor", "warm_up", "clip", "pictures", "seed"):
        value = getattr(settings, name)
        if value is not None and not (value > 0 if name in positive else value >= 0):
            raise InputError(
                f"--{name} must be {'above 0' if name in positive else '0 or more'}. "
                f"Received: {value}"
            )
    if settings.ema is not None and not 0 <= settings.ema < 1:
        raise InputError(f"--ema is a momentum from 0 to below 1. Received: {settings.ema}")
    if not all(0 < share < 1 for share in settings.milestones or ()):
        raise InputError(
            "--milestones are shares of the steps, between 0 and 1. "
            f"Received: {', '.join(map(str, settings.milestones))}"
        )
    if settings.steps and settings.warm_up and settings.warm_up >= settings.steps:
        raise InputError(
            f"--warm_up must be shorter than the training of {settings.steps} steps. "
            f"Received: {settings.warm_up}"
        )
    if "://" in settings.output:
        raise InputError(f"--output is a folder of a file system. Received: {settings.output}")
    choices = {
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "precision": PRECISIONS,
        "strategy": STRATEGIES,
    }
    for name, known in choices.items():
        value = getattr(settings, name)
        if value is not None and value not in known:
            raise InputError(f"--{name} is one of {', '.join(known)}. Received: {value}")


def _optimizer(settings: Settings, advice: Mapping[str, Any]) -> dict[str, Any]:
    advised = dict(advice.get("optimizer", {"name": "adamw"}))
    name = advised.pop("name")
    if settings.optimizer not in (None, name):
        # Options that were recommended for another optimizer mean nothing to this one.
        name, advised = settings.optimizer, {}
    options = {**advised, **(settings.optimizer_options or {})}
    return {"optimizer": name, "optimizer_options": options}


def _rate(settings: Settings, advice: Mapping[str, Any]) -> dict[str, Any]:
    advised = advice.get("learning_rate", RATE)
    if not isinstance(advised, Mapping):
        advised = {"schedule": "constant", "first": advised}
    first = settings.learning_rate or advised["first"]
    ends = advised.get("last", 0.1 * advised["first"]) / advised["first"]
    epochs = advice.get("epochs", EPOCHS)
    milestones = tuple(epoch / epochs for epoch in advised.get("epochs", ())) or MILESTONES
    return {
        "learning_rate": first,
        "schedule": _first(settings.schedule, advised["schedule"]),
        "final_rate": _first(settings.final_rate, ends * first),
        "milestones": _first(settings.milestones, milestones),
        "factor": _first(settings.factor, advised.get("factor"), FACTOR),
        "warm_up": _first(settings.warm_up, advised.get("warm_up"), 0),
    }


def _first(*values: Any) -> Any:
    """The first that is not None."""
    return next(value for value in values if value is not None)
