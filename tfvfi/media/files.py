"""Checks what a path refers to before it is opened, because a pipe or device may block for ever."""

import os
import stat
from pathlib import Path

from tfvfi.errors import InputError

# Descriptions of everything that is neither a file nor a folder.
SPECIAL = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


def check_file(path: Path) -> None:
    """Raises an `InputError` unless a path refers to a file that can be read.

    Args:
        path: The path that the user gave for a video or picture.
    """
    found = _state(path)
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{path} is a folder; a file is needed here")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied")


def is_folder(path: Path) -> bool:
    """Returns whether a path refers to a folder.

    Args:
        path: The path that the user gave.

    Raises:
        InputError: The path refers to neither a file nor a folder, or to nothing.
    """
    return stat.S_ISDIR(_state(path).st_mode)


def special(mode: int) -> str | None:
    """Returns a description of what is neither a file nor a folder; None for files and folders.

    Args:
        mode: The mode that `os.stat` returns.
    """
    return next((words for is_kind, words in SPECIAL.items() if is_kind(mode)), None)


def _state(path: Path) -> os.stat_result:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{str(path)!r} is no name of a file") from None
    what = special(found.st_mode)
    if what is not None:
        raise InputError(
            f"{path} is {what} and not a file; a video from another program is read from standard "
            "input by the name -"
        )
    return found
