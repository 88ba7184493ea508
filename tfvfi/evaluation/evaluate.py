"""Evaluates networks on a benchmark and keeps the result of every frame.

The result folder has a subfolder for each network, with `frames.csv` (one row per frame),
`samples.csv` (one row per sample) and `run.json` (what the results depend on). Beside the
subfolders are `summary.json`, with the means, the definitions and the comparison with published
results, and `index.html`. An evaluation that is killed can be resumed.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfvfi import __version__
from tfvfi.errors import ArgumentError
from tfvfi.evaluation import measures, results
from tfvfi.evaluation.measuring import Measures, measure
from tfvfi.evaluation.media import Media
from tfvfi.evaluation.prediction import Entry, under
from tfvfi.evaluation.protocols import ROUNDINGS, Protocol, Rounding, protocol
from tfvfi.evaluation.published import comparison
from tfvfi.evaluation.report import write_report
from tfvfi.media.tables import finite, write_csv, write_json
from tfvfi.registry import ModelSpec


@dataclass(frozen=True)
class EvaluationSettings:
    """Holds changes to the protocol of a benchmark and further settings of an evaluation.

    Attributes:
        rounding: Replaces the rounding of the protocol.
        flow_scale: Replaces the flow scale of the protocol.
        self_ensemble: Whether to average over flips and both directions of time.
        batch_size: How many pairs of one size are predicted at once. The results do not depend on
            it.
        lpips: Weight files of the perceptual distance; see `tfvfi.evaluation.lpips`.
        limit: The largest number of samples.
        dataset_options: Options of the reader of the benchmark.
        media: The pictures and videos to write.
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
    models: Sequence[str | ModelSpec],
    dataset: str,
    data_dir: str | Path,
    folder: str | Path,
    settings: EvaluationSettings | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Measures networks on a benchmark.

    Results that the folder already holds are not measured again.

    Args:
        models: The networks, as specifications or as text: "name,option=value,...".
        dataset: One of `tfvfi.data.datasets.KNOWN`.
        data_dir: The folder (or file) that holds the data of the benchmark.
        folder: The folder for the results.
        settings: Changes to the protocol of the benchmark.
        overwrite: Whether to discard earlier results in the folder.
        progress: Whether to show a progress bar if there is a terminal.

    Returns:
        The summary, as in `summary.json`.

    Raises:
        InputError: A model, the dataset or a setting is invalid, the data is missing, or the
            folder holds the results of a different run.

    Example:
        >>> import tempfile
        >>> summary = evaluate(
        ...     ["flow_interpolation"],
        ...     "video",
        ...     "samples/clip.mp4",
        ...     tempfile.mkdtemp(),
        ...     EvaluationSettings(limit=1),
        ...     progress=False,
        ... )
        >>> summary["contestants"][0]["means"]["psnr"] > 25
        True
    """
    folder, settings = Path(folder), settings or EvaluationSettings()
    task = _Task.open(dataset, data_dir, settings)
    specs = [ModelSpec.parse(model) if isinstance(model, str) else model for model in models]
    entries = [Entry(under(spec, task.plan)) for spec in specs]
    _check_labels(entries)
    rows, found = {}, []
    for entry in entries:
        own = folder / entry.label
        if overwrite:
            results.discard(own)
        rows[entry.label] = task.measure(entry, own, progress)
        found.append(task.compare(entry, rows[entry.label]))
    summary = finite(task.summary() | {"contestants": found})
    write_json(folder / results.SUMMARY, summary)
    write_report(
        folder, summary, rows, entries, task.samples(), settings.shown, settings.self_ensemble
    )
    return summary


@dataclass(frozen=True)
class _Task:
    """A benchmark that is ready for measurements.

    Attributes:
        dataset: The name of the benchmark.
        data_dir: Where its data is.
        settings: Changes to its protocol.
        plan: Its protocol with those changes.
        source: All of its samples.
        count: How many of them are measured.
        measures: The metrics.
    """

    dataset: str
    data_dir: Path
    settings: EvaluationSettings
    plan: Protocol
    source: Any
    count: int
    measures: Measures

    @classmethod
    def open(cls, dataset: str, data_dir: str | Path, settings: EvaluationSettings) -> "_Task":
        from tfvfi.data import datasets

        plan = _plan(dataset, settings)
        source = datasets.open(dataset, data_dir, **settings.dataset_options)
        count = min(len(source), settings.limit or len(source))
        measures = _measures(settings)
        return cls(dataset, Path(data_dir).resolve(), settings, plan, source, count, measures)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics that are computed for each frame."""
        return [*self.measures, "flicker"]

    def samples(self) -> Iterator[Any]:
        """Returns the samples to measure."""
        return itertools.islice(self.source, self.count)

    def measure(self, entry: Entry, folder: Path, progress: bool) -> dict[str, list[results.Row]]:
        """Measures one network, completes its tables and returns its rows by sample."""
        table = results.FrameTable(folder, self.identity(entry), self.metrics)
        disable = None if progress else True
        with tqdm(total=self.count, desc=entry.label, unit="sample", disable=disable) as bar:
            rows = measure(
                entry,
                self.samples(),
                table,
                self.plan.rounding,
                self.settings.batch_size,
                self.settings.media,
                self.settings.self_ensemble,
                self.measures,
                bar.update,
            )
        write_csv(folder / results.SAMPLES, results.sample_rows(rows, self.metrics))
        return rows

    def identity(self, entry: Entry) -> dict[str, Any]:
        """Returns everything that the results of a network depend on."""
        return {
            **entry.spec.identity(),
            "dataset": self.dataset,
            "data_dir": str(self.data_dir),
            "dataset_options": dict(self.settings.dataset_options),
            "protocol": asdict(self.plan),
            "self_ensemble": self.settings.self_ensemble,
            "lpips": self.settings.lpips,
            "definitions": measures.DEFINITIONS,
            "tfvfi": __version__,
        }

    def compare(self, entry: Entry, rows: Mapping[str, list[results.Row]]) -> dict[str, Any]:
        """Returns the results of a network, with those that its authors published."""
        numbers = results.of_run(rows, self.metrics)
        beside = comparison(
            entry.spec.name,
            self.plan.published,
            numbers["means"],
            self.plan.rounding,
            entry.spec.options,
            self.settings.self_ensemble,
        )
        return {
            "label": entry.label,
            **entry.spec.identity(),
            **numbers,
            "published": beside,
        }

    def summary(self) -> dict[str, Any]:
        """Returns the part of the summary that is common to all networks."""
        every = len(self.source)
        return {
            "dataset": self.dataset,
            "complete": bool(self.source.complete and self.count == every),
            "published_samples": self.source.published or every,
            "protocol": asdict(self.plan),
            "self_ensemble": self.settings.self_ensemble,
            "dataset_options": dict(self.settings.dataset_options),
            "definitions": {name: measures.DEFINITIONS[name] for name in self.metrics},
            "environment": results.environment(),
        }


def _plan(dataset: str, settings: EvaluationSettings) -> Protocol:
    """Returns the protocol of a dataset, with the changes of the settings."""
    known = protocol(dataset)
    if settings.rounding not in (None, *ROUNDINGS):
        raise ArgumentError(
            f"`rounding` is one of {', '.join(ROUNDINGS)}. Received: {settings.rounding!r}"
        )
    if settings.batch_size < 1:
        raise ArgumentError(f"`batch_size` is at least 1. Received: {settings.batch_size}")
    changes = {
        name: getattr(settings, name)
        for name in ("rounding", "flow_scale")
        if getattr(settings, name) is not None
    }
    return Protocol(**{**asdict(known), **changes})


def _measures(settings: EvaluationSettings) -> Measures:
    chosen = dict(measures.OF_FRAMES)
    if settings.lpips:
        from tfvfi.evaluation.lpips import Lpips

        if len(settings.lpips) != 2:
            raise ArgumentError(
                "`lpips` takes two files: torchvision's alexnet-owt-7be5be79.pth and alex.pth of "
                f"LPIPS 0.1, or vgg16-397923af.pth and vgg.pth. Received: {len(settings.lpips)}"
            )
        chosen["lpips"] = Lpips(*settings.lpips)
    return chosen


def _check_labels(entries: Sequence[Entry]) -> None:
    labels = [entry.label for entry in entries]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice or not labels:
        raise ArgumentError(
            f"each network is named once. Received twice: {', '.join(twice)}"
            if twice
            else "name at least one network"
        )
