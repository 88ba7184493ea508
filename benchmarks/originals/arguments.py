"""What the commands that measure the originals have in common."""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tfvfi.errors import ArgumentError


def define_folders(values: flags.FlagValues) -> None:
    """Defines the flags of the folders that are read and written."""
    flags.DEFINE_string(
        "sources",
        str(Path.home() / ".cache" / "tfvfi" / "originals"),
        "folder of the authors' repositories",
        flag_values=values,
    )
    flags.DEFINE_string("results", "benchmarks/results", "where the table goes", flag_values=values)


def check_names(argument: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Raises `ArgumentError` if nothing is given or something is not known."""
    unknown = [name for name in given if name not in known]
    if unknown or not given:
        received = repr(unknown[0]) if unknown else "nothing"
        raise ArgumentError(f"`{argument}` takes {', '.join(known)}. Received: {received}")
