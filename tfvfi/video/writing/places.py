"""Checks where an output may be written, so that no file of the user is replaced by mistake."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from tfvfi.errors import ArgumentError, InputError
from tfvfi.media.files import special
from tfvfi.video.writing.animation import JOINED
from tfvfi.video.writing.encoding import CONTAINERS
from tfvfi.video.writing.picture_folder import is_numbered

ENDINGS = (*CONTAINERS, *JOINED)


def check_output(path: Path, inputs: Sequence[Path], overwrite: bool) -> None:
    """Checks, before any work, that an output can be written and would not replace other files.

    Args:
        path: The output.
        inputs: The files that are read.
        overwrite: Whether an existing output may be replaced.

    Raises:
        InputError: The output cannot be written, or would replace something that it must not.
    """
    check_name(path)
    if path.suffix and path.suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise ArgumentError(
            f"a video or animation ends in one of {known}, a folder of pictures has no ending; "
            f"received {path}"
        )
    found = _found(path)
    if found is not None:
        _check_replaced(path, found, inputs, overwrite)


def check_name(path: Path) -> None:
    """Raises an `ArgumentError` if a name is only an ending, such as ".mp4"."""
    if path.name.lower() in ENDINGS:
        raise ArgumentError(f"{path} is an ending without a name: write out{path.name}, say")


def make_folder(folder: Path) -> None:
    """Makes a folder; raises an `InputError` if it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"nothing can be written to the folder {folder}")


def _found(path: Path) -> os.stat_result | None:
    """Returns the state of whatever has the name already, without following links, or None."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{str(path)!r} is no name of a file") from None


def _check_replaced(
    path: Path, found: os.stat_result, inputs: Sequence[Path], overwrite: bool
) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise InputError(
            f"{path} is a link to {os.readlink(path)} and is never replaced; choose another "
            "`output`, or what it leads to"
        )
    what = special(found.st_mode)
    if what is not None:
        raise InputError(f"{path} is {what} and is never replaced; choose another `output`")
    is_folder = stat.S_ISDIR(found.st_mode)
    read = {file.parent for file in inputs} if is_folder else inputs
    if any(os.path.exists(one) and os.path.samefile(one, path) for one in read):
        raise InputError(f"{path} is what is read, and is never replaced; choose another `output`")
    if not overwrite:
        raise InputError(f"{path} exists; choose another `output`, or pass `overwrite=True`")
    if path.suffix and is_folder:
        raise InputError(f"{path} is a folder and cannot become a video")
    if not path.suffix and not is_folder:
        raise InputError(f"{path} is a file and cannot become a folder of pictures")
    if is_folder and not all(is_numbered(child) for child in path.iterdir()):
        raise InputError(f"{path} holds files that were not written here and is left alone")
