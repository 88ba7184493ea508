"""Compares measured means with published ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfvfi import registry
from tfvfi.models.preset import PublishedScore

# Maps the metric of a published score to ours. "SSIM" and "IE" have their meaning in most papers.
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
    """Returns the options with which the authors of a network measured it on a dataset."""
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
    """Returns a row for each published score of a network on a dataset.

    Args:
        name: The name of the network.
        datasets: The names of the dataset in tables.
        means: The measured mean of each metric.
        rounding: How the predictions were rounded.
        measured_with: The options of the network.
        self_ensemble: Whether predictions are averages over flips and directions of time.

    Returns:
        The rows. Their "note" lists the differences from the published measurement, if any.
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
