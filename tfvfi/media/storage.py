"""Files on this machine, and on object stores for paths with a scheme (`gs://`, `s3://`).

Only the latter import TensorFlow. Whatever goes wrong is an `OSError`.
"""

import contextlib
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tfvfi.errors import InputError

# Ending of a file that is not finished; nothing reads such files.
ASIDE = ".unfinished"
# A folder that one process has alone holds an empty file of this name.
LOCK = "lock"
# Errors of a disk or of rights on it, not of what is written.
OF_THE_DISK = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM),
    *(errno.EROFS, errno.ENOSPC, errno.EFBIG),
)


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """What TensorFlow says of an object store, as the system says it of a disk."""
    try:
        yield
    except Exception as error:
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
            raise
        missing = isinstance(error, tensorflow.errors.NotFoundError)
        number = errno.ENOENT if missing else errno.EIO
        raise OSError(number, error.message or os.strerror(number)) from None


def join(folder: str | Path, *names: str) -> str:
    """A path in a folder."""
    return "/".join([str(folder).rstrip("/") if str(folder) != "/" else "", *names])


@contextlib.contextmanager
def open_file(path: str | Path, mode: str = "rb") -> Iterator[IO[bytes]]:
    """An open file."""
    if not _is_remote(path):
        with open(path, mode) as file:
            yield file
        return
    with _os_errors(), _gfile().GFile(str(path), mode) as file:
        yield file


@contextlib.contextmanager
def write_aside(path: str | Path) -> Iterator[IO[bytes]]:
    """Writes bytes to a file that takes its name once it is complete and on the disk."""
    aside = f"{path}.{os.getpid()}{ASIDE}"
    try:
        with open_file(aside, "wb") as file:
            yield file
            file.flush()
            if not _is_remote(path):
                os.fsync(file.fileno())
        rename(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            remove(aside)
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file that appears when it is complete."""
    with write_aside(path) as file:
        file.write(content)


def read_text(path: str | Path) -> str:
    """The text of a file."""
    with open_file(path) as file:
        return file.read().decode()


@_os_errors()
def exists(path: str | Path) -> bool:
    """Whether there is such a file or folder."""
    return _gfile().exists(str(path)) if _is_remote(path) else os.path.exists(path)


@_os_errors()
def names_in(folder: str | Path) -> list[str]:
    """Names in a folder, sorted; none if there is no such folder."""
    if not exists(folder):
        return []
    found = _gfile().listdir(str(folder)) if _is_remote(folder) else os.listdir(folder)
    return sorted(name.rstrip("/") for name in found)


def local_folder(path: str | Path) -> str | None:
    """The folder that a file is in, if it is on this machine."""
    return None if _is_remote(path) else os.path.dirname(path)


@_os_errors()
def make_folder(path: str | Path) -> None:
    """Makes a folder and those above it."""
    _gfile().makedirs(str(path)) if _is_remote(path) else os.makedirs(path, exist_ok=True)


@_os_errors()
def rename(old: str | Path, new: str | Path) -> None:
    """Renames, replacing what has the new name."""
    if _is_remote(new):
        _gfile().rename(str(old), str(new), overwrite=True)
    else:
        os.replace(old, new)


@contextlib.contextmanager
def only_one(folder: str | Path, wait: bool = False) -> Iterator[None]:
    """Lets one process on this machine into a folder at a time; a kill leaves it open.

    Args:
        folder: Where they would meet.
        wait: Whether the others wait for their turn; by default they are refused.
    """
    if _is_remote(folder):
        yield
        return
    import fcntl

    with open(join(folder, LOCK), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise InputError(f"another process is writing in {folder}; wait for it") from None
        yield


@_os_errors()
def remove(path: str | Path) -> None:
    """Removes a file."""
    _gfile().remove(str(path)) if _is_remote(path) else os.remove(path)


@_os_errors()
def remove_folder(path: str | Path) -> None:
    """Removes a folder and all in it."""
    _gfile().rmtree(str(path)) if _is_remote(path) else shutil.rmtree(path)


def file_state(path: str | Path) -> list[str | int]:
    """Which file it is, and in which state: its absolute path, its size and when it was changed.

    Args:
        path: Of a file on this machine; of one that does not exist the path alone is returned.
    """
    absolute = os.path.abspath(path)
    try:
        found = os.stat(absolute)
    except OSError:
        return [absolute]
    return [absolute, found.st_size, found.st_mtime_ns]


def _is_remote(path: str | Path) -> bool:
    return re.match(r"[a-z][a-z0-9]+://", str(path)) is not None


def _gfile() -> Any:
    import tensorflow as tf

    return tf.io.gfile
