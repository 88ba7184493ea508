"""Ours, published, difference: measured means beside the numbers that papers printed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfvfi import registry
from tfvfi.models.preset import PublishedScore

# What a preset calls a metric -> ours. "SSIM" and "IE" alone mean what most papers mean.
METRICS: Mapping[str, str] = {
    "PSNR": "psnr",
    "SSIM": "ssim",
    "SSIM uniform": "ssim_uniform",
    "SSIM 3-D": "ssim_3d",
    "IE": "ie_absolute",
    "IE RMS": "ie_rms",
    "IE euclidean": "ie_euclidean",
    "LPIPS": "lpips",
}


def options(name: str, datasets: Sequence[str]) -> dict[str, Any]:
    """The options of a network with which its authors measured it on a dataset."""
    found: dict[str, Any] = {}
    for score in _scores(name, datasets):
        found.update(score.options)
    return found


def comparison(
    name: str,
    datasets: Sequence[str],
    means: Mapping[str, float],
    rounding: str,
    measured_with: Mapping[str, Any],
    self_ensemble: bool = False,
) -> list[dict[str, Any]]:
    """A row for each published number of a network on a dataset that was measured.

    Args:
        name: The network's.
        datasets: What tables call the dataset.
        means: Metric -> what was measured.
        rounding: What became of the predictions.
        measured_with: The network's options.
        self_ensemble: Whether predictions are averages over views.

    Returns:
        Rows whose "note" says what was done otherwise than for the published number, if anything.
    """
    return [
        {
            "metric": score.metric,
            "means": METRICS[score.metric],
            "ours": means[METRICS[score.metric]],
            "published": score.value,
            "difference": means[METRICS[score.metric]] - score.value,
            "source": score.source,
            "note": ", ".join(_differences(score, rounding, measured_with, self_ensemble)),
        }
        for score in _scores(name, datasets)
        if METRICS.get(score.metric) in means
    ]


def _scores(name: str, datasets: Sequence[str]) -> Iterator[PublishedScore]:
    return (score for score in registry.preset(name).scores if score.dataset in datasets)


def _differences(
    score: PublishedScore, rounding: str, measured_with: Mapping[str, Any], self_ensemble: bool
) -> Iterator[str]:
    if score.rounding not in (None, rounding):
        yield f"published with rounding={score.rounding}"
    for key, value in score.options.items():
        if measured_with.get(key) != value:
            yield f"published with {key}={value}"
    if self_ensemble:
        yield "published without self-ensemble"
