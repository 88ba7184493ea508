"""Compiled operations: none yet."""


def available() -> bool:
    """Whether they exist here."""
    return False


def usable(*tensors) -> bool:
    """Whether they can take these tensors."""
    return False
