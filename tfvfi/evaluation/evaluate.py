"""Networks on a benchmark: every frame measured, in files that a kill does not harm.

The folder of results holds, for each network in a folder of its own, `frames.csv` (a row a frame),
`samples.csv` (a row a sample) and `run.json` (what the numbers depend on); beside them
`summary.json` with means, definitions and the comparison to published numbers, and `index.html`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi.errors import InputError
from tfvfi.evaluation import measures, results
from tfvfi.evaluation.contestants import Contestant, predict, rounded
from tfvfi.evaluation.loaded import Loaded
from tfvfi.evaluation.media import Media, Sinks
from tfvfi.evaluation.protocols import ROUNDINGS, Protocol, Rounding, protocol
from tfvfi.evaluation.published import comparison
from tfvfi.evaluation.report import write_report


@dataclass(frozen=True)
class Settings:
    """What may be asked for beside a benchmark's protocol.

    Attributes:
        rounding: Replaces the protocol's.
        flow_scale: Replaces the protocol's.
        self_ensemble: Average over flips and both directions of time.
        batch_size: How many pairs of one size are predicted at once; changes no number.
        lpips: Files of weights for the perceptual distance; see `tfvfi.evaluation.lpips`.
        limit: Only so many samples.
        dataset_options: Options of the benchmark's reader.
        media: Pictures and videos to write.
        shown: How many samples the page shows in pictures.
    """

    rounding: Rounding | None = None
    flow_scale: float | None = None
    self_ensemble: bool = False
    batch_size: int = 1
    lpips: tuple[str, ...] = ()
    limit: int | None = None
    dataset_options: Mapping[str, Any] = field(default_factory=dict)
    media: Media = field(default_factory=Media)
    shown: int = 24


def evaluate(
    contestants: Sequence[Contestant],
    dataset: str,
    data_dir: str | Path,
    folder: str | Path,
    settings: Settings | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Measures networks on a benchmark; what is already in the folder is not measured again.

    Args:
        contestants: The networks.
        dataset: One of `tfvfi.data.datasets.KNOWN`.
        data_dir: Where its data lies.
        folder: Gets the results.
        settings: What differs from the benchmark's protocol.
        overwrite: Forget what the folder holds.
        progress: Show a bar, where there is a terminal.

    Returns:
        The summary, as in `summary.json`.

    Example:
        >>> import tempfile
        >>> summary = evaluate(
        ...     [Contestant("flow_interpolation")],
        ...     "video",
        ...     "samples/clip.mp4",
        ...     tempfile.mkdtemp(),
        ...     Settings(limit=1),
        ...     progress=False,
        ... )
        >>> summary["contestants"][0]["means"]["psnr"] > 25
        True
    """
    from tfvfi.data import datasets

    settings = settings or Settings()
    plan = _plan(dataset, settings)
    folder = Path(folder)
    samples = datasets.open(dataset, data_dir, **settings.dataset_options)
    count = min(len(samples), settings.limit or len(samples))
    contestants = [contestant.under(plan) for contestant in contestants]
    _check_labels(contestants)
    measures = _measures(settings)
    by_label = {}
    found = []
    for contestant in contestants:
        own = folder / contestant.label
        if overwrite:
            results.discard(own)
        run = {
            **contestant.identity(),
            "dataset": dataset,
            "data_dir": str(Path(data_dir).resolve()),
            "dataset_options": dict(settings.dataset_options),
            "protocol": asdict(plan),
            "self_ensemble": settings.self_ensemble,
            "lpips": settings.lpips,
            "definitions": measures.DEFINITIONS,
            "tfvfi": results.__version__,
        }
        table = results.FrameTable(own, run, [*measures, "flicker"])
        bar = tqdm(
            total=count, desc=contestant.label, unit="sample", disable=None if progress else True
        )
        with bar:
            rows = measure(
                contestant,
                itertools.islice(samples, count),
                table,
                plan.rounding,
                settings,
                measures,
                bar.update,
            )
        results.write_csv(own / results.SAMPLES, results.sample_rows(rows, table.metrics))
        by_label[contestant.label] = rows
        numbers = results.of_run(rows, table.metrics)
        beside = comparison(
            contestant.name,
            plan.published,
            numbers["means"],
            plan.rounding,
            contestant.options,
            settings.self_ensemble,
        )
        about = {"label": contestant.label, **contestant.identity()}
        found.append({**about, **numbers, "published": beside})
    summary = {
        "dataset": dataset,
        "complete": bool(samples.complete and count == len(samples)),
        "published_samples": samples.published or len(samples),
        "protocol": asdict(plan),
        "self_ensemble": settings.self_ensemble,
        "dataset_options": dict(settings.dataset_options),
        "definitions": {name: measures.DEFINITIONS[name] for name in table.metrics},
        "environment": results.environment(),
        "contestants": found,
    }
    summary = results.finite(summary)
    results.write_json(folder / results.SUMMARY, summary)
    write_report(
        folder,
        summary,
        by_label,
        contestants,
        itertools.islice(samples, count),
        settings.shown,
        settings.self_ensemble,
    )
    return summary


def measure(
    contestant: Contestant,
    samples: Iterable[Any],
    table: results.FrameTable,
    rounding: Rounding,
    settings: Settings,
    measures: Mapping[str, Callable[[np.ndarray, np.ndarray], float]],
    advance: Callable[[], Any],
) -> dict[str, list[results.Row]]:
    """Fills a table: the rows of all samples, in their order.

    Args:
        contestant: The network.
        samples: What to predict.
        table: Holds what was measured before, and gets what is measured now.
        rounding: What becomes of a prediction before it is measured.
        settings: Batches and pictures.
        measures: Name -> metric of a prediction and the truth.
        advance: Called once a sample.
    """
    names: dict[str, None] = {}
    sinks = Sinks(table.path.parent, settings.media, contestant.label, rounding)

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
        for batch in batches(missing(), settings.batch_size):
            pairs = [loaded.pair for loaded in batch]
            times = batch[0].sample.times
            predicted = predict(contestant.model, pairs, times, settings.self_ensemble)
            for loaded, frames in zip(batch, predicted, strict=True):
                _check_finite(frames, contestant, loaded.sample)
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
    measures: Mapping[str, Callable[[np.ndarray, np.ndarray], float]],
) -> list[results.Row]:
    """One row a frame: where it is, and every metric."""
    sample = loaded.sample
    predicted = [
        rounded(frame, rounding, truth.dtype)
        for frame, truth in zip(frames, loaded.truths, strict=True)
    ]
    truths = [as_type_of(truth, predicted[0]) for truth in loaded.truths]
    flicker = measures.flicker(predicted, truths)
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


def _check_finite(frames: Sequence[np.ndarray], contestant: Contestant, sample: Any) -> None:
    """Refuses frames that are no pictures: a mean over the others would hide them."""
    if not all(np.isfinite(frame).all() for frame in frames):
        raise InputError(
            f"{contestant.label} painted values that are no numbers (NaN) for {sample.name}; "
            "its weights are unusable, or its precision too low"
        )


def _plan(dataset: str, settings: Settings) -> Protocol:
    """The protocol with what the settings replace."""
    known = protocol(dataset)
    if settings.rounding not in (None, *ROUNDINGS):
        raise InputError(
            f"rounding is one of {', '.join(ROUNDINGS)}. Received: {settings.rounding!r}"
        )
    if settings.batch_size < 1:
        raise InputError(f"batch_size is at least 1. Received: {settings.batch_size}")
    changes = {
        name: getattr(settings, name)
        for name in ("rounding", "flow_scale")
        if getattr(settings, name) is not None
    }
    return Protocol(**{**asdict(known), **changes})


def _measures(settings: Settings) -> dict[str, Callable[[np.ndarray, np.ndarray], float]]:
    chosen = dict(measures.OF_FRAMES)
    if settings.lpips:
        from tfvfi.evaluation.lpips import Lpips

        if len(settings.lpips) != 2:
            raise InputError(
                "LPIPS needs two files: torchvision's alexnet-owt-7be5be79.pth and alex.pth of "
                f"LPIPS 0.1, or vgg16-397923af.pth and vgg.pth. Received: {len(settings.lpips)}"
            )
        chosen["lpips"] = Lpips(*settings.lpips)
    return chosen


def _check_labels(contestants: Sequence[Contestant]) -> None:
    labels = [contestant.label for contestant in contestants]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice or not labels:
        raise InputError(
            f"each network is named once. Received twice: {', '.join(twice)}"
            if twice
            else "name at least one network"
        )
