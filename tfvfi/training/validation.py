"""Measures the averaged weights on the records' validation split and on benchmarks."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from tfvfi.data import Samples, datasets
from tfvfi.data.datasets.sample import Benchmark
from tfvfi.errors import InputError
from tfvfi.evaluation import measures
from tfvfi.models.base import Interpolator
from tfvfi.tracing import compiled
from tfvfi.training import checkpoints
from tfvfi.training.job import Job, answered_times, build_network, build_objective, reading
from tfvfi.training.settings import sampling
from tfvfi.training.step import Trainer

Scores = dict[str, float]


class Validation:
    """Measures the averaged weights of a job, in a network of its own.

    Args:
        job: The training.

    Attributes:
        network: Has the averaged weights after `refresh`.
        missing: Why the records have no validation split; None if they have one.
    """

    def __init__(self, job: Job):
        settings = job.settings
        self._job, self._limit = job, settings.validation_limit
        self.network = build_network(replace(settings, weights=None))
        self.network.times = answered_times(job)
        judge = Trainer(self.network, build_objective(settings, job.objective))
        self._judge = compiled(lambda batch: judge(batch, training=False))
        self.missing: str | None = None
        self._samples = self._open(job.objective.batch)
        # The output of a cycle is not a frame between two frames, so PSNR is measured on triplets.
        paints = isinstance(self.network, Interpolator)
        apart = paints and job.objective.batch != "triplet" and self._samples is not None
        self._triplets = self._open("triplet") if apart else None
        self._benchmarks = dict(map(_opened, settings.validation)) if paints else {}

    def refresh(self) -> None:
        """Copies the current averaged weights."""
        checkpoints.average(self._job.trainer, self.network)

    def scores(self) -> Scores:
        """Returns every score by its name: "validation/loss", "middlebury/psnr", ..."""
        found = self._of_split()
        for name, benchmark in self._benchmarks.items():
            found |= self._of_benchmark(name, benchmark)
        return found

    def shown(self) -> list[dict[str, Any]]:
        """Returns examples to display, with inputs, outputs and truth."""
        if self._samples is None:
            return []
        batches = self._batches(self._samples, self._job.settings.pictures, 1)
        return [
            {name: value[0] for name, value in {**batch, **self._judged(batch)["outputs"]}.items()}
            for batch in batches
        ]

    def _of_split(self) -> Scores:
        if self._samples is None:
            return {}
        size = self._job.settings.batch_size
        losses, frames = [], []
        for batch in self._batches(self._samples, self._limit, size):
            judged = self._judged(batch)
            losses.append(judged["loss"])
            if "target" in batch and "frame" in judged["outputs"]:
                frames.extend(zip(judged["outputs"]["frame"], batch["target"], strict=True))
        if self._triplets is not None:
            for batch in self._batches(self._triplets, self._limit, 1):
                frame = self.network.frame_at_any_size(
                    *(batch[name] for name in self.network.input_names)
                )
                frames.append((ops.convert_to_numpy(frame)[0], batch["target"][0]))
        return {"validation/loss": float(np.mean(losses)), **_prefixed("validation", _mean(frames))}

    def _of_benchmark(self, name: str, benchmark: Benchmark) -> Scores:
        def frames() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for sample in itertools.islice(benchmark, self._limit):
                pair = sample.frame0.read(), sample.frame1.read()
                painted = self.network.interpolate(*pair, sample.times)
                yield from zip(painted, (each.read() for each in sample.targets), strict=True)

        return _prefixed(name, _mean(frames()))

    def _open(self, kind: str) -> Samples | None:
        settings, objective = self._job.settings, self._job.objective
        if kind != objective.batch:
            # The user's sampling settings concern training samples only.
            unsaid = dict.fromkeys(sampling(settings))
            settings, objective = replace(settings, **unsaid), replace(objective, batch=kind)
        how = reading(settings, objective, self.network)
        try:
            return Samples(
                settings.records, split="validation", **how | {"augmentation": ()}, shuffle=False
            )
        except InputError as error:
            self.missing = str(error)
            return None

    def _batches(self, samples: Samples, limit: int, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yields batches of one size; an incomplete last one is omitted, unless it is alone."""
        count = min(len(samples), limit)
        size = min(size, count)
        for first in range(0, count - size + 1, size) if size else ():
            made = [samples.sample(first + number) for number in range(size)]
            yield {name: np.stack([one[name] for one in made]) for name in made[0]}

    def _judged(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        judged = self._judge({name: ops.convert_to_tensor(value) for name, value in batch.items()})
        return {
            "loss": float(judged["loss"]),
            "outputs": {
                name: ops.convert_to_numpy(value) for name, value in judged["outputs"].items()
            },
        }


def _opened(text: str) -> tuple[str, Benchmark]:
    name, colon, folder = text.partition(":")
    if not colon:
        raise InputError(
            f"`validation` is a benchmark and its folder, NAME:FOLDER. Received: {text}"
        )
    return name, datasets.open(name, folder)


def _mean(frames: Any) -> Scores:
    measured = [
        (measures.psnr(frame, truth), measures.ssim(frame, truth))
        for frame, truth in ((_clipped(frame), truth) for frame, truth in frames)
    ]
    if not measured:
        return {}
    return dict(zip(("psnr", "ssim"), np.mean(measured, axis=0).tolist(), strict=True))


def _clipped(frame: np.ndarray) -> np.ndarray:
    return np.clip(frame, 0, 1) if frame.dtype.kind == "f" else frame


def _prefixed(name: str, scores: Scores) -> Scores:
    return {f"{name}/{key}": value for key, value in scores.items()}
