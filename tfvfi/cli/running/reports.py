"""Reports of unexpected errors, which are written to a file rather than to the screen."""

import importlib.metadata
import os
import platform
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence

DEBUG = "TFVFI_DEBUG"
PACKAGES = (
    "tfvfi",
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "av",
)


def debugging() -> bool:
    """Returns whether the user requested stack traces."""
    return os.environ.get(DEBUG, "0") not in ("", "0")


def sentence(error: BaseException, argv: Sequence[str]) -> str:
    """Saves a report of an error and returns a message for the user."""
    kind = type(error).__name__
    try:
        path = save(error, argv)
    except OSError:
        return (
            f"something unexpected went wrong ({kind}), and no report of it could be saved; run "
            f"the command again with {DEBUG}=1 and report what it prints"
        )
    return (
        f"something unexpected went wrong ({kind}), a defect of tfvfi; please open an issue and "
        f"attach {path}, which describes it ({DEBUG}=1 shows it here)"
    )


def save(error: BaseException, argv: Sequence[str]) -> str:
    """Writes the report to a new file and returns its path."""
    number, path = tempfile.mkstemp(prefix="tfvfi-report-", suffix=".txt")
    with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(report(error, argv))
    return path


def report(error: BaseException, argv: Sequence[str]) -> str:
    """Returns the report of an error: the command, the system, the versions and a stack trace."""
    trace = "".join(traceback.format_exception(error))
    return "\n".join(
        [
            f"time      {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
            f"command   {shlex.join(argv)}",
            f"python    {platform.python_version()} ({sys.executable})",
            f"system    {platform.platform()}",
            *(f"package   {name} {version}" for name, version in _versions()),
            "",
            trace,
        ]
    )


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in PACKAGES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
