"""What to do with a source that is damaged."""

from pathlib import Path

from tfvfi.errors import InputError

# Where a source cannot be decoded: refuse it, or go on with the rest.
STOP, KEEP = "stop", "keep"


def refusal(path: Path, said: str) -> InputError:
    """The error that stops at damage.

    Args:
        path: The file.
        said: What is wrong with it.
    """
    return InputError(
        f"{path} is damaged: {said}; nothing was written; `damaged='keep'` goes on with what can "
        "be decoded"
    )
