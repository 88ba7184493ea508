"""Every form of output, read back; and every way in which an output is refused."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.errors import InputError
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video
from tfvfi.video.writing.encoding import CODECS, codecs_in, pixel_formats

ROOT = Path(__file__).parents[2]
LEVELS = [0, 40, 80, 120, 160]


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "in.mkv", [grey(level, (48, 64)) for level in LEVELS])


FITTING = [
    (ending, codec)
    for ending in (".mp4", ".mov", ".m4v", ".mkv", ".webm")
    for codec in codecs_in(ending)
]


@pytest.mark.parametrize(("ending", "codec"), FITTING)
def test_every_codec_in_every_container_that_takes_it(clip, tmp_path, ending, codec):
    output = tmp_path / f"out{ending}"
    count = interpolate_video(clip, output, Fade(), 3, encoding=Encoding(codec))
    frames, times = read(output)
    assert len(frames) == count == 15
    length = times[-1] - times[0] + Fraction(1, 75)
    assert abs(length - Fraction(5, 25)) <= Fraction(1, 150)
    for number, frame in enumerate(frames):
        whole = 257 if frame.dtype == np.uint16 else 1
        level = min(40 * number / 3, 160) + np.mean(grey(0))
        assert abs(frame.mean() / whole - level) < 1.5
    with av.open(str(output)) as made:
        known = {CODECS[codec].encoder, codec, {"h265": "hevc"}.get(codec)}
        assert made.streams.video[0].codec_context.name in known | {"libdav1d", "av1", "prores"}


@pytest.mark.parametrize("codec", CODECS)
def test_every_pixel_format_that_is_said_to_be_legal_is(clip, tmp_path, codec):
    for pixel_format in pixel_formats(codec):
        encoding = Encoding(codec, pixel_format=pixel_format)
        assert (
            interpolate_video(
                clip, tmp_path / "out.mkv", Fade(), 1, encoding=encoding, overwrite=True
            )
            == 5
        )
        with av.open(str(tmp_path / "out.mkv")) as made:
            assert sum(1 for _ in made.decode(video=0)) == 5


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_h265_has_the_name_that_every_player_knows(clip, tmp_path, ending):
    output = tmp_path / f"out{ending}"
    interpolate_video(clip, output, Fade(), 1, encoding=Encoding("h265"))
    assert b"hvc1" in output.read_bytes()


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "tiff"])
def test_folders_of_pictures(clip, tmp_path, form):
    encoding = Encoding(pictures=form)
    assert interpolate_video(clip, tmp_path / "out", Fade(), 2, encoding=encoding) == 10
    names = sorted(os.listdir(tmp_path / "out"))
    assert len(names) == 10 and len({Path(name).suffix for name in names}) == 1
    first = cv2.imread(str(tmp_path / "out" / names[0]), cv2.IMREAD_UNCHANGED)
    assert first.dtype == (np.uint16 if form == "tiff" else np.uint8)
    made = [shown.image for shown in open_source([tmp_path / "out"])]
    for number, frame in enumerate(made):
        whole = 257 if form == "tiff" else 1
        assert abs(frame.mean() / whole - min(20 * number, 160) - np.mean(grey(0))) < 1.5


@pytest.mark.parametrize("ending", [".gif", ".webp", ".apng"])
@pytest.mark.parametrize("alpha", [False, True])
def test_animations(tmp_path, ending, alpha):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        image = np.zeros((32, 48, 4), np.uint8)
        image[..., 1] = 200
        image[8:24, 4 + 8 * number : 16 + 8 * number, 3] = 255
        picture = image if alpha else image[..., :3]
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    output = tmp_path / f"out{ending}"
    assert interpolate_video(folder, output, Fade(), 2, scene_cuts="mix") == 8
    source = open_source([output])
    made = list(source.frames(alpha))
    assert source.look.alpha == alpha
    length = made[-1].time + made[-1].length
    assert abs(length - Fraction(4, 24)) <= Fraction(1, 96) + Fraction(1, 100)
    for number, shown in enumerate(made[::2]):
        wanted = cv2.imread(str(folder / f"{number}.png"), cv2.IMREAD_UNCHANGED)
        if alpha:
            np.testing.assert_allclose(shown.image[..., 3], wanted[..., 3], atol=2)
            wanted = wanted[wanted[..., 3] > 0]
            ours = shown.image[shown.image[..., 3] > 128]
            np.testing.assert_allclose(ours[..., 1].mean(), 200, atol=4)
        else:
            np.testing.assert_allclose(shown.image[..., 1], 200, atol=4)


@pytest.mark.parametrize(
    ("ending", "codec"), [(".webm", "vp9"), (".mov", "prores"), (".mkv", "ffv1")]
)
def test_transparency_is_kept_where_it_can_be(tmp_path, ending, codec):
    frames = []
    for number in range(3):
        image = np.full((32, 48, 4), 120, np.uint8)
        image[..., 3] = 100 + 60 * number
        frames.append(image)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    output = tmp_path / f"out{ending}"
    encoding = Encoding(codec, crf=4 if codec == "vp9" else None)
    interpolate_video(tmp_path / "%d.png", output, Fade(), 2, encoding=encoding, scene_cuts="mix")
    source = open_source([output])
    assert source.look.alpha
    whole = 257 if source.look.depth > 8 else 1
    alphas = [shown.image[..., 3].mean() / whole for shown in source.frames(alpha=True)]
    np.testing.assert_allclose(alphas, [100, 130, 160, 190, 220, 220], atol=2)
    colors = [shown.image[..., :3].mean() / whole for shown in source]
    np.testing.assert_allclose(colors, 120, atol=2)


@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_lost_transparency_is_said(tmp_path, caplog, codec):
    """Of VP9, which has it, an MP4 has no place for it."""
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 4), 120, np.uint8))
    output = tmp_path / "out.mp4"
    interpolate_video(tmp_path / "%d.png", output, Fade(), 2, encoding=Encoding(codec))
    assert "does not hold transparency" in caplog.text


def test_mistakes_are_one_sentence_before_any_work(clip, tmp_path):
    out, webm = tmp_path / "out.mkv", tmp_path / "out.webm"
    for arguments, said in [
        ({"source": tmp_path / "none.mp4", "output": out}, "there is no file"),
        ({"source": clip, "output": tmp_path / "out.xyz"}, r"ends in one of \.mp4"),
        ({"source": clip, "output": out, "factor": 0}, "whole number from 1"),
        ({"source": clip, "output": out, "fps": "fast"}, "a rate such as 60"),
        ({"source": clip, "output": out, "fps": "60", "factor": 2}, "leave out `factor`"),
        ({"source": clip, "output": out, "fps": "60", "slowmo": True}, "leave out `factor`"),
        ({"source": clip, "output": out, "size": "large"}, "a size is 640x360"),
        ({"source": clip, "output": out, "duration": -1}, "above 0"),
        ({"source": clip, "output": out, "tile": "7"}, "at least 64"),
        ({"source": clip, "output": out, "duplicates": "all"}, "one of keep, smooth, drop"),
        ({"source": clip, "output": out, "duplicate_threshold": 2}, "0 to 1; received 2"),
        ({"source": clip, "output": out, "duplicate_tolerance": -1}, "0 to 255; received -1"),
        ({"source": clip, "output": tmp_path / "a.gif", "fps": 60}, "at most 50 frames"),
        ({"source": clip, "output": clip}, "is what is read"),
        ({"source": clip, "output": webm, "encoding": Encoding("h264")}, "takes: av1, vp9"),
        ({"source": [clip], "output": out, "encoding": Encoding("x")}, "there is no codec 'x'"),
        (
            {"source": clip, "output": tmp_path / "a.mp4", "encoding": Encoding(preset="warp9")},
            "no `preset` 'warp9'; there are: ultrafast",
        ),
        ({"source": clip, "output": out, "encoding": Encoding(crf=99)}, "0 to 51; received 99"),
        ({"source": clip, "output": out, "encoding": Encoding("ffv1", crf=3)}, "ffv1 has no `crf`"),
        (
            {"source": clip, "output": out, "encoding": Encoding("vp9", pixel_format="rgb24")},
            r"does not write rgb24 into \.mkv; it writes: yuv420p",
        ),
        ({"source": clip, "output": tmp_path / "a", "encoding": Encoding("h264")}, "is for videos"),
        ({"source": clip, "output": out, "flow_output": tmp_path / "flow"}, "fade has no flow"),
        ({"source": tmp_path / "no.mp4", "output": tmp_path / "new" / "a.mp4"}, "there is no file"),
        ({"source": clip, "output": clip / "a.mp4"}, "cannot be made"),
    ]:
        with pytest.raises(InputError, match=said):
            interpolate_video(model=Fade(), **arguments)
    assert sorted(os.listdir(tmp_path)) == ["in.mkv"]


def test_a_setting_that_the_encoder_refuses_is_answered_with_what_is_legal(tmp_path):
    """Odd sides and colors of half the size do not go together."""
    source = write(tmp_path / "in.mkv", [grey(50, (17, 33))] * 3)
    with pytest.raises(InputError, match=r"libx264 refuses .* preset ultrafast, "):
        encoding = Encoding("h264", pixel_format="yuv420p")
        interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, encoding=encoding)
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_av1_is_neither_loud_nor_urgent(clip, tmp_path, capfd):
    """Opened by root, its encoder takes the priority of real time for every thread it touches."""
    found = set()

    class Looks(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            found.update(map(os.sched_getscheduler, map(int, os.listdir("/proc/self/task"))))
            return super().interpolate(a, b, times)

    interpolate_video(clip, tmp_path / "out.mkv", Looks(), 2, encoding=Encoding("av1"))
    assert found | {os.sched_getscheduler(0)} == {os.SCHED_OTHER}
    assert "Svt" not in capfd.readouterr().err


def test_frames_too_narrow_for_a_codec_are_told(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(50, (64, 48))] * 3)
    with pytest.raises(InputError, match="at least 64 pixels in width; received 48"):
        interpolate_video(source, tmp_path / "out.mp4", Fade(), encoding=Encoding("h265"))
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_an_output_that_exists_is_replaced_only_when_asked(clip, tmp_path):
    output = tmp_path / "out.mkv"
    output.write_text("precious")
    with pytest.raises(InputError, match="exists"):
        interpolate_video(clip, output, Fade())
    assert output.read_text() == "precious"
    interpolate_video(clip, output, Fade(), overwrite=True)
    assert len(read(output)[0]) == 10


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), grey(50))
    kept = tmp_path / "out"
    kept.mkdir()
    (kept / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="left alone"):
        inputs = [tmp_path / "0.png", tmp_path / "1.png"]
        interpolate_video(inputs, kept, Fade(), overwrite=True)
    assert (kept / "letter.txt").exists()


def test_a_folder_that_cannot_be_written_is_told(clip):
    with pytest.raises(InputError, match="/proc"):
        interpolate_video(clip, "/proc/out.mkv", Fade())


FULL_DISK = """
import resource, signal, sys
sys.path.insert(0, {root!r})
from absl import flags
from tests.video.clips import Fade
from tfvfi.cli import command
from tfvfi.video import Encoding, interpolate_video

def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
    interpolate_video({source!r}, {output!r}, Fade(), 2, encoding=Encoding("ffv1"), resume={resume})

command.run(main, flags.FlagValues(), ["tool"])
"""


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out", "out.apng"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_full_disk_is_one_sentence(tmp_path, name, resume):
    """No file may grow beyond a limit, which writing sees as it sees a full disk."""
    draw = np.random.default_rng(0).integers
    frames = [draw(0, 255, (64, 96, 3)).astype(np.uint8) for _ in range(60)]
    source = write(tmp_path / "in.mkv", frames)
    output = str(tmp_path / name)
    code = FULL_DISK.format(
        root=str(ROOT),
        source=str(source),
        output=output,
        resume=resume,
        bytes=10_000 if name == "out" else 100_000,
    )
    code = code if name.endswith("mkv") else code.replace('Encoding("ffv1")', "Encoding()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1 and "cannot be written: File too large" in done.stderr
    left = set(os.listdir(tmp_path))
    assert left - {f".{name}.parts"} == {"in.mkv"} and (resume or len(left) == 1)


PEAK = """
import resource, sys
sys.path.insert(0, {root!r})
from tests.video.clips import Fade
from tfvfi.video import Encoding, interpolate_video

for source in {sources!r}:
    encoding = Encoding(preset="ultrafast")
    interpolate_video(source, {output!r}, Fade(), 1, encoding=encoding, overwrite=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_length(tmp_path):
    """A hundred and fifty more frames of 0.9 MB each may not cost a tenth of what they weigh."""
    frames = [grey(n % 200, (480, 640)) for n in range(30)]
    sources = []
    for name, repeats in (("short", 1), ("long", 6)):
        sources.append(str(tmp_path / f"{name}.mp4"))
        write(Path(sources[-1]), frames * repeats, 25, None, "mpeg4", "yuv420p")
    code = PEAK.format(root=str(ROOT), sources=sources, output=str(tmp_path / "out.mp4"))
    # In a process of its own: the highest memory of this one is that of any test before.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    short, long = map(float, done.stdout.split())
    assert long - short < 0.1 * 150 * 0.9
