"""The folder that records are made in: what was finished stays finished, and is found again."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tfvfi.data import storage
from tfvfi.data.records import MANIFEST, Records
from tfvfi.errors import InputError

# Parts lie here until the manifest is written.
PARTS = "parts"


def finished(output: str | Path, overwrite: bool) -> Records | None:
    """The records that are there already; refuses to touch what is something else.

    Args:
        output: The folder.
        overwrite: Removes them; then there are none.
    """
    names = storage.names_in(output)
    if MANIFEST not in names:
        if names and PARTS not in names:
            raise InputError(f"{output} holds other files; give --output a new folder")
        return None
    if overwrite:
        storage.remove_folder(output)
        return None
    if PARTS in names:
        storage.remove_folder(storage.join(output, PARTS))
    return Records(output)


@contextlib.contextmanager
def working(output: str | Path) -> Iterator[str]:
    """The folder for parts: this process has it alone, and it goes when all is done."""
    work = storage.join(output, PARTS)
    try:
        storage.make_folder(work)
        with storage.only_one(work):
            _clear_up(output, work)
            try:
                yield work
            finally:
                _clear_up(output, work)
            storage.remove_folder(work)
    except OSError as error:
        raise InputError(
            f"{output} cannot be written: {error.strerror or error}; the same command goes on "
            "where it ended"
        ) from None


def _clear_up(*folders: str | Path) -> None:
    """Removes what killed processes were writing."""
    for folder in folders:
        for name in storage.names_in(folder):
            if name.endswith(storage.ASIDE):
                storage.remove(storage.join(folder, name))
