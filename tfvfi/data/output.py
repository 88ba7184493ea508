"""The output folder of records: finished parts are kept there and reused by the next call."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from tfvfi.data.records import MANIFEST, Records
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media import storage

# The folder of finished parts, which exists until the manifest is written.
PARTS = "parts"
# The names of all other files of a dataset, and of files that a killed process left unfinished.
WRITTEN = re.compile(
    r"manifest\.json|features\.json|dataset_info\.json|contact_sheet\.png|motion_histogram\.png"
    r"|\w+-\w+\.tfrecord-\d{5}-of-\d{5}"
)
UNFINISHED = re.compile(rf".+{re.escape(storage.ASIDE)}")


def finished(output: str | Path, overwrite: bool) -> Records | None:
    """Returns the finished records in a folder, or None if there are none.

    Args:
        output: The folder.
        overwrite: Whether to discard finished records; then None is returned.

    Raises:
        InputError: The folder holds other files, or it cannot be read.
    """
    if not str(output):
        raise ArgumentError("`output` is the folder to write; received an empty name")
    try:
        names = storage.names_in(output)
        if MANIFEST not in names:
            if names and PARTS not in names:
                raise InputError(f"{output} holds other files; choose another folder as `output`")
            return None
        # Opening the records verifies them, because many programs write a manifest.json.
        done = Records(output)
        if PARTS in names:
            storage.remove_folder(storage.join(output, PARTS))
        if not overwrite:
            return done
        _refuse_others(output, names)
        storage.make_folder(storage.join(output, PARTS))
        storage.remove(storage.join(output, MANIFEST))
        return None
    except OSError as error:
        raise InputError(f"{output} cannot be read: {error.strerror}") from None


@contextlib.contextmanager
def working(output: str | Path) -> Iterator[str]:
    """Locks the folder of parts for this process, and removes it when all work is done."""
    work = storage.join(output, PARTS)
    try:
        storage.make_folder(work)
        with storage.only_one(work):
            # The manifest is written last; without it, only parts are finished.
            _remove(output, WRITTEN)
            for folder in (output, work):
                _remove(folder, UNFINISHED)
            try:
                yield work
            finally:
                for folder in (output, work):
                    _remove(folder, UNFINISHED)
            storage.remove_folder(work)
    except OSError as error:
        raise InputError(
            f"{output} cannot be written: {error.strerror or error}; the same command goes on "
            "where it ended"
        ) from None


def _refuse_others(output: str | Path, names: list[str]) -> None:
    for name in names:
        if not (name == PARTS or WRITTEN.fullmatch(name) or UNFINISHED.fullmatch(name)):
            raise InputError(f"{output} also holds {name}; choose another folder as `output`")


def _remove(folder: str | Path, unwanted: re.Pattern) -> None:
    for name in filter(unwanted.fullmatch, storage.names_in(folder)):
        # A worker whose parent has just been killed may still rename or remove its file.
        with contextlib.suppress(FileNotFoundError):
            storage.remove(storage.join(folder, name))
