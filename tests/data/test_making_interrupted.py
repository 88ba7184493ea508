"""Videos to records: what exists is left alone, and what was interrupted is continued."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import signals
from tests.data import small_videos
from tests.data.making_records import SMALL, call, checksums, command, create, here
from tfvfi.data import making, tfrecord
from tfvfi.errors import InputError
from tfvfi.media import storage


def test_finished_records_are_left_alone(videos, made, tmp_path):
    output = shutil.copytree(made, tmp_path / "mine")
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    done = call(videos, output, "--shard_mb=1")
    assert done.returncode == 0
    assert "3 videos read" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before
    done = call(videos, output, "--shard_mb=1", "--seed=7")
    assert done.returncode == 1
    assert "holds records made from other settings; pass --overwrite" in done.stderr
    more = shutil.copytree(videos, tmp_path / "videos")
    (more / "scene0.mkv").unlink()
    assert "holds records made from other videos" in call(more, output, "--shard_mb=1").stderr
    assert checksums(output) == checksums(made)
    shard = next(output.glob("*train*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert f"{shard} differs from its description" in call(videos, output, "--shard_mb=1").stderr
    done = call(videos, output, "--shard_mb=1", "--seed=7", "--overwrite")
    assert done.returncode == 0
    assert checksums(output) != checksums(made)


def test_a_folder_of_other_things_is_not_touched(videos, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    done = call(videos, tmp_path, "--overwrite")
    assert done.returncode == 1
    assert "holds other files; choose another folder as --output" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("manifest", ['{"manifest_version": 3}', "their own"])
def test_what_others_have_beside_a_manifest_is_not_overwritten(made, videos, tmp_path, manifest):
    """A browser's extension has one, too; and somebody keeps notes beside the records."""
    output = shutil.copytree(made, tmp_path / "mine")
    if manifest == "their own":
        (output / "notes.txt").write_text("years of work")
    else:
        (output / "manifest.json").write_text(manifest)
    before = checksums(output)
    with pytest.raises(InputError, match=r"is damaged|also holds notes\.txt; choose another"):
        making.create(str(videos), str(output), SMALL, runner=here, overwrite=True)
    assert checksums(output) == before


def test_what_is_no_folder_to_write_is_told(videos, tmp_path):
    (tmp_path / "file").write_text("")
    for output, said in (("", "received an empty name"), (tmp_path / "file", "Not a directory")):
        with pytest.raises(InputError, match=said):
            create(videos, output)


def test_two_calls_do_not_meet(videos, tmp_path):
    work = tmp_path / "mine" / "parts"
    work.mkdir(parents=True)
    with storage.only_one(work), pytest.raises(InputError, match="another process is writing"):
        create(videos, tmp_path / "mine")


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("limit", [100_000, 1_200_000])
def test_a_full_disk_leaves_nothing_that_looks_whole(videos, made, tmp_path, limit):
    """Writing fails in the parts, or when they are all there in the first shard."""
    output = tmp_path / "mine"
    arguments = command(videos, output, "--workers=1", "--shard_mb=1")
    limited = [sys.executable, "-c", LIMITED, str(limit), *arguments[1:]]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("the same command goes on where it ended")
    assert done.stderr.count("\n") == 1
    assert_nothing_looks_whole(output)
    # As if of records that were there before.
    (output / "mine-train.tfrecord-00000-of-00099").write_bytes(b"")
    parts_made = len(list((output / "parts").glob("*.tfrecord")))
    assert parts_made == (0 if limit < 1_000_000 else 3)
    if parts_made:
        assert call(videos, output, "--workers=2", "--shard_mb=1").returncode == 0
        assert checksums(output) == checksums(made)


def assert_nothing_looks_whole(output: Path) -> None:
    """Files with final names are whole; the manifest, which says that all are, is not there."""
    assert not (output / "manifest.json").exists()
    for path in output.rglob("*.tfrecord*"):
        if not path.name.endswith(".unfinished"):
            with path.open("rb") as file:
                assert list(tfrecord.records(file))


def test_ctrl_c_is_one_line(videos, tmp_path):
    """Also for workers that are just starting, to whom the terminal sends it as well."""
    started = tmp_path / "started"
    noted = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys, time\nif 'spawn_main' in str(sys.orig_argv):\n"
        f"    open({str(started)!r}, 'w').close()\n    time.sleep(20)\n"
    )
    process = subprocess.Popen(
        command(videos, tmp_path / "mine", "--workers=2"),
        stderr=subprocess.PIPE,
        text=True,
        env=noted,
        start_new_session=True,
        preexec_fn=signals.heard,
    )
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (
        130,
        "tfvfi: interrupted; nothing half-written was left\n",
    )


def kill_at(seconds: float, arguments: list[str]) -> None:
    """Kills a call after some seconds, unless it has ended."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> tuple[Path, dict[str, str], float]:
    """Videos, the checksums of their records, and how long these take."""
    videos = small_videos.write(tmp_path_factory.mktemp("many"), count=6, frames=24)
    output = tmp_path_factory.mktemp("whole") / "mine"
    start = time.monotonic()
    assert call(videos, output, "--workers=2", "--shard_mb=1").returncode == 0
    return videos, checksums(output), time.monotonic() - start


# Workers that are killed are fast in tests/data/test_making.py.
@pytest.mark.slow
def test_killed_three_times_it_gives_the_same_bytes(many, tmp_path):
    kill_and_resume(many, tmp_path / "mine", np.random.default_rng(1).uniform(0.3, 0.9, 3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_moment_it_gives_the_same_bytes(many, tmp_path, seed):
    kill_and_resume(many, tmp_path / "mine", np.random.default_rng(seed).uniform(0, 1, 1))


def kill_and_resume(many, output: Path, moments) -> None:
    videos, expected, seconds = many
    arguments = command(videos, output, "--workers=2", "--shard_mb=1")
    for moment in moments:
        kill_at(moment * seconds, arguments)
        if not (output / "manifest.json").exists():
            assert_nothing_looks_whole(output)
    assert call(videos, output, "--workers=2", "--shard_mb=1").returncode == 0
    assert checksums(output) == expected
