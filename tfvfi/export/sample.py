"""Sample inputs for an export, and the difference between two answers."""

import numpy as np

from tfvfi.models.base import FlowEstimator, Network


def inputs(model: Network, batch: int, height: int, width: int) -> dict[str, np.ndarray]:
    """Pairs of coarse random frames with motion, and times that the model answers."""
    noise = np.random.default_rng(height)
    coarse = noise.random((batch, height // 8 + 2, width // 8 + 2, 3))
    fine = coarse.repeat(8, axis=1).repeat(8, axis=2).astype("float32")
    frame0, frame1 = (fine[:, s : s + height, s : s + width] for s in (0, 3))
    pair = {"frame0": frame0, "frame1": frame1}
    if isinstance(model, FlowEstimator):
        return pair
    times = np.linspace(0.3, 0.6, batch) if model.times == "any" else np.resize(model.times, batch)
    return {**pair, "time": times.astype("float32")}


def difference(model: Network, got: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference of frames in [0, 1], or of flow relative to its largest component."""
    got, wanted = np.asarray(got, "float32"), np.asarray(wanted, "float32")
    scale = max(1.0, float(np.abs(wanted).max())) if isinstance(model, FlowEstimator) else 1.0
    return float(np.abs(got - wanted).max()) / scale
