"""What a path leads to, asked before it is opened: a pipe or a device may never answer."""

import os
import stat
from pathlib import Path

from tfvfi.errors import InputError

# What is neither a file nor a folder.
SPECIAL = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


def check_file(path: Path) -> None:
    """Refuses what is not a file that can be opened.

    Args:
        path: What the user named as a video or picture.
    """
    found = _state(path)
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{path} is a folder; a file is needed here")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied")


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; `InputError` if it leads to nothing that can be read.

    Args:
        path: What the user named.
    """
    return stat.S_ISDIR(_state(path).st_mode)


def special(mode: int) -> str | None:
    """What is neither a file nor a folder, in words; None for files and folders.

    Args:
        mode: As `os.stat` returns it.
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
