"""Published checkpoints, read without PyTorch and without running any code from them."""

from tfvfi.checkpoints.reader import Checkpoint, read

__all__ = ["Checkpoint", "read"]
