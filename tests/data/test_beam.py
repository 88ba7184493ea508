"""Clips read elsewhere: what a runner is, and Apache Beam as one."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.data import small_videos
from tests.data.making_records import SMALL, call, checksums, command
from tfvfi.data import beam, clip_parts, making
from tfvfi.errors import InputError
from tfvfi.media import clips


class FarAway:
    """What a cluster does: the tasks go through it, and what they leave on disk is all."""

    def __init__(self):
        self.machines = 0

    def __call__(self, tasks):
        for task in tasks[::-1]:
            self.machines += 1
            clip_parts.make(*task)
        yield from enumerate(clip_parts.make(*task) for task in tasks)


def test_results_travel_through_the_output_folder(tmp_path, monkeypatch):
    """No clip is read a second time to learn what became of it, nor one that cannot be read."""
    videos = small_videos.write(tmp_path / "videos")
    (videos / "bad.mp4").write_text("no video")
    opened, frames = [], clips.frames

    def counted(clip, damaged):
        opened.append(clip.name)
        return frames(clip, damaged)

    monkeypatch.setattr(clips, "frames", counted)
    runner = FarAway()
    made = making.create(str(videos), str(tmp_path / "a" / "mine"), SMALL, runner=runner)
    assert runner.machines == 4
    assert sorted(opened) == ["bad.mp4", "scene0.mkv", "scene1.mkv", "scene2.mkv"]
    assert [one["name"] for one in made.manifest["skipped"]] == ["bad.mp4"]
    assert call(videos, tmp_path / "b" / "mine", "--workers=1").returncode == 1
    assert checksums(tmp_path / "a" / "mine") == checksums(tmp_path / "b" / "mine")


def test_without_beam_it_says_what_to_install(tmp_path):
    hidden = "import sys, runpy; sys.modules['apache_beam'] = None; sys.argv = sys.argv[1:]; "
    code = f"{hidden}runpy.run_path(sys.argv[0], run_name='__main__')"
    arguments = command(tmp_path, tmp_path / "mine", "--runner=DirectRunner")[1:]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr == (
        "tfvfi: --runner needs Apache Beam; install it by: "
        "pip install 'tfvfi[beam]' (or apache-beam)\n"
    )


class Broken:
    """A pipeline of which a machine has no room on its disk."""

    def __init__(self, options):
        pass

    def __enter__(self):
        raise RuntimeError("Traceback of another machine\nOSError: [Errno 28] No space left")

    def __exit__(self, *error):
        return False


def test_what_fails_on_another_machine_is_one_sentence(monkeypatch):
    for name, module in {
        "apache_beam": SimpleNamespace(Pipeline=Broken),
        "apache_beam.options": None,
        "apache_beam.options.pipeline_options": SimpleNamespace(PipelineOptions=list),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    said = r"^the work on Apache Beam failed: OSError: \[Errno 28\] No space left; the same"
    with pytest.raises(InputError, match=said):
        list(beam.runner("SomeRunner")([]))


@pytest.mark.slow
def test_beam_gives_the_same_bytes(tmp_path):
    videos = small_videos.write(tmp_path / "videos")
    (videos / "bad.mp4").write_text("no video")
    for folder, flags in (("plain", ["--workers=2"]), ("beam", ["--runner=DirectRunner"])):
        done = call(videos, tmp_path / folder / "mine", *flags)
        assert done.returncode == 1
        assert "lacks 1 of the videos" in done.stderr
    assert checksums(tmp_path / "beam" / "mine") == checksums(tmp_path / "plain" / "mine")


@pytest.mark.slow
def test_a_runner_that_beam_does_not_have_is_told(tmp_path):
    videos = small_videos.write(tmp_path / "videos", count=1)
    done = call(videos, tmp_path / "mine", "--runner=Nope")
    assert done.returncode == 1
    assert "Apache Beam refuses --runner=Nope: Unexpected pipeline runner" in done.stderr
