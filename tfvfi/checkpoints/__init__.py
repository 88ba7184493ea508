"""Published checkpoints: read without PyTorch and without running them, ported by name."""

from tfvfi.checkpoints.convert import convert
from tfvfi.checkpoints.port import port, recognize, rules_of
from tfvfi.checkpoints.reader import Checkpoint, read

__all__ = ["Checkpoint", "convert", "port", "read", "recognize", "rules_of"]
