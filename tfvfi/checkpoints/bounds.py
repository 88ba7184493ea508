"""Limits of the memory that a checkpoint may claim, and the error of the readers."""

# Unpacking and reading may produce this many times the size of the file, plus some bytes of slack
# for small files.
MAX_GROWTH = 8
SLACK = 64 * 2**20


class UnreadableError(Exception):
    """Raised if a file cannot be read; the message continues a sentence after the file name."""


class Budget:
    """Counts bytes before they are allocated and rejects files that claim too many.

    Args:
        file_size: The size of the file that the bytes come from.
    """

    def __init__(self, file_size: int):
        self.left = MAX_GROWTH * file_size + SLACK

    def spend(self, size: int) -> None:
        """Subtracts `size` bytes from the budget, or raises `UnreadableError`."""
        if size > self.left:
            raise UnreadableError(
                "claims tensors far larger than itself; refused before reading them"
            )
        self.left -= size
