"""Ours, published, difference: measured means beside the numbers that papers printed."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfvfi import registry

# What a preset calls a metric -> ours. "SSIM" and "IE" alone mean what most papers mean.
METRICS: Mapping[str, str] = {
    "PSNR": "psnr",
    "SSIM": "ssim",
    "SSIM 3-D": "ssim_3d",
    "IE": "ie_absolute",
    "IE RMS": "ie_rms",
    "IE euclidean": "ie_euclidean",
    "LPIPS": "lpips",
}


def comparison(
    name: str, datasets: Sequence[str], means: Mapping[str, float]
) -> list[dict[str, Any]]:
    """A row for each published number of a network on a dataset that was measured.

    Args:
        name: The network's.
        datasets: What tables call the dataset.
        means: Metric -> what was measured.
    """
    return [
        {
            "metric": score.metric,
            "means": METRICS[score.metric],
            "ours": means[METRICS[score.metric]],
            "published": score.value,
            "difference": means[METRICS[score.metric]] - score.value,
            "source": score.source,
        }
        for score in registry.preset(name).scores
        if score.dataset in datasets and METRICS.get(score.metric) in means
    ]
