"""Video between other programs: y4m on standard input and output."""

import io
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.video.clips import Fade, grey, write
from tfvfi.errors import InputError
from tfvfi.media.pipe import PipedVideo
from tfvfi.media.source import open_source
from tfvfi.video import interpolate_video
from tfvfi.video.writing.pipe import PipedOutput

ROOT = Path(__file__).parents[2]
COMMAND = """
import sys
sys.path.insert(0, {root!r})
from absl import flags
from tests.video.clips import Fade
from tfvfi.cli import command
from tfvfi.video import interpolate_video

class Talks(Fade):
    def interpolate(self, frame0, frame1, times=(0.5,)):
        if not self.pairs:
            print("a line of a library that does not know about pipes")
        return super().interpolate(frame0, frame1, times)

def main():
    interpolate_video({source!r}, {output!r}, Talks(), {factor}, scene_cuts="mix")

command.run(main, flags.FlagValues(), ["tool"])
"""


def command(source="-", output="-", factor=2):
    code = COMMAND.format(root=str(ROOT), source=source, output=output, factor=factor)
    return [sys.executable, "-c", code]


def y4m(folder, pixel_format="yuv420p", count=4, size=(32, 48), **color):
    """What FFmpeg writes into a pipe."""
    path = folder / "in.y4m"
    with av.open(str(path), "w", format="yuv4mpegpipe", options={"strict": "-1"}) as out:
        stream = out.add_stream("wrapped_avframe", rate=Fraction(30000, 1001))
        context = stream.codec_context
        context.height, context.width, context.pix_fmt = *size, pixel_format
        for name, value in color.items():
            setattr(context, name, value)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(grey(40 * number, size)).reformat(
                format=pixel_format, dst_color_range=color.get("color_range")
            )
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path.read_bytes()


def piped(data, *arguments):
    return subprocess.run(command(*arguments), input=data, capture_output=True, timeout=120)


def through(data, **settings):
    """What comes out of the sink when the frames of the source go in as they are."""
    source, made = PipedVideo(io.BytesIO(data), **settings), io.BytesIO()
    sink = PipedOutput(source.size, source.rate, source.look, source.kind, made)
    for shown in source:
        sink.write(shown.image, shown.time, shown.length)
    sink.finish()
    return made.getvalue()


@pytest.mark.parametrize("sampling", ["420", "422", "444"])
@pytest.mark.parametrize("depth", ["", "10le"])
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_formats_go_through(tmp_path, sampling, depth, levels, size):
    pixel_format = f"yuv{sampling}p{depth}"
    data = y4m(tmp_path, pixel_format, size=size, color_range=levels)
    made = through(data)
    head = made.partition(b"\n")[0]
    assert head.startswith(b"YUV4MPEG2 W%d H%d F30000:1001 Ip A" % size[::-1])
    frames = list(PipedVideo(io.BytesIO(made)))
    assert len(frames) == 4 and frames[1].time == Fraction(1001, 30000)
    # FFmpeg reads what we write, and reads in it what it wrote.
    ours, theirs = (
        list(av.open(io.BytesIO(each), format="yuv4mpegpipe").decode(video=0))
        for each in (made, data)
    )
    assert len(ours) == len(theirs) == 4
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.format.name == other.format.name == pixel_format
        assert int(mine.color_range) == int(other.color_range) == levels
        for left, right in zip(mine.planes, other.planes, strict=True):
            apart = [
                np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[
                    : plane.height, : plane.width * (2 if depth else 1)
                ]
                for plane in (left, right)
            ]
            values = [each.copy().view(np.uint16 if depth else np.uint8) for each in apart]
            assert np.abs(values[0].astype(int) - values[1]).max() <= (4 if depth else 1)


def test_the_kind_of_chroma_is_kept(tmp_path):
    head, _, rest = y4m(tmp_path).partition(b"\n")
    words = [word for word in head.split() if not word.startswith(b"C")]
    for kind in (b"C420jpeg", b"C420mpeg2", b"C420paldv"):
        made = through(b" ".join([*words, kind]) + b"\n" + rest)
        assert kind in made.partition(b"\n")[0].split()


def test_grey_and_unknown_kinds():
    grey = b"YUV4MPEG2 W4 H2 F25:1 Cmono\nFRAME\n" + bytes(range(100, 108))
    (shown,) = PipedVideo(io.BytesIO(grey))
    assert shown.image.shape == (2, 4, 3)
    with pytest.raises(InputError, match="header of standard input cannot be read"):
        PipedVideo(io.BytesIO(grey.replace(b"Cmono", b"C411")))


def test_from_a_pipe_into_a_file_and_back(tmp_path):
    """Standard output holds the video alone, whatever libraries print."""
    output = tmp_path / "out.mkv"
    assert piped(y4m(tmp_path), "-", str(output)).returncode == 0
    assert len(list(open_source([output]))) == 8
    source = write(tmp_path / "in.mkv", [grey(40 * number) for number in range(3)])
    done = piped(b"", str(source), "-", 4)
    frames = list(PipedVideo(io.BytesIO(done.stdout)))
    assert done.stderr == b"a line of a library that does not know about pipes\n"
    assert len(frames) == 12 and frames[1].time == Fraction(1, 100)
    np.testing.assert_allclose(frames[4].image, grey(40), atol=3)


def test_a_reader_that_leaves_ends_the_work_quietly(tmp_path):
    process = subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    data = y4m(tmp_path, count=200)
    process.stdout.close()
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass
    said = process.stderr.read().decode()
    assert process.wait(30) == 1
    assert "Traceback" not in said and "unexpected" not in said


def test_mistakes_are_one_sentence(tmp_path):
    data = y4m(tmp_path)
    for given, said in [
        (b"", "standard input is empty; pipe y4m into it"),
        (b"\x89PNG\r\n\x1a\n", "standard input holds no y4m"),
        (b"YUV4MPEG2 W4 H4 F0:0 C420\nFRAME\n", "header of standard input cannot be read"),
        (b"YUV4MPEG2 W4 H4 F25:1 C420\n", "holds no frame"),
        (b"YUV4MPEG2 W30000 H30000 F25:1 C420\nFRAME\n", "claims 30000x30000 pixels"),
        (data[:-100], "damaged in frame 3"),
        (data.replace(b"FRAME", b"FRAMX"), "damaged in frame 0"),
    ]:
        with pytest.raises(InputError, match=said):
            list(PipedVideo(io.BytesIO(given)))
    for arguments in (("-", tmp_path / "out.mkv"), (tmp_path / "in.y4m", "-")):
        with pytest.raises(InputError, match="cannot be continued: leave out `resume`"):
            interpolate_video(*arguments, Fade(), resume=True)
    assert os.listdir(tmp_path) == ["in.y4m"]


def test_damage_may_be_passed_over(tmp_path, caplog):
    assert len(list(PipedVideo(io.BytesIO(y4m(tmp_path)[:-100]), damaged="keep"))) == 3
    assert "damaged in frame 3 and ends there" in caplog.text


def test_a_pipe_is_read_once(tmp_path):
    source = PipedVideo(io.BytesIO(y4m(tmp_path)))
    assert len(list(source)) == 4
    with pytest.raises(InputError, match="read once"):
        list(source)
