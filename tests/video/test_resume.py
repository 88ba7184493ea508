"""Killed at any moment, continued, and equal to the unbroken work frame for frame."""

import json
import os
import random
import shutil
import time
import zlib

import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, grey, read, write
from tests.video.interrupting import FRAMES, film, same, start, whole
from tfvfi.errors import InputError
from tfvfi.registry import ModelSpec
from tfvfi.video import Encoding, Treatment, interpolate_video
from tfvfi.video.identity import identity
from tfvfi.video.writing import encoder, spool


def kill_and_resume(folder, name, codec, seed, kills):
    """Kills the work at random moments until it has been killed so often, then lets it finish."""
    source = film(folder)
    expected = whole(source, folder, name, codec)
    output, draw = folder / name, random.Random(seed)
    done = 0
    while done < kills and not output.exists():
        process = start(source, output, codec=codec)
        time.sleep(draw.uniform(0.1, 1.2))
        process.kill()
        process.communicate()
        done += 1
        left = {path.name for path in folder.iterdir()}
        assert left <= {"in.mp4", "whole", name, f".{name}.parts"}
        if {name, f".{name}.parts"} <= left:
            # Killed between its last two steps: the output is complete, as is checked below, and
            # the parts could not be removed any more.
            shutil.rmtree(folder / f".{name}.parts")
    for _ in range(3):
        if not output.exists():
            process = start(source, output, codec=codec, seconds=0)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
    same(output, expected)
    left = {path.name for path in folder.iterdir()}
    assert left == {"in.mp4", "whole", name}
    return done


# Other containers and codecs are slow, below.
@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_killed_and_resumed_is_the_same(tmp_path, name):
    assert kill_and_resume(tmp_path, name, None, seed=1, kills=2) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_and_resumed_twenty_times_is_the_same(tmp_path, seed):
    names = [
        ("out.mp4", None),
        ("out.mkv", "h265"),
        ("out.webm", "vp9"),
        ("out.mov", "prores"),
        ("out.mkv", "av1"),
        ("out.mkv", "ffv1"),
        ("out.apng", None),
    ]
    kill_and_resume(tmp_path, *names[seed % len(names)], seed=seed, kills=4)


def test_the_network_does_not_repeat_what_is_finished(tmp_path):
    source = film(tmp_path, 200)

    class Dies(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            if self.pairs == 150:
                raise RuntimeError("out of memory")
            return super().interpolate(a, b, times)

    settings = {"resume": True, "scene_cuts": "mix", "progress": False}
    with pytest.raises(RuntimeError):
        interpolate_video(source, tmp_path / "out.mp4", Dies(), 2, **settings)
    assert sorted(os.listdir(tmp_path)) == [".out.mp4.parts", "in.mp4"]
    network = Fade()
    interpolate_video(source, tmp_path / "out.mp4", network, 2, **settings)
    assert encoder.LONGEST_SEGMENT == 240
    assert network.pairs == 199 - 120
    same(tmp_path / "out.mp4", whole(source, tmp_path, "out.mp4"))


def interrupted(folder):
    """Work with a finished part that is not finished."""
    source = film(folder)
    process = start(source, folder / "out.mp4")
    while not list((folder / ".out.mp4.parts").glob("*.packets")):
        time.sleep(0.05)
    process.kill()
    process.communicate()
    return source


def test_other_settings_do_not_continue_and_do_not_destroy(tmp_path):
    source = interrupted(tmp_path)
    held = sorted(os.listdir(tmp_path / ".out.mp4.parts"))
    for settings, said in [
        ({"resume": True, "factor": 3}, r"with other settings \(treatment\)"),
        ({"resume": True, "encoding": Encoding(crf=30)}, r"with other settings \(.*encoding"),
        ({}, "unfinished work .*resume"),
    ]:
        with pytest.raises(InputError, match=said):
            interpolate_video(source, tmp_path / "out.mp4", Fade(), **settings)
    assert sorted(os.listdir(tmp_path / ".out.mp4.parts")) == held
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "out.mp4"]


def test_another_input_under_the_same_name_does_not_continue(tmp_path):
    source = interrupted(tmp_path)
    write(source, [grey(50)] * 9, 25, None, "libx264", "yuv420p")
    with pytest.raises(InputError, match=r"begun with other settings \(files\)"):
        interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, resume=True, scene_cuts="mix")


def test_work_is_continued_from_another_folder(tmp_path, monkeypatch):
    """Names such as "default" and "dis" are no paths, and files are the same from everywhere."""
    (tmp_path / "elsewhere").mkdir()
    weights = tmp_path / "w.weights.h5"
    weights.write_bytes(b"learned")

    def known(folder, path):
        monkeypatch.chdir(folder)
        options = {"flow": "dis", "flow_weights": path, "scale": 0.5}
        spec = ModelSpec("flow_interpolation", "default", options)
        return identity([tmp_path / "in.mp4"], Treatment(), Encoding(), spec)

    here = known(tmp_path, "w.weights.h5")
    assert here == known(tmp_path / "elsewhere", "../w.weights.h5") == json.loads(json.dumps(here))
    weights.write_bytes(b"learned more")
    assert here != known(tmp_path, "w.weights.h5")


def test_resume_and_overwrite_go_together(tmp_path):
    source = interrupted(tmp_path)
    network = Fade()
    settings = {"resume": True, "overwrite": True, "scene_cuts": "mix", "encoding": Encoding(None)}
    (tmp_path / "out.mp4").write_text("old")
    interpolate_video(source, tmp_path / "out.mp4", network, 2, **settings)
    assert network.pairs == FRAMES - 1 - 120
    assert len(read(tmp_path / "out.mp4")[0]) == 2 * FRAMES


def test_only_one_process_works_on_an_output(tmp_path):
    """Two would write into one file, and the first that ends would deliver what both wrote."""
    source = film(tmp_path)
    process = start(source, tmp_path / "out.mp4", resume=False, seconds=0.05)
    while not (tmp_path / ".out.mp4.parts" / "out.mp4").exists():
        time.sleep(0.05)
    for settings in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match="another process is writing"):
            interpolate_video(source, tmp_path / "out.mp4", Fade(), **settings)
    assert process.poll() is None
    process.kill()
    process.communicate()
    assert interpolate_video(source, tmp_path / "out.mp4", Fade(), 1) == FRAMES


def test_work_that_did_not_begin_binds_nobody(tmp_path):
    """After a refusal the command is given again with other flags."""
    source = film(tmp_path, 6)
    settings = {"resume": True, "progress": False}
    with pytest.raises(InputError, match="comes without weights"):
        interpolate_video(source, tmp_path / "out.mp4", "ifrnet", **settings)
    with pytest.raises(InputError, match="refuses these settings"):
        size = {"size": "5x5", "encoding": Encoding("h264", pixel_format="yuv420p")}
        interpolate_video(source, tmp_path / "out.mp4", Fade(), **size, **settings)
    assert os.listdir(tmp_path) == ["in.mp4"]
    assert interpolate_video(source, tmp_path / "out.mp4", Fade(), **settings) == 12


def test_after_damage_that_stopped_it_the_work_goes_on(tmp_path):
    source = film(tmp_path)
    settings = {"resume": True, "scene_cuts": "mix", "progress": False}

    class Breaks(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            if self.pairs == 130:
                raise InputError("in.mp4 is damaged")
            return super().interpolate(a, b, times)

    with pytest.raises(InputError, match="damaged"):
        interpolate_video(source, tmp_path / "out.mp4", Breaks(), damaged="stop", **settings)
    network = Fade()
    interpolate_video(source, tmp_path / "out.mp4", network, damaged="keep", **settings)
    assert network.pairs == FRAMES - 1 - 120


def test_changed_pictures_and_networks_do_not_continue(tmp_path):
    class Learned(Fade):
        variables = (np.zeros(3),)

        def interpolate(self, a, b, times=(0.5,)):
            if self.pairs == 3:
                raise RuntimeError("out of memory")
            return super().interpolate(a, b, times)

    (tmp_path / "in").mkdir()
    for number in range(6):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), grey(20 * number))
    arguments = tmp_path / "in", tmp_path / "out"
    with pytest.raises(RuntimeError):
        interpolate_video(*arguments, Learned(), resume=True)
    other = Learned()
    other.variables = (np.ones(3),)
    with pytest.raises(InputError, match=r"begun with other settings \(model"):
        interpolate_video(*arguments, other, resume=True)
    cv2.imwrite(str(tmp_path / "in" / "5.png"), grey(0))
    with pytest.raises(InputError, match=r"begun with other settings \(files"):
        interpolate_video(*arguments, Learned(), resume=True)


def test_an_error_in_the_network_leaves_nothing(tmp_path):
    class Breaks(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            if self.pairs == 2:
                raise RuntimeError("out of memory")
            return super().interpolate(a, b, times)

    source = film(tmp_path, 6)
    with pytest.raises(RuntimeError, match="out of memory"):
        interpolate_video(source, tmp_path / "out.mkv", Breaks(), factor=2, scene_cuts="mix")
    assert os.listdir(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_finished_part_that_is_damaged_is_not_believed(tmp_path, damage):
    source = interrupted(tmp_path)
    part = tmp_path / ".out.mp4.parts" / "000000.packets"
    held = bytearray(part.read_bytes())
    held[len(held) // 2] ^= 1
    part.write_bytes(held if damage == "flipped" else held[:-100])
    # A slow machine also keeps frames of the unfinished segment, which are not the subject here.
    shutil.rmtree(part.parent / "frames", ignore_errors=True)
    network = Fade()
    interpolate_video(
        source,
        tmp_path / "out.mp4",
        network,
        2,
        resume=True,
        scene_cuts="mix",
        encoding=Encoding(None),
    )
    assert network.pairs == FRAMES - 1
    shutil.rmtree(tmp_path / "whole", ignore_errors=True)
    same(tmp_path / "out.mp4", whole(source, tmp_path, "out.mp4"))


class Stops(Fade):
    """Dies after some pairs."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def interpolate(self, a, b, times=(0.5,)):
        if self.pairs == self.after:
            raise RuntimeError("out of memory")
        return super().interpolate(a, b, times)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_slow_work_keeps_the_frames_of_an_unfinished_segment(tmp_path, monkeypatch, name):
    """A segment may take an hour; a kill in it costs a frame, and the video is the same."""
    monkeypatch.setattr(spool, "SECONDS", 0.0)
    source = film(tmp_path, 200)
    settings = {"resume": True, "scene_cuts": "mix", "progress": False}
    done = 0
    for after in (20, 110, 30):
        network = Stops(after)
        with pytest.raises(RuntimeError):
            interpolate_video(source, tmp_path / name, network, 2, **settings)
        done += after
    network = Fade()
    interpolate_video(source, tmp_path / name, network, 2, **settings)
    # At most two frames on their way to the encoder are lost each time.
    assert 199 - done <= network.pairs <= 199 - done + 3 * 12
    monkeypatch.undo()
    same(tmp_path / name, whole(source, tmp_path, name))
    assert set(os.listdir(tmp_path)) == {"in.mp4", "whole", name}


def test_a_damaged_frame_of_an_unfinished_segment_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "SECONDS", 0.0)
    source = film(tmp_path, 40)
    settings = {"resume": True, "scene_cuts": "mix", "progress": False}
    with pytest.raises(RuntimeError):
        interpolate_video(source, tmp_path / "out.mkv", Stops(30), 2, **settings)
    kept = sorted((tmp_path / ".out.mkv.parts" / "frames").glob("*.planes"))
    data = bytearray(kept[10].read_bytes())
    data[-20] ^= 1
    kept[10].write_bytes(data)
    network = Fade()
    interpolate_video(source, tmp_path / "out.mkv", network, 2, **settings)
    assert network.pairs == 39 - 5
    same(tmp_path / "out.mkv", whole(source, tmp_path, "out.mkv"))


@pytest.mark.parametrize("content", [b"no zlib", zlib.compress(b"short"), zlib.compress(b"")])
def test_a_forged_frame_of_an_unfinished_segment_is_refused(tmp_path, monkeypatch, content):
    """Its checksum is right, so only its content gives it away."""
    monkeypatch.setattr(spool, "SECONDS", 0.0)
    source = film(tmp_path, 40)
    settings = {"resume": True, "scene_cuts": "mix", "progress": False}
    with pytest.raises(RuntimeError):
        interpolate_video(source, tmp_path / "out.mkv", Stops(30), 2, **settings)
    kept = sorted((tmp_path / ".out.mkv.parts" / "frames").glob("*.planes"))[3]
    kept.unlink()
    kept.with_name(f"{kept.name[:8]}-{zlib.crc32(content):08x}.planes").write_bytes(content)
    with pytest.raises(InputError, match=r"00000003-.* no frame of 128 x 96 .* remove .*parts"):
        interpolate_video(source, tmp_path / "out.mkv", Fade(), 2, **settings)
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_a_flipped_byte_in_a_finished_picture_is_noticed(tmp_path, form):
    source = film(tmp_path, 12)
    settings = {"resume": True, "scene_cuts": "mix", "progress": False}
    settings["encoding"] = Encoding(pictures=form)
    with pytest.raises(RuntimeError):
        interpolate_video(source, tmp_path / "out", Stops(8), 2, **settings)
    picture = sorted((tmp_path / ".out.parts" / "pictures").iterdir())[4]
    data = bytearray(picture.read_bytes())
    data[-30] ^= 1
    picture.write_bytes(data)
    network = Fade()
    interpolate_video(source, tmp_path / "out", network, 2, **settings)
    assert network.pairs == 11 - 2 and len(os.listdir(tmp_path / "out")) == 24
    assert set(os.listdir(tmp_path)) == {"in.mp4", "out"}
