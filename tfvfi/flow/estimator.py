"""The interface of flow estimators, for code that does not depend on a specific network."""

from typing import Any, Protocol

import numpy as np

from tfvfi.errors import InputError


class FlowEstimator(Protocol):
    """Anything that estimates the optical flow from one frame to another."""

    def estimate(self, frame0: np.ndarray, frame1: np.ndarray, /) -> np.ndarray:
        """Returns the flow from `frame0` to `frame1`, H x W x 2 in pixels, for frames H x W x 3."""
        ...


def estimator_in(network: Any) -> FlowEstimator:
    """Returns the flow estimator that a network is or contains.

    Args:
        network: A flow estimator, or an interpolator that renders frames along such flow.

    Raises:
        InputError: The network does not estimate flow between whole frames.
    """
    if not callable(getattr(network, "estimate", None)):
        raise InputError(
            f"{getattr(network, 'name', 'this network')} has no flow from frame to frame that "
            "could be written; flow_interpolation and softsplat have"
        )
    return network
