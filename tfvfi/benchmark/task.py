"""What one process of a comparison runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """What one process runs.

    Attributes:
        form: One of `engines.FORMS`.
        model: The network's name.
        options: Arguments of `tfvfi.load`.
        weights: A file of its weights; every form gets the same.
        height: Of the frames.
        width: Of the frames.
        precision: "float32" or "bfloat16".
        threads: How many the engine may use.
        folder: For files that the engine reads, and for the output.
    """

    form: str
    model: str
    weights: str
    height: int
    width: int
    precision: str
    threads: int
    folder: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def converted(self) -> Path:
        """The network as a file that other engines read, without its ending."""
        return Path(self.folder) / f"{self.model}_{self.width}x{self.height}"

    @property
    def output(self) -> Path:
        """Where the process leaves what it computed."""
        name = f"{self.form}_{self.precision}".replace(" ", "_")
        return self.converted.with_name(f"{self.converted.name}_{name}.npy")


def main_output(network: Any) -> Callable:
    """What a network is for, as a function of tensors: the frame at a time, or the flow."""
    from tfvfi.models.base import FlowEstimator

    if isinstance(network, FlowEstimator):
        return network.flow_at_any_size
    return network.frame_at_any_size
