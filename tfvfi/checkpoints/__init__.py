"""Reads published checkpoints without PyTorch and without running code from them."""

from tfvfi.checkpoints.reader import Checkpoint, read

__all__ = ["Checkpoint", "read"]
