"""How much a checkpoint may ask for, and how readers say no."""

# Bytes that reading may produce: so many times the file, and some more for the smallest files.
MAX_GROWTH = 8
SLACK = 64 * 2**20
# A compressed file that unpacks to more than this many times its size is a bomb, not weights.
MAX_RATIO = 100


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
