"""How much a checkpoint may ask for, and how readers say no."""

# Bytes that unpacking or reading may produce: so many times the file, and some for small files.
MAX_GROWTH = 8
SLACK = 64 * 2**20


class UnreadableError(Exception):
    """Why a file cannot be read: the end of a sentence that begins with the file's name."""


class Budget:
    """Counts the bytes that are about to be made, and refuses before they are.

    Args:
        file_size: Bytes of the file that they come from.
    """

    def __init__(self, file_size: int):
        self.left = MAX_GROWTH * file_size + SLACK

    def spend(self, size: int) -> None:
        """Takes `size` bytes from what is left."""
        if size > self.left:
            raise UnreadableError(
                "claims tensors far larger than itself; refused before reading them"
            )
        self.left -= size
