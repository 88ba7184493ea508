"""What RIFE is trained with: the frame, a teacher that sees the true one, and its flow."""

from collections.abc import Mapping
from typing import Any


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The loss."""
    raise NotImplementedError
