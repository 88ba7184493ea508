"""The folder that records are made in: what was finished stays finished, and is found again."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from tfvfi.data.records import MANIFEST, Records
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media import storage

# Parts lie here until the manifest is written.
PARTS = "parts"
# What is written beside it, and what a killed process was writing.
WRITTEN = re.compile(
    r"manifest\.json|features\.json|dataset_info\.json|contact_sheet\.png|motion_histogram\.png"
    r"|\w+-\w+\.tfrecord-\d{5}-of-\d{5}"
)
UNFINISHED = re.compile(rf".+{re.escape(storage.ASIDE)}")


def finished(output: str | Path, overwrite: bool) -> Records | None:
    """The records that are there already; refuses to touch what is something else.

    Args:
        output: The folder.
        overwrite: Gives them up; then there are none.
    """
    if not str(output):
        raise ArgumentError("`output` is the folder to write; received an empty name")
    try:
        names = storage.names_in(output)
        if MANIFEST not in names:
            if names and PARTS not in names:
                raise InputError(f"{output} holds other files; choose another folder as `output`")
            return None
        # Many programs have a manifest.json.
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
    """The folder for parts: this process has it alone, and it goes when all is done."""
    work = storage.join(output, PARTS)
    try:
        storage.make_folder(work)
        with storage.only_one(work):
            # Without a manifest, which comes last, nothing is finished but the parts.
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
        # A worker whose parent was killed a moment ago may still finish or remove its own.
        with contextlib.suppress(FileNotFoundError):
            storage.remove(storage.join(folder, name))
