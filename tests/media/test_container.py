"""Files with words in old encodings, and with codecs that nobody has."""

import os
from fractions import Fraction

import av
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.errors import InputError
from tfvfi.media.container import open_container
from tfvfi.video import interpolate_video

CODECS = {"avi": "mpeg4", "mkv": "libx264", "mp4": "libx264", "mov": "libx264", "flv": "flv"}


def titled(path, words, encoding):
    """A video whose titles are in an encoding that is not UTF-8."""
    base = Fraction(1, 1000)
    chapter = {"id": 1, "start": 0, "end": 100, "time_base": base, "metadata": {"title": words}}
    with av.open(str(path), "w", metadata_encoding=encoding) as out:
        stream = out.add_stream(CODECS[path.suffix[1:]], rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        out.metadata["title"] = words
        stream.metadata["title"] = stream.metadata["handler_name"] = words
        out.set_chapters([chapter])
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(grey(20 * number)).reformat(format="yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", CODECS)
def test_titles_in_an_old_encoding_are_kept(tmp_path, ending):
    source = titled(tmp_path / f"in.{ending}", "Größe: Fête €", "cp1252")
    assert interpolate_video(source, tmp_path / "out.mkv", Fade(), progress=False) == 6
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert made.metadata["title"] == "Größe: Fête €"
        for chapter in made.chapters():
            assert chapter["metadata"]["title"] == "Größe: Fête €"


def test_words_in_utf8_stay_and_any_byte_means_something(tmp_path):
    source = titled(tmp_path / "in.mkv", "東京 ß", "utf-8")
    with open_container(source) as container:
        assert container.metadata["title"] == "東京 ß"
    odd = bytes(range(0x80, 0x100)).decode("latin-1")
    with open_container(titled(tmp_path / "odd.mkv", odd, "latin-1")) as container:
        assert len(container.metadata["title"]) > 100
        container.metadata["title"].encode()


@pytest.mark.parametrize(
    ("ending", "codec", "pixel_format", "tag"),
    [
        ("avi", "mjpeg", "yuvj420p", b"MJPG"),
        ("mp4", "libx264", "yuv420p", b"avc1"),
        ("mov", "libx264", "yuv420p", b"avc1"),
    ],
)
def test_a_codec_that_ffmpeg_does_not_know_is_named(tmp_path, ending, codec, pixel_format, tag):
    frames = [grey(20 * number) for number in range(3)]
    source = write(tmp_path / f"in.{ending}", frames, 25, None, codec, pixel_format)
    source.write_bytes(source.read_bytes().replace(tag, b"Qx9z"))
    with pytest.raises(InputError, match=rf"in\.{ending} .* the codec 'Qx9z'.* H\.264"):
        interpolate_video(source, tmp_path / "out.mkv", Fade(), progress=False)
    assert os.listdir(tmp_path) == [source.name]


def test_a_codec_of_another_track_that_ffmpeg_does_not_know_is_left_out(tmp_path, caplog):
    frames = [grey(20 * number) for number in range(3)]
    beep = Fraction(0)
    source = write(tmp_path / "in.mov", frames, 25, None, "libx264", "yuv420p", 0, beep)
    source.write_bytes(source.read_bytes().replace(b"mp4a", b"Qx9z").replace(b"esds", b"free"))
    assert interpolate_video(source, tmp_path / "out.mkv", Fade(), progress=False) == 6
    assert len(read(tmp_path / "out.mkv")[0]) == 6
    assert "the codec 'Qx9z'" in caplog.text and "left out" in caplog.text
