"""The settings of a training: the user's, completed from the preset of its network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tfvfi.errors import ArgumentError
from tfvfi.models.advice import EPOCHS, optimizer_of, rate_of
from tfvfi.models.preset import Preset

STRATEGIES = ("one", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SCHEDULES = ("constant", "steps", "cosine")
OPTIMIZERS = ("adam", "adamw", "adamax", "sgd")

# Defaults for presets without a recommendation.
BATCH_SIZE = 8
AUGMENTATION = (
    ("crop", 1.0),
    ("flip_vertically", 0.5),
    ("flip_horizontally", 0.5),
    ("reverse_time", 0.5),
)
# An interval is 1 / INTERVALS of the steps, but never longer than LONGEST_INTERVAL.
INTERVALS, LONGEST_INTERVAL = 20, 1000
# Settings that may change when a run is continued, because they do not invalidate its weights.
FREE = (
    *("output", "records", "steps", "strategy", "interval"),
    *("learning_rate", "schedule", "final_rate", "milestones", "factor", "warm_up", "clip"),
    *("validation", "validation_limit", "pictures", "export"),
)


def _setting(default: Any, about: str, **limits: Any) -> Any:
    """Declares a setting with its description and its limits.

    Args:
        default: The default; None for the recommendation of the network's preset.
        about: One line for the documentation and for `--help`.
        **limits: `at_least`, `above` or `below` with a number; or `choices`.
    """
    return field(default=default, metadata={"about": about, **limits})


@dataclass(frozen=True)
class Settings:
    """All settings of a training. None stands for the recommendation of the network's preset.

    The metadata of each field describes it, as in `fields(Settings)[0].metadata["about"]`.
    """

    model: str = field(metadata={"about": "name of the network"})
    records: str = field(metadata={"about": "folder of records, or NAME:FOLDER of a benchmark"})
    output: str = field(metadata={"about": "folder of the run"})
    steps: int | None = _setting(None, "updates of the weights", at_least=1)
    batch_size: int | None = _setting(
        None, "examples per update, all replicas together", at_least=1
    )
    crop_size: int | None = _setting(None, "side of the crops in pixels", at_least=1)
    num_interp: int | None = _setting(
        None, "frames between the two that the network sees; see tfvfi.data.sampling", at_least=1
    )
    sample_rate: int | None = _setting(
        None, "distance between frames; 0 for neighbors, in cycle training", at_least=0
    )
    step_size: int | None = _setting(None, "frames from one sample to the next", at_least=1)
    objective: str | None = _setting(None, "what is minimized; by default the paper's objective")
    weights: str | None = _setting(
        None, "a .weights.h5 file to start from; by default fresh weights"
    )
    options: Mapping[str, Any] = field(
        default_factory=dict, metadata={"about": "arguments of the network"}
    )
    flow: str | None = _setting(
        None, "flow network to train inside flow_interpolation; `weights` are then its weights"
    )
    teacher: str | None = _setting(
        None, "a .weights.h5 file of the same network, for objectives with a teacher"
    )
    perceptual_weights: str | None = _setting(
        None, "torchvision's file of VGG, for objectives that compare features"
    )
    optimizer: str | None = _setting(None, "name of the optimizer", choices=OPTIMIZERS)
    optimizer_options: Mapping[str, Any] | None = _setting(
        None, "further arguments of the optimizer, over what is recommended"
    )
    learning_rate: float | None = _setting(None, "learning rate after the warm-up", above=0)
    schedule: str | None = _setting(None, "how the learning rate changes", choices=SCHEDULES)
    final_rate: float | None = _setting(None, "learning rate at the end of a cosine", at_least=0)
    milestones: tuple[float, ...] | None = _setting(
        None, "shares of the steps after which the learning rate is multiplied by `factor`"
    )
    factor: float | None = _setting(None, "what the learning rate is multiplied by", at_least=0)
    warm_up: int | None = _setting(
        None, "steps in which the learning rate rises from zero", at_least=0
    )
    ema: float | None = _setting(
        None, "momentum of the moving average of the weights; 0 for none", at_least=0, below=1
    )
    accumulate: int = _setting(
        1, "number of parts in which a batch is computed, to save memory", at_least=1
    )
    clip: float = _setting(0.0, "largest norm of the whole gradient; 0 for any", at_least=0)
    augmentation: tuple[tuple[str, Any], ...] | None = _setting(
        None, "random changes of patches, see tfvfi.data.augment; () crops the middle"
    )
    precision: str = _setting(
        "float32", "precision in which the network computes", choices=PRECISIONS
    )
    strategy: str = _setting(
        "one",
        "one device, all devices of this machine, or several machines (TF_CONFIG)",
        choices=STRATEGIES,
    )
    seed: int = _setting(0, "seed of everything random", at_least=0)
    deterministic: bool = _setting(
        False, "use only operations that give the same bits every time, which is slower"
    )
    interval: int | None = _setting(
        None, "steps between checkpoints, each with a validation", at_least=1
    )
    validation: tuple[str, ...] = _setting(
        (), "NAME:FOLDER of a benchmark to validate on, beside the records' own split"
    )
    validation_limit: int = _setting(64, "samples per validation, of each source", at_least=1)
    pictures: int = _setting(2, "samples shown in TensorBoard", at_least=0)
    export: str | None = _setting(None, "a .weights.h5 file for the best averaged weights")


def complete(settings: Settings, preset: Preset, examples: int, patch: int) -> Settings:
    """Returns the settings with every None replaced by the preset's recommendation.

    Args:
        settings: The user's settings, which take precedence over recommendations.
        preset: The preset of the network.
        examples: The number of training examples in the records; recommendations count epochs.
        patch: The shorter side of the records' patches, which limits recommended crops.

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
    """Returns a momentum that averages over 1,000 steps, or a twentieth of a short training."""
    return max(0.0, min(0.999, 1 - 20 / steps))


def sampling(settings: Settings) -> dict[str, int]:
    """Returns the settings that choose the frames of a sample, as far as the user set them."""
    names = ("num_interp", "sample_rate", "step_size")
    return {name: value for name in names if (value := getattr(settings, name)) is not None}


def changed(kept: Mapping[str, Any], now: Settings) -> list[str]:
    """Returns the differences between kept and given settings, as "`name` (then ..., now ...)"."""
    given = json.loads(json.dumps(vars(now)))
    return [
        f"`{name}` (then {kept.get(name)}, now {value})"
        for name, value in given.items()
        if name not in FREE and kept.get(name) != value
    ]


def check(settings: Settings) -> None:
    """Checks that settings are within their limits and consistent.

    Raises:
        ArgumentError: They are not.
    """
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if value is not None and (limit := _exceeded(value, each.metadata)):
            raise ArgumentError(f"`{each.name}` must be {limit}. Received: {value}")
    if not all(0 < share < 1 for share in settings.milestones or ()):
        raise ArgumentError(
            "`milestones` are shares of the steps, between 0 and 1. "
            f"Received: {', '.join(map(str, settings.milestones or ()))}"
        )
    if settings.steps and settings.warm_up and settings.warm_up >= settings.steps:
        raise ArgumentError(
            f"`warm_up` must be shorter than the training of {settings.steps} steps. "
            f"Received: {settings.warm_up}"
        )
    if "://" in settings.output:
        raise ArgumentError(
            f"`output` must be a folder of a file system. Received: {settings.output}"
        )


def _exceeded(value: Any, limits: Mapping[str, Any]) -> str | None:
    """Returns the limit that a value violates, in words; NaN violates every limit."""
    if "choices" in limits and value not in limits["choices"]:
        return f"one of {', '.join(limits['choices'])}"
    if "above" in limits and not value > limits["above"]:
        return f"above {limits['above']}"
    if "at_least" in limits and not value >= limits["at_least"]:
        return f"at least {limits['at_least']}"
    if "below" in limits and not value < limits["below"]:
        return f"below {limits['below']}"
    return None


def _optimizer(settings: Settings, advice: Mapping[str, Any]) -> dict[str, Any]:
    name, advised = optimizer_of(advice)
    if settings.optimizer not in (None, name):
        # Options recommended for one optimizer do not apply to another.
        name, advised = settings.optimizer, {}
    options = {**advised, **(settings.optimizer_options or {})}
    return {"optimizer": name, "optimizer_options": options}


def _rate(settings: Settings, advice: Mapping[str, Any]) -> dict[str, Any]:
    advised = rate_of(advice)
    first = settings.learning_rate or advised["first"]
    end = advised["last"] / advised["first"]
    return {
        "learning_rate": first,
        "schedule": _first(settings.schedule, advised["shape"]),
        "final_rate": _first(settings.final_rate, end * first),
        "milestones": _first(settings.milestones, advised["milestones"]),
        "factor": _first(settings.factor, advised["factor"]),
        "warm_up": _first(settings.warm_up, advised["warm_up"]),
    }


def _first(*values: Any) -> Any:
    """Returns the first value that is not None."""
    return next(value for value in values if value is not None)
