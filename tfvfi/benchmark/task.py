"""The task of one process of a comparison."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """The task of one process.

    Attributes:
        form: One of `engines.FORMS`.
        model: The name of the network.
        weights: Its weight file, which is the same for every form.
        height: The height of the frames.
        width: The width of the frames.
        precision: "float32" or "bfloat16".
        threads: The number of threads that the engine may use.
        folder: The folder for files that the engine reads, and for the output.
        options: Arguments of `tfvfi.load`.
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
        """The path, without its suffix, of the network as a file for other engines."""
        return Path(self.folder) / f"{self.model}_{self.width}x{self.height}"

    @property
    def output(self) -> Path:
        """The path of the output of the process."""
        name = f"{self.form}_{self.precision}".replace(" ", "_")
        return self.converted.with_name(f"{self.converted.name}_{name}.npy")


def main_output(network: Any) -> Callable:
    """Returns the main output of a network, a frame or flow, as a function of tensors."""
    from tfvfi.models.base import FlowEstimator

    if isinstance(network, FlowEstimator):
        return network.flow_at_any_size
    return network.frame_at_any_size
