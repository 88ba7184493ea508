"""Every odd input as a real file: few frames, tiny frames, every kind of pixel, damage, clocks."""

import os
import re
import struct
from fractions import Fraction
from itertools import product

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.errors import InputError
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video

LOSSLESS = Encoding(codec="ffv1")


def smooth(source, output, **settings):
    """Interpolates with a mixture, never holding at what looks like a cut."""
    encoding = LOSSLESS if output.suffix == ".mkv" else Encoding()
    settings = {"encoding": encoding, "scene_cuts": "mix", "progress": False, **settings}
    return interpolate_video(source, output, Fade(), **settings)


def scene(number, size=(48, 64), dtype=np.uint8):
    """A colored picture that moves to the right."""
    whole = np.iinfo(dtype).max
    noise = np.random.default_rng(5).uniform(0.1, 0.9, (5, 7, 3)) * whole
    picture = cv2.resize(noise, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.roll(picture, 2 * number, axis=1).astype(dtype)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_no_frame_is_told(tmp_path, ending):
    source = tmp_path / f"empty.{ending}"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        out.start_encoding()
    with pytest.raises(
        InputError, match=r"empty\.\w+ (holds no frame|cannot be read|has no video)"
    ):
        smooth(source, tmp_path / "out.mkv")
    assert os.listdir(tmp_path) == [source.name]


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("settings", [{"factor": 3}, {"fps": 75}])
def test_one_and_two_frames(tmp_path, frames, settings):
    source = write(tmp_path / "in.mkv", [grey(50 + 30 * n) for n in range(frames)])
    assert smooth(source, tmp_path / "out.mkv", **settings) == 3 * frames
    assert len(read(tmp_path / "out.mkv")[0]) == 3 * frames


def test_one_picture_is_too_few(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), grey(50))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="at least two pictures are needed"):
        smooth(tmp_path / "a.png", tmp_path / "out")
    with pytest.raises(InputError, match="at least two pictures"):
        smooth(tmp_path / "empty", tmp_path / "out")


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 33), (1, 40), (64, 2)])
@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".webm", ".gif", ".webp", ""])
def test_tiny_and_odd_sizes(tmp_path, size, ending):
    source = write(tmp_path / "in.mkv", [scene(n, size) for n in range(3)])
    count = smooth(source, tmp_path / f"out{ending}")
    made = [shown.image for shown in open_source([tmp_path / f"out{ending}"])]
    assert len(made) == count == 6
    assert {frame.shape[:2] for frame in made} == {size}


# Container, codec, pixel format; whether it is deep; the matrix.
KINDS = {
    "grey": ("mkv", "ffv1", "gray", None),
    "grey 10": ("mkv", "ffv1", "gray10le", None),
    "grey 16": ("mkv", "ffv1", "gray16le", None),
    "RGB": ("mkv", "ffv1", "bgr0", None),
    "RGB 16": ("mkv", "ffv1", "rgb48le", None),
    "4:2:0": ("mp4", "libx264", "yuv420p", 6),
    "4:2:2": ("mp4", "libx264", "yuv422p", 1),
    "4:4:4": ("mp4", "libx264", "yuv444p", 1),
    "4:1:1": ("mkv", "ffv1", "yuv411p", 6),
    "4:2:0 10": ("mp4", "libx265", "yuv420p10le", 9),
    "4:2:2 10": ("mov", "prores_ks", "yuv422p10le", 1),
    "4:4:4 12": ("mkv", "ffv1", "yuv444p12le", 9),
    "VP9": ("webm", "libvpx-vp9", "yuv420p", 1),
    "AV1 10": ("mkv", "libsvtav1", "yuv420p10le", 9),
    "MPEG-2": ("ts", "mpeg2video", "yuv420p", 6),
    "MJPEG": ("avi", "mjpeg", "yuvj420p", None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pixel(tmp_path, kind):
    """What comes out shows what went in, as deep, with new frames between."""
    ending, codec, pixel_format, matrix = KINDS[kind]
    deep = any(bits in pixel_format for bits in ("10", "12", "16", "48"))
    frames = [scene(n, (64, 64), np.uint16 if deep else np.uint8) for n in range(4)]
    tags = {"colorspace": matrix, "color_range": 1} if matrix else {}
    source = write(tmp_path / f"in.{ending}", frames, 25, None, codec, pixel_format, **tags)
    assert smooth(source, tmp_path / "out.mkv") == 8
    (before, _), (after, _) = read(source), read(tmp_path / "out.mkv")
    assert after[0].dtype == (np.uint16 if deep else np.uint8)
    whole = np.iinfo(after[0].dtype).max
    # Grey of ten bits is scaled a little differently on its way to sixteen.
    for ours, theirs in zip(after[::2], before, strict=True):
        assert np.abs(ours.astype(float) - theirs).mean() / whole < 1e-3
    middle = (before[0].astype(float) + before[1]) / 2
    assert np.abs(after[1] - middle).mean() / whole < 3e-3


@pytest.mark.parametrize("ending", [".gif", ".apng", ".webp"])
def test_palette_and_animations_come_in(tmp_path, ending):
    """A GIF is a palette; all three have a clock in hundredths or thousandths of a second."""
    source = write(tmp_path / "first.mkv", [scene(n) for n in range(4)], 10)
    animation = tmp_path / f"in{ending}"
    assert smooth(source, animation, factor=1) == 4
    assert smooth(animation, tmp_path / "out.mkv") == 8
    frames, times = read(tmp_path / "out.mkv")
    assert times == [Fraction(number, 20) for number in range(8)]
    for ours, theirs in zip(frames[::2], read(source)[0], strict=True):
        assert np.abs(ours.astype(float) - theirs).mean() < 8


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        *product(("png", "tiff", "jpg", "bmp"), ("color", "grey")),
        *product(("png", "tiff"), ("sixteen",)),
    ],
)
def test_pictures_of_every_form(tmp_path, form, kind):
    folder = tmp_path / "Bilder für 夏"
    folder.mkdir()
    for number in range(3):
        image = scene(number, dtype=np.uint16 if kind == "sixteen" else np.uint8)
        image = image[..., 0] if kind == "grey" else image
        cv2.imencode(f".{form}", image)[1].tofile(folder / f"{number}.{form}")
    assert smooth(folder, tmp_path / "out") == 5
    first = cv2.imread(str(folder / f"0.{form}"), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    ours = cv2.imread(str(tmp_path / "out" / "00000000.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(ours, first)


def test_what_systems_hide_in_folders_is_no_picture(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), grey(40 * number))
        (tmp_path / "in" / f"._{number}.png").write_bytes(b"\0\5\x16\7 no picture")
    assert smooth(tmp_path / "in", tmp_path / "out") == 3


def test_transparency_that_begins_later_is_said_to_be_dropped(tmp_path, caplog):
    for number, channels in enumerate((3, 4, 4)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, channels), 90, np.uint8))
    assert smooth(tmp_path / "%d.png", tmp_path / "out") == 5
    assert caplog.text.count("transparency is dropped") == 1


def test_pictures_must_be_alike(tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), grey(10))
    cv2.imwrite(str(tmp_path / "1.png"), grey(10, (20, 20)))
    with pytest.raises(InputError, match=r"one size: .*1\.png is 20x20"):
        smooth(tmp_path / "%d.png", tmp_path / "out")
    cv2.imwrite(str(tmp_path / "1.png"), grey(10).astype(np.uint16))
    with pytest.raises(InputError, match="one depth"):
        smooth(tmp_path / "%d.png", tmp_path / "out")
    (tmp_path / "1.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        smooth(tmp_path / "%d.png", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path):
    data = bytearray(cv2.imencode(".png", grey(10))[1].tobytes())
    data[16:24] = struct.pack(">2I", 2**30, 2**30)
    (tmp_path / "0.png").write_bytes(data)
    (tmp_path / "1.png").write_bytes(data)
    with pytest.raises(InputError, match="more than can be decoded: it is damaged"):
        smooth(tmp_path / "%d.png", tmp_path / "out")


def test_names_of_any_script(tmp_path):
    source = write(tmp_path / "vidéo 映画 🎬 100%.mkv", [scene(n) for n in range(3)])
    output = tmp_path / "größer 東京.mkv"
    assert smooth(source, output) == 6
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, output.name])
    address = tmp_path / "http:x.mkv"
    os.replace(source, address)
    assert smooth(address, tmp_path / "a.mkv") == 6


def test_no_sound_is_no_trouble(tmp_path):
    source = write(
        tmp_path / "in.mp4", [scene(n) for n in range(3)], codec="mpeg4", pixel_format="yuv420p"
    )
    smooth(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert [stream.type for stream in made.streams] == ["video"]


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "in.m4a"), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), "f4"), format="fltp", layout="mono")
        frame.sample_rate = 48000
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    with pytest.raises(InputError, match="has no video stream"):
        smooth(tmp_path / "in.m4a", tmp_path / "out.mkv")


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(60)])
def test_missing_times_follow_the_rate(tmp_path, rate):
    """Raw H.264 has no times at all; what FFmpeg gives as their average is always 25."""
    frames = [scene(n) for n in range(6)]
    source = write(tmp_path / "in.h264", frames, rate, None, "libx264", "yuv420p")
    assert smooth(source, tmp_path / "out.mp4") == 12
    _, times = read(tmp_path / "out.mp4")
    np.testing.assert_allclose(
        [float(time) for time in times], np.arange(12) / float(2 * rate), atol=1e-4
    )


def test_times_that_do_not_rise_are_mended(tmp_path):
    """Frames at 0, 1, 2, 2, 1 and 5: those that do not rise follow by the rate."""
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "bgr0"
        packets = []
        for number in range(6):
            frame = av.VideoFrame.from_ndarray(scene(number)).reformat(format="bgr0")
            frame.pts = number
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for number, (packet, time) in enumerate(zip(packets, (0, 1, 2, 2, 1, 5), strict=True)):
            # The muxer looks at the order of decoding alone.
            packet.pts, packet.dts, packet.time_base = time, number - 10, Fraction(1, 25)
            out.mux(packet)
    assert smooth(source, tmp_path / "out.mkv") == 12
    made, shown = read(tmp_path / "out.mkv")
    steps = [float(25 * (time - shown[0])) for time in shown[::2]]
    np.testing.assert_allclose(steps, (0, 1, 2, 3, 4, 5), atol=0.03)
    np.testing.assert_array_equal(made[8], scene(4))


def test_a_late_start_is_no_pause(tmp_path):
    times = [Fraction(5) + Fraction(n, 25) for n in range(4)]
    source = write(tmp_path / "in.mkv", [scene(n) for n in range(4)], 25, times)
    smooth(source, tmp_path / "out.mkv", fps=50)
    _, shown = read(tmp_path / "out.mkv")
    assert shown == [Fraction(n, 50) for n in range(8)]


def noise(count, size=(64, 96)):
    draw = np.random.default_rng(0).integers
    return [draw(0, 255, (*size, 3)).astype(np.uint8) for _ in range(count)]


DAMAGED = {
    "ts": "mpeg2video",
    "avi": "mjpeg",
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "mp4": "libx264",
}


def truncated(folder, ending, frames=60):
    """A real file that lost its last third; an MP4 has its index in front, as on the web."""
    source = folder / f"whole.{ending}"
    form = "yuvj420p" if ending == "avi" else "yuv420p"
    write(source, noise(frames), 25, None, DAMAGED[ending], form, faststart=ending == "mp4")
    data = source.read_bytes()
    source.unlink()
    (folder / f"in.{ending}").write_bytes(data[: len(data) * 2 // 3])
    return folder / f"in.{ending}"


@pytest.mark.parametrize("ending", DAMAGED)
def test_a_truncated_file_stops_or_gives_what_it_has(tmp_path, ending, caplog):
    source = truncated(tmp_path, ending)
    if ending != "ts":
        with pytest.raises(InputError, match=r"is damaged: .*`damaged='keep'`"):
            smooth(source, tmp_path / "out.mp4", encoding=Encoding(preset="ultrafast"))
        assert os.listdir(tmp_path) == [source.name]
    count = smooth(
        source, tmp_path / "out.mp4", encoding=Encoding(preset="ultrafast"), damaged="keep"
    )
    assert 2 * 20 <= count <= 2 * 45
    assert len(read(tmp_path / "out.mp4")[0]) == count
    if ending != "ts":
        assert "is damaged" in caplog.text


def test_damage_in_the_middle_stops_or_is_left_out(tmp_path, caplog):
    source = write(tmp_path / "in.avi", noise(40), 25, None, "mjpeg", "yuvj420p")
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    source.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        smooth(source, tmp_path / "out.mkv")
    count = smooth(source, tmp_path / "out.mkv", damaged="keep")
    assert 2 * 35 <= count <= 2 * 40
    assert "are lost" in caplog.text


@pytest.mark.parametrize("damaged", ["stop", "keep"])
def test_a_file_whose_reading_ends_early_without_an_error(tmp_path, caplog, damaged):
    """As of Matroska with rubbish inside; here one of open length, whose second half is lost."""
    source = write(tmp_path / "in.mkv", noise(60), 25, None, "libx264", "yuv420p")
    data = bytearray(source.read_bytes())
    length = data.index(b"\x18\x53\x80\x67") + 4
    data[length : length + 8] = b"\x01" + 7 * b"\xff"
    source.write_bytes(data[: len(data) // 2])
    said = r"its pictures end at \d\.\d\d s, and should at 2\.40 s"
    if damaged == "stop":
        with pytest.raises(InputError, match=said):
            smooth(source, tmp_path / "out.mkv")
        assert os.listdir(tmp_path) == ["in.mkv"]
    else:
        assert 2 * 20 <= smooth(source, tmp_path / "out.mkv", damaged="keep") < 2 * 60
        assert re.search(said + r"; \d\d frames were read", caplog.text)


def test_a_trimmed_mp4_is_not_damaged(tmp_path):
    """Telephones trim by a list of what is to be shown: the file holds more than it plays."""
    whole = write(
        tmp_path / "whole.mp4", [scene(n) for n in range(100)], 25, None, "libx264", "yuv420p"
    )
    source = tmp_path / "in.mp4"
    with av.open(str(whole)) as given, av.open(str(source), "w") as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                packet.pts -= round(2 / packet.time_base)
                packet.dts -= round(2 / packet.time_base)
                packet.stream = copy
                out.mux(packet)
    assert abs(smooth(source, tmp_path / "out.mkv") - 100) <= 2


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "list.m3u8", "list.ffconcat"])
def test_what_is_no_video_is_named(tmp_path, name):
    other = write(tmp_path / "other.mkv", [grey(0)])
    words = {
        "text.mp4": "words",
        "empty.mp4": "",
        "list.m3u8": f"#EXTM3U\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile '{other.name}'\n",
    }
    (tmp_path / name).write_text(words[name])
    with pytest.raises(InputError, match=rf"{name} cannot be read as a video"):
        smooth(tmp_path / name, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
