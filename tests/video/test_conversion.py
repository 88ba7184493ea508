"""Sound and subtitles that the output's container does not hold are converted, and it is said."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.clips import Fade, grey
from tests.video.test_tracks import flash_and_beep, tracks
from tfvfi.errors import InputError
from tfvfi.video import Encoding, interpolate_video

WORDS = [(0, 400, "eins & zwei"), (500, 300, "<i>drei</i>")]


def sounded(path, codec, rate=8000, bit_rate=0, channels=1):
    """Two seconds in which the picture turns light at the moment when a tone begins."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout=("mono", "stereo")[channels - 1])
        sound.bit_rate = bit_rate
        out.start_encoding()
        wave = np.sin(np.arange(2 * rate) * 2 * np.pi * 440 / rate).astype("f4") * 0.6
        wave[:rate] = 0
        frame = av.AudioFrame.from_ndarray(np.stack([wave] * channels), "fltp", sound.layout.name)
        frame.sample_rate, frame.pts = rate, 0
        size = sound.codec_context.frame_size
        resampler = av.AudioResampler(sound.format.name, sound.layout, rate, frame_size=size)
        for number in range(50):
            frame_ = av.VideoFrame.from_ndarray(grey(200 if number >= 25 else 0))
            frame_.pts = number
            out.mux(video.encode(frame_.reformat(format="yuv420p")))
        out.mux(video.encode(None))
        for one in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(sound.encode(one))
        out.mux(sound.encode(None))
    return path


# Codec -> container, sampling rate and bit rate.
SOUNDS = {
    "wmav2": ("wmv", 44100, 64000),
    "pcm_alaw": ("avi", 8000, 0),
    "pcm_mulaw": ("avi", 8000, 0),
    "adpcm_ms": ("avi", 22050, 0),
    "adpcm_ima_wav": ("avi", 22050, 0),
    "adpcm_ima_qt": ("mov", 22050, 0),
    "amr_nb": ("mov", 8000, 12200),
}


@pytest.mark.parametrize("codec", SOUNDS)
@pytest.mark.parametrize(
    ("ending", "converted"),
    [(".mkv", "pcm_s16le"), (".mp4", "aac"), (".webm", "opus")],
)
def test_sound_that_does_not_fit_is_converted(tmp_path, caplog, codec, ending, converted):
    form, rate, bit_rate = SOUNDS[codec]
    source = sounded(tmp_path / f"in.{form}", codec, rate, bit_rate)
    output = tmp_path / f"out{ending}"
    encoding = Encoding(preset="8") if ending == ".webm" else None
    assert interpolate_video(source, output, Fade(), encoding=encoding) == 100
    flash, beep = flash_and_beep(output)
    assert beep == pytest.approx(flash, abs=0.09)
    with av.open(str(output)) as made:
        name = made.streams.audio[0].codec_context.name
        assert name in (converted, codec, "amrnb")
        length = sum(frame.samples / frame.sample_rate for frame in made.decode(audio=0))
        assert length == pytest.approx(2, abs=0.2)
    said = [record.message for record in caplog.records]
    if name == converted:
        assert len(said) == 1 and f"is converted to {converted}" in said[0]
    else:
        assert not said
    assert "takes every kind" not in caplog.text


def test_sound_of_many_channels_is_converted(tmp_path, caplog):
    source = sounded(tmp_path / "in.wmv", "wmav2", 48000, 128000, channels=2)
    interpolate_video(source, tmp_path / "out.mp4", Fade())
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert made.streams.audio[0].channels == 2


def subtitled(path, codec):
    """A video with two subtitles."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        text = out.add_stream(codec)
        text.metadata["language"] = "eng"
        text.codec_context.subtitle_header = HEADER
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(grey(8 * number)).reformat(format="yuv420p")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start, length, words in WORDS:
            data = words.encode()
            if codec == "mov_text":
                data = len(data).to_bytes(2, "big") + data
            packet = av.Packet(data)
            packet.pts = packet.dts = start
            packet.duration, packet.time_base, packet.stream = length, Fraction(1, 1000), text
            out.mux(packet)
    return path


HEADER = b"[Script Info]\nScriptType: v4.00+\n"


@pytest.mark.parametrize(
    ("source", "codec", "output", "expected"),
    [
        ("in.mp4", "mov_text", "out.mkv", "subrip"),
        ("in.mp4", "mov_text", "out.webm", "webvtt"),
        ("in.mkv", "subrip", "out.mp4", "mov_text"),
        ("in.mkv", "subrip", "out.mov", "mov_text"),
        ("in.mkv", "subrip", "out.webm", "webvtt"),
    ],
)
def test_subtitles_that_do_not_fit_are_converted(tmp_path, caplog, source, codec, output, expected):
    subtitled(tmp_path / source, codec)
    encoding = Encoding(preset="8") if output.endswith("webm") else None
    interpolate_video(tmp_path / source, tmp_path / output, Fade(), encoding=encoding)
    (found,) = (one for one in tracks(tmp_path / output) if one[0] == "subtitle")
    _, name, language, held = found
    assert (name.replace("srt", "subrip"), language) == (expected, "eng")
    shown = [(time, words) for time, words in held if words.strip(b"\0")]
    assert [time for time, _ in shown] == [0, 0.5]
    assert b"eins & zwei" in shown[0][1].replace(b"&amp;", b"&") and b"drei" in shown[1][1]
    said = [record.message for record in caplog.records]
    assert len(said) == 1 and f"is converted to {expected}" in said[0]


def test_pictures_as_subtitles_are_left_out_aloud(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        out.add_stream("dvdsub")
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(grey(8 * number)).reformat(format="yuv420p")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    assert interpolate_video(source, tmp_path / "out.mkv", Fade()) == 10
    assert not caplog.records
    interpolate_video(source, tmp_path / "out.webm", Fade(), encoding=Encoding(preset="8"))
    assert "cannot be converted and is left out; .mkv takes it" in caplog.text


@pytest.mark.parametrize("channels", [3, 5, 6, 8])
@pytest.mark.parametrize(
    ("ending", "settings"),
    [(".mp4", {}), (".mkv", {}), (".mp4", {"slowmo": True, "sound": "stretch"})],
)
def test_channels_without_a_place_are_kept(tmp_path, channels, ending, settings):
    """An AVI does not declare which channel is which, and an MP4 of PCM must."""
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=8000, layout=f"{channels} channels")
        out.start_encoding()
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(grey(8 * number)).reformat(format="yuv420p")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        wave = np.zeros((1, 3200 * channels), np.int16)
        frame = av.AudioFrame.from_ndarray(wave, "s16", f"{channels} channels")
        frame.sample_rate, frame.pts = 8000, 0
        out.mux((*sound.encode(frame), *sound.encode(None)))
    assert interpolate_video(source, tmp_path / f"out{ending}", Fade(), **settings) == 20
    with av.open(str(tmp_path / f"out{ending}")) as made:
        assert made.streams.audio[0].channels == channels


def test_sound_that_no_encoder_takes_is_to_blame_itself(tmp_path, monkeypatch):
    """And not the encoder of the pictures."""
    source = sounded(tmp_path / "in.avi", "pcm_alaw")
    monkeypatch.setattr("tfvfi.video.writing.sound.USUAL_LAYOUTS", {1: "22.2"})
    with pytest.raises(InputError, match=r"^aac does not take the sound of"):
        interpolate_video(source, tmp_path / "out.mp4", Fade())
