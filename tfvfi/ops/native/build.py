"""Compiles the native operations; run it with `python -m tfvfi.ops.native.build`.

This requires a C++ compiler (`CXX`, or c++, g++ or clang++) and the headers in TensorFlow's
package, but it imports neither TensorFlow nor Keras, so that packaging can call it.
"""

import contextlib
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
# Vectorization requires that sums may be reordered. The remaining flags of -ffast-math are not
# used, because NaN and infinity must be preserved.
FLAGS = [
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-pthread",
    "-fvisibility=hidden",
    "-fassociative-math",
    "-fno-signed-zeros",
    "-fno-trapping-math",
    # Otherwise loops with square roots are not vectorized.
    "-fno-math-errno",
]


class BuildError(RuntimeError):
    """Raised if there is no binary; the message gives the reason in one line."""


def packaged() -> Path:
    """Returns the path of the binary inside the package, where it may have been compiled."""
    return FOLDER / f"tfvfi_ops-{_digest(*_sources_and_flags())}.so"


def cached() -> Path:
    """Returns the binary for exactly this machine and compiler, and compiles it if necessary.

    Raises:
        BuildError: There is no compiler, it fails, or no cache folder can be written.
    """
    compiler = _compiler()
    parts = [*_sources_and_flags(), _version_of(compiler), metadata.version("tensorflow")]
    name = f"tfvfi_ops-{_digest(*parts)}.so"
    for folder in _cache_folders():
        path = folder / name
        if _trusted(path):
            return path
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            logger.warning("compiling the native operations, once (seconds) ...")
            build(path)
            return path
    raise BuildError("no folder can be written; name one by TFVFI_CACHE_DIR")


def build(output: Path) -> None:
    """Compiles the binary, which appears only when complete, even if several processes build it.

    Args:
        output: The file to write.

    Raises:
        BuildError: There is no compiler, or it fails.
        OSError: The folder cannot be written.
    """
    compiler, output = _compiler(), Path(output)
    tensorflow = _tensorflow()
    library = next(tensorflow.glob("libtensorflow_framework.*"), None)
    if library is None:
        raise BuildError(f"no libtensorflow_framework in {tensorflow}")
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".build-") as folder:

        def compile_one(source: Path) -> str:
            target = str(Path(folder) / f"{source.stem}.o")
            headers = ["-isystem", str(tensorflow / "include")]
            _run([*compiler, *FLAGS, *_extra_flags(), *headers, "-c", str(source), "-o", target])
            return target

        with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if _has_affinity() else 2) as pool:
            objects = list(pool.map(compile_one, sorted(FOLDER.glob("*.cc"))))
        binary = Path(folder) / output.name
        link = ["-shared", "-pthread", *_extra_flags(), *objects, str(library), "-o", str(binary)]
        _run([*compiler, *link])
        os.replace(binary, output)


def build_into(root: Path) -> Path:
    """Compiles the binary into the package below `root` and removes older binaries."""
    folder = Path(root) / "tfvfi" / "ops" / "native"
    path = folder / packaged().name
    if not path.exists():
        build(path)
    for old in folder.glob("tfvfi_ops-*.so"):
        if old != path:
            old.unlink()
    return path


def _sources_and_flags() -> list[bytes | str]:
    sources = sorted([*FOLDER.glob("*.cc"), *FOLDER.glob("*.h")])
    contents = [part for path in sources for part in (path.name, path.read_bytes())]
    return [*contents, *FLAGS, *_extra_flags(), platform.system(), platform.machine()]


def _extra_flags() -> list[str]:
    """Returns additional flags from the user, for example those of a sanitizer."""
    return shlex.split(os.environ.get("TFVFI_NATIVE_FLAGS", ""))


def _digest(*parts: bytes | str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:16]


def _compiler() -> list[str]:
    wanted = os.environ.get("CXX")
    for name in [wanted] if wanted else ["c++", "g++", "clang++"]:
        command = shlex.split(name)
        if command and shutil.which(command[0]):
            return command
    raise BuildError(f"no C++ compiler is found ({wanted or 'c++, g++ or clang++'})")


def _version_of(compiler: list[str]) -> str:
    return " ".join(compiler) + _run([*compiler, "--version"])


def _tensorflow() -> Path:
    spec = find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        raise BuildError("TensorFlow is not installed")
    return Path(spec.submodule_search_locations[0])


def _cache_folders() -> list[Path]:
    chosen = os.environ.get("TFVFI_CACHE_DIR")
    standard = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "tfvfi"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return [Path(chosen) if chosen else standard, Path(tempfile.gettempdir()) / f"tfvfi-{user}"]


def _trusted(path: Path) -> bool:
    """Returns whether a binary exists and belongs to this user or to root."""
    if not path.exists():
        return False
    return not hasattr(os, "getuid") or path.stat().st_uid in (os.getuid(), 0)


def _has_affinity() -> bool:
    return hasattr(os, "sched_getaffinity")


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        raise BuildError(f"{command[0]} failed: {lines[0]}")
    return done.stdout


def main() -> int:
    try:
        print(build_into(FOLDER.parents[2]))
    except (BuildError, OSError) as error:
        print(f"tfvfi: native operations are not compiled: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
