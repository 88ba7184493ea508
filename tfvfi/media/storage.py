"""Access to files on this machine, and on object stores for paths with a scheme (`gs://`, `s3://`).

Only object stores import TensorFlow. All failures raise an `OSError`.
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

# The ending of unfinished files, which are never read.
ASIDE = ".unfinished"
# The name of the empty file with which a process locks a folder.
LOCK = "lock"
# Errors that are caused by the disk or its permissions, not by the data.
OF_THE_DISK = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM),
    *(errno.EROFS, errno.ENOSPC, errno.EFBIG),
)


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Turns TensorFlow's errors about an object store into an `OSError`."""
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
    """Returns a path in a folder."""
    return "/".join([str(folder).rstrip("/") if str(folder) != "/" else "", *names])


@contextlib.contextmanager
def open_file(path: str | Path, mode: str = "rb") -> Iterator[IO[bytes]]:
    """Opens a file."""
    if not _is_remote(path):
        with open(path, mode) as file:
            yield file
        return
    with _os_errors(), _gfile().GFile(str(path), mode) as file:
        yield file


@contextlib.contextmanager
def write_aside(path: str | Path) -> Iterator[IO[bytes]]:
    """Opens a file for writing that gets its name when it is complete and on the disk."""
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
    """Returns the text of a file."""
    with open_file(path) as file:
        return file.read().decode()


@_os_errors()
def exists(path: str | Path) -> bool:
    """Returns whether a file or folder exists."""
    return _gfile().exists(str(path)) if _is_remote(path) else os.path.exists(path)


@_os_errors()
def names_in(folder: str | Path) -> list[str]:
    """Returns the names in a folder, sorted; an empty list if there is no such folder."""
    if not exists(folder):
        return []
    found = _gfile().listdir(str(folder)) if _is_remote(folder) else os.listdir(folder)
    return sorted(name.rstrip("/") for name in found)


def local_folder(path: str | Path) -> str | None:
    """Returns the folder of a file; None if it is not on this machine."""
    return None if _is_remote(path) else os.path.dirname(path)


@_os_errors()
def make_folder(path: str | Path) -> None:
    """Makes a folder and those above it."""
    _gfile().makedirs(str(path)) if _is_remote(path) else os.makedirs(path, exist_ok=True)


@_os_errors()
def rename(old: str | Path, new: str | Path) -> None:
    """Renames a file, and replaces any file of the new name."""
    if _is_remote(new):
        _gfile().rename(str(old), str(new), overwrite=True)
    else:
        os.replace(old, new)


@contextlib.contextmanager
def only_one(folder: str | Path, wait: bool = False) -> Iterator[None]:
    """Locks a folder for one process of this machine; the lock ends with the process.

    Args:
        folder: The folder to lock; a folder on an object store is not locked.
        wait: Whether to wait for another process; by default an error is raised.

    Raises:
        InputError: Another process has the lock.
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
    """Removes a folder and everything in it."""
    _gfile().rmtree(str(path)) if _is_remote(path) else shutil.rmtree(path)


def file_state(path: str | Path) -> list[str | int]:
    """Returns the identity and state of a file: absolute path, size and modification time.

    Args:
        path: A file on this machine; if it does not exist, only the path is returned.
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
