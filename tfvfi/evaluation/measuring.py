"""From samples to rows of numbers: predicts what is missing and measures it."""

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

# Name -> metric of a prediction and the truth.
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
    """Fills a table: the rows of all samples, in their order.

    Args:
        entry: The network.
        samples: What to predict.
        table: Holds what was measured before, and gets what is measured now.
        rounding: How a prediction is rounded before it is measured.
        batch_size: How many pairs of one size are predicted at once.
        media: Pictures and videos to write.
        self_ensemble: Whether predictions are averages over views.
        measures: Name -> metric of a prediction and the truth.
        advance: Called once a sample.
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
    """One row a frame: where it is, and every metric."""
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
    """The truth in floats where the prediction is."""
    if frame.dtype == truth.dtype:
        return truth
    return truth.astype(np.float64) / np.iinfo(truth.dtype).max


def batches(loaded: Iterable[Loaded], size: int) -> Iterator[list[Loaded]]:
    """Neighbors of one kind, together up to `size`."""
    batch: list[Loaded] = []
    for one in loaded:
        if batch and (len(batch) == size or batch[0].kind != one.kind):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _check_finite(frames: Sequence[np.ndarray], entry: Entry, sample: Any) -> None:
    """Refuses frames with NaN: a mean over the others would hide them."""
    if not all(np.isfinite(frame).all() for frame in frames):
        raise InputError(
            f"{entry.label} predicted values that are no numbers (NaN) for {sample.name}; "
            "its weights are unusable, or its precision too low"
        )
