"""The handling of damaged sources."""

from pathlib import Path

from tfvfi.errors import InputError

# If part of a source cannot be decoded: refuse the source, or continue with the rest.
STOP, KEEP = "stop", "keep"


def refusal(path: Path, said: str) -> InputError:
    """Returns the error that refuses a damaged source.

    Args:
        path: The file.
        said: A description of the damage.
    """
    return InputError(
        f"{path} is damaged: {said}; nothing was written; `damaged='keep'` goes on with what can "
        "be decoded"
    )
