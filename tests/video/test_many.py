"""Several videos: one after another with one network, by name into a folder, or by Beam."""

import os

import pytest

from tests import commands
from tests.video.clips import Fade, grey, read, write
from tfvfi import registry
from tfvfi.cli import interpolate
from tfvfi.errors import InputError
from tfvfi.video import Treatment, interpolate_video, many


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a 10.mp4", "a 9.mp4", "b.avi"):
        write(folder / name, [grey(40 * n) for n in range(3)], 25, None, "mpeg4", "yuv420p")
    return folder


def test_a_folder_of_videos_into_a_folder(videos, tmp_path):
    made = many.interpolate_all([videos], tmp_path / "out", Fade(), progress=False)
    names = ["a 9.mp4", "a 10.mp4", "b.mkv"]
    assert [path.name for path in made] == names and set(made.values()) == {6}
    assert sorted(os.listdir(tmp_path / "out")) == sorted(names)
    assert len(read(tmp_path / "out" / "b.mkv")[0]) == 6


def test_containers_and_what_cannot_be(videos, tmp_path):
    paths = sorted(videos.iterdir())
    made = many.interpolate_all(paths, tmp_path / "out", Fade(), Treatment(3), container=".webm")
    assert [path.name for path in made] == ["a 10.webm", "a 9.webm", "b.webm"]
    other = write(tmp_path / "b.mkv", [grey(0)] * 2)
    for inputs, output, settings, said in [
        (paths, tmp_path / "o.mp4", {}, "go into a folder"),
        (paths, tmp_path / "o", {"container": ".xyz"}, "`container` is one of"),
        ([*paths, other], tmp_path / "o", {"container": ".mp4"}, "would both become"),
        ([other], tmp_path / "o", {"runner": print}, "received one input"),
        (paths, tmp_path / "o", {"runner": print}, "give its name"),
    ]:
        with pytest.raises(InputError, match=said):
            many.interpolate_all(inputs, output, Fade(), **settings)
    assert not (tmp_path / "o").exists()


def test_one_that_fails_does_not_hold_up_the_others(videos, tmp_path):
    (videos / "broken.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"1 of 4 videos failed, .*broken\.mp4 cannot be read"):
        many.interpolate_all([videos], tmp_path / "out", Fade(), progress=False)
    assert len(os.listdir(tmp_path / "out")) == 3


def test_resuming_leaves_out_what_is_there(videos, tmp_path):
    settings = {"resume": True, "progress": False}
    assert len(many.interpolate_all([videos], tmp_path / "out", Fade(), **settings)) == 3
    (tmp_path / "out" / "a 9.mp4").unlink()
    again = many.interpolate_all([videos], tmp_path / "out", Fade(), **settings)
    assert [path.name for path in again] == ["a 9.mp4"]


def test_a_model_is_loaded_once(videos, tmp_path, monkeypatch):
    loaded = []

    def load(name, weights, **options):
        loaded.append((name, options))
        return Fade()

    monkeypatch.setattr(registry, "load_interpolator", load)
    monkeypatch.setattr(registry, "_shared", {})
    spec = registry.ModelSpec("flow_interpolation", options={"flow": "dis"})
    many.interpolate_all([videos], tmp_path / "out", spec, progress=False)
    assert loaded == [("flow_interpolation", {"flow": "dis"})]


def test_one_network_stays_loaded_however_it_was_asked_for(monkeypatch, tmp_path):
    """A video and a pair of frames share it, and another one takes its place."""
    loaded = []

    def load(name, weights, **options):
        loaded.append(name)
        return Fade()

    monkeypatch.setattr(registry, "load_interpolator", load)
    monkeypatch.setattr(registry, "_shared", {})
    source = write(tmp_path / "in.mkv", [grey(0), grey(40)])
    for name in ("ifrnet_s", "sepconv"):
        registry.interpolate(grey(0), grey(40), model=name)
        interpolate_video(source, tmp_path / "out.mkv", name, overwrite=True, progress=False)
    assert loaded == ["ifrnet_s", "sepconv"] and len(registry._shared) == 1


def test_a_runner_is_given_tasks_that_another_machine_can_do(videos, tmp_path):
    """Each leaves its result on disk; asked again, it is read from there."""
    calls = []

    def run(tasks):
        for task in tasks:
            many.treat_once(*task)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.m*")}
        for number, task in enumerate(tasks):
            calls.append(task)
            yield number, many.treat_once(*task)
        assert before == {path: path.stat().st_mtime_ns for path in before}

    (videos / "broken.mp4").write_text("no video")
    with pytest.raises(InputError, match="1 of 4 videos failed"):
        many.interpolate_all([videos], tmp_path / "out", runner=run, overwrite=True)
    assert len(calls) == 4
    assert sorted(os.listdir(tmp_path / "out")) == ["a 10.mp4", "a 9.mp4", "b.mkv"]


def test_the_command_says_what_it_made(videos, tmp_path, capsys):
    arguments = [
        f"--input={videos}",
        f"--output={tmp_path / 'out'}",
        "--container=.mkv",
        "--duration=0.08",
        "--overwrite",
    ]
    assert commands.run(interpolate, *arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert [line.rpartition(": ")[2] for line in said.out.splitlines()] == ["4 frames"] * 3
