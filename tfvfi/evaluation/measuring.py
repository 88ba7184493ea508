"""Predicts and measures the samples that have no results yet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.evaluation import measures as metrics
from tfvfi.evaluation import results
from tfvfi.evaluation.loaded import Loaded
from tfvfi.evaluation.media import Media, Sinks
from tfvfi.evaluation.prediction import Entry, predict, rounded
from tfvfi.evaluation.protocols import Rounding

# Metrics of a prediction and the true frame, by name.
Measures = Mapping[str, Callable[[np.ndarray, np.ndarray], float]]


def measure(
    entry: Entry,
    samples: Iterable[Any],
    table: results.FrameTable,
    rounding: Rounding,
    batch_size: int,
    media: Media,
    self_ensemble: bool,
    measures: Measures,
    advance: Callable[[], Any],
) -> dict[str, list[results.Row]]:
    """Completes the table of a network and returns the rows of all samples, in their order.

    Args:
        entry: The network.
        samples: The samples to predict.
        table: The table, which may hold the rows of some samples already.
        rounding: How a prediction is rounded before it is measured.
        batch_size: How many pairs of one size are predicted at once.
        media: The pictures and videos to write.
        self_ensemble: Whether predictions are averages over flips and directions of time.
        measures: The metrics by name.
        advance: Called once for each sample.

    Raises:
        InputError: Two samples have the same name, or a prediction contains NaN.
    """
    names: dict[str, None] = {}
    sinks = Sinks(table.path.parent, media, entry.label, rounding)

    def missing() -> Iterator[Loaded]:
        for sample in samples:
            if sample.name in names:
                raise InputError(f"two samples are called {sample.name}")
            names[sample.name] = None
            wanted = sinks.wants(sample)
            if sample.name in table.rows and not wanted:
                advance()
                continue
            yield Loaded.read(sample)

    with sinks:
        for batch in batches(missing(), batch_size):
            pairs = [loaded.pair for loaded in batch]
            times = batch[0].sample.times
            predicted = predict(entry.network, pairs, times, self_ensemble)
            for loaded, frames in zip(batch, predicted, strict=True):
                _check_finite(frames, entry, loaded.sample)
                sinks.write(loaded, frames)
                if loaded.sample.name not in table.rows:
                    rows = measure_sample(loaded, frames, rounding, measures)
                    table.append(loaded.sample.name, rows)
                advance()
    return {name: table.rows[name] for name in names}


def measure_sample(
    loaded: Loaded,
    frames: Sequence[np.ndarray],
    rounding: Rounding,
    measures: Measures,
) -> list[results.Row]:
    """Returns one row for each frame of a sample, with its name, its time and every metric."""
    sample = loaded.sample
    predicted = [
        rounded(frame, rounding, truth.dtype)
        for frame, truth in zip(frames, loaded.truths, strict=True)
    ]
    truths = [as_type_of(truth, predicted[0]) for truth in loaded.truths]
    flicker = metrics.flicker(predicted, truths)
    return [
        {
            "sample": sample.name,
            "frame": target.name,
            "time": time,
            "of": len(truths),
            **{name: metric(frame, truth) for name, metric in measures.items()},
            "flicker": flicker,
        }
        for target, time, frame, truth in zip(
            sample.targets, sample.times, predicted, truths, strict=True
        )
    ]


def as_type_of(truth: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Returns the true frame, converted to float if the prediction is float."""
    if frame.dtype == truth.dtype:
        return truth
    return truth.astype(np.float64) / np.iinfo(truth.dtype).max


def batches(loaded: Iterable[Loaded], size: int) -> Iterator[list[Loaded]]:
    """Groups consecutive samples of one kind into batches of up to `size`."""
    batch: list[Loaded] = []
    for one in loaded:
        if batch and (len(batch) == size or batch[0].kind != one.kind):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _check_finite(frames: Sequence[np.ndarray], entry: Entry, sample: Any) -> None:
    """Raises `InputError` for frames with NaN, which a mean over the others would hide."""
    if not all(np.isfinite(frame).all() for frame in frames):
        raise InputError(
            f"{entry.label} predicted values that are no numbers (NaN) for {sample.name}; "
            "its weights are unusable, or its precision too low"
        )
