"""How the native operations are compiled, kept and done without."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tfvfi.ops.native import build

ROOT = Path(__file__).resolve().parents[2]

# Says whether the native form is there, twice, and warps a frame in whatever form there is.
PROBE = """
import numpy as np
from tfvfi import ops
image, flow = np.ones((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32")
assert (np.asarray(ops.backward_warp(image, flow)) == 1).all()
print(ops.native_available(), ops.native_available())
"""
# Only compiles, and a small source, which needs no TensorFlow.
CACHED = """
import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("build", {script!r})
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)
build.FOLDER = Path({sources!r})
print(build.cached().exists())
"""
needs_compiler = pytest.mark.skipif(
    not any(map(build.shutil.which, ["c++", "g++", "clang++"])), reason="no compiler here"
)


def start(folder: Path, code: str = PROBE, **environment: str) -> subprocess.Popen:
    # -O0 makes a binary of its own, which no other test and no packaged one provides.
    extra = {"TFVFI_CACHE_DIR": str(folder), "TFVFI_NATIVE_FLAGS": "-O0", "TFVFI_NATIVE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **extra, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> tuple[str, list[str]]:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    # TensorFlow writes about operations of its own.
    ours = ("native operations", "portable form")
    return out.strip(), [line for line in errors.splitlines() if any(each in line for each in ours)]


@pytest.fixture
def sources(tmp_path) -> Path:
    """A folder with one small source in place of the operations."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "small.cc").write_text("int small;")
    return folder


# `make setup` compiles them too; the steps are fast below, with a small source.
@pytest.mark.slow
@needs_compiler
def test_a_process_compiles_what_it_needs(tmp_path):
    out, notices = finish(start(tmp_path))
    assert out == "True True"
    assert len(notices) == 1 and "compiling" in notices[0]
    assert [path.suffix for path in tmp_path.iterdir()] == [".so"]


@needs_compiler
def test_two_processes_at_once_leave_one_binary(tmp_path, sources):
    cache = tmp_path / "cache"
    script = str(Path(build.__file__))
    code = CACHED.format(script=script, sources=str(sources))
    for process in [start(cache, code) for _ in range(2)]:
        out, notices = finish(process)
        assert out == "True"
        assert all("compiling" in notice for notice in notices)
    assert [path.suffix for path in cache.iterdir()] == [".so"]


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"CXX": "/nonexistent/c++"}, id="missing", marks=pytest.mark.slow),
        pytest.param({"CXX": "false"}, id="failing"),
        pytest.param({"PATH": "/nonexistent", "CXX": ""}, id="no PATH", marks=pytest.mark.slow),
    ],
)
def test_without_a_working_compiler_one_line_is_said(tmp_path, environment):
    out, notices = finish(start(tmp_path, **environment))
    assert out == "False False"
    assert len(notices) == 1 and "portable" in notices[0]
    assert not list(tmp_path.iterdir())


def test_switched_off_without_a_word(tmp_path):
    assert finish(start(tmp_path, TFVFI_NATIVE="0")) == ("False False", [])
    assert not list(tmp_path.iterdir())


@needs_compiler
def test_a_folder_that_cannot_be_written(tmp_path, sources, monkeypatch):
    monkeypatch.setattr(build, "FOLDER", sources)
    # A file where the folder should be stops the superuser too, unlike permissions.
    blocked, other = tmp_path / "blocked", tmp_path / "other"
    blocked.write_text("")
    other.mkdir()
    monkeypatch.setenv("TFVFI_CACHE_DIR", str(blocked))
    monkeypatch.setattr(build.tempfile, "gettempdir", lambda: str(other))
    path = build.cached()
    assert path.exists() and path.is_relative_to(other)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    stamp = path.stat().st_mtime_ns
    assert build.cached() == path and path.stat().st_mtime_ns == stamp


def test_the_name_follows_what_the_binary_depends_on(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    source = tmp_path / "warp.cc"
    source.write_text("int a;")
    names = {build.packaged().name}
    assert build.packaged().name in names
    source.write_text("int b;")
    names.add(build.packaged().name)
    (tmp_path / "more.h").write_text("")
    names.add(build.packaged().name)
    monkeypatch.setattr(build.platform, "machine", lambda: "other")
    names.add(build.packaged().name)
    monkeypatch.setenv("TFVFI_NATIVE_FLAGS", "-O1")
    names.add(build.packaged().name)
    monkeypatch.setattr(build, "FLAGS", [*build.FLAGS, "-g"])
    names.add(build.packaged().name)
    assert len(names) == 6


def test_the_cache_tells_compilers_apart(tmp_path, monkeypatch):
    names = set()
    monkeypatch.setenv("TFVFI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(build, "build", lambda path: None)
    for version in ("12", "13"):
        monkeypatch.setattr(build, "_compiler", lambda: ["c++"])
        monkeypatch.setattr(build, "_version_of", lambda compiler, version=version: version)
        names.add(build.cached().name)
    assert len(names) == 2


@needs_compiler
def test_a_failing_compile_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TFVFI_NATIVE_FLAGS", "-include /nonexistent.h")
    with pytest.raises(build.BuildError, match="failed"):
        build.build(tmp_path / "ops.so")
    assert not list(tmp_path.iterdir())
