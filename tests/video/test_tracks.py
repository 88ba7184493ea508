"""Sound, subtitles, attachments, covers, chapters and words: as they were, and in time."""

import logging
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from tests.video.clips import Fade, grey, packets, read, write
from tfvfi.video import Encoding, interpolate_video

PNG = cv2.imencode(".png", grey(90, (16, 16)))[1].tobytes()
SUBTITLES = [(0, 400, b"eins"), (500, 300, b"zwei")]


def film(path, pictures=25, start=0, codec="libx264", sounds=("aac", "aac"), subtitles="srt"):
    """A film with two languages, subtitles, an attachment, a cover, chapters and a title."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = []
        for number, name in enumerate(sounds):
            track = out.add_stream(name, rate=48000, layout="stereo" if number else "mono")
            track.metadata["language"] = ("deu", "fra")[number]
            tracks.append(track)
        text = None
        if subtitles:
            text = out.add_stream(subtitles)
            text.codec_context.subtitle_header = b"[Script Info]\n"
            text.metadata["language"] = "eng"
        if out.format.name == "matroska":
            out.add_attachment("schrift.ttf", "font/ttf", b"no real font")
            out.add_attachment("cover.png", "image/png", PNG)
        out.metadata["title"] = "Ein Film"
        base = Fraction(1, 1000)
        out.set_chapters(
            [
                {"id": 1, "start": 0, "end": 500, "time_base": base, "metadata": {"title": "A"}},
                {"id": 2, "start": 500, "end": 1000, "time_base": base, "metadata": {"title": "B"}},
            ]
        )
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(grey(8 * number, (48, 64)))
            frame.pts, frame.time_base = number + start, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for number, track in enumerate(tracks):
            channels = 1 + number
            wave = np.sin(np.arange(48000) / (20 + 10 * number)).astype("f4")
            frame = av.AudioFrame.from_ndarray(
                np.stack([wave] * channels), "fltp", track.layout.name
            )
            frame.sample_rate, frame.pts = 48000, 0
            for one in av.AudioResampler(track.format.name, track.layout, 48000).resample(frame):
                out.mux(track.encode(one))
            out.mux(track.encode(None))
        for shown, length, words in SUBTITLES if text else ():
            packet = av.Packet(words)
            packet.pts = packet.dts = shown
            packet.duration, packet.time_base, packet.stream = length, base, text
            out.mux(packet)
    return path


def tracks(path):
    """Kind, codec, language and every packet with its time, of each track but the pictures."""
    found = []
    with av.open(str(path)) as container:
        chosen = [s for s in container.streams if s.type in ("audio", "subtitle")]
        held = {stream.index: [] for stream in chosen}
        for packet in container.demux(chosen):
            if packet.size:
                time = round(float(packet.pts * packet.time_base), 3)
                held[packet.stream.index].append((time, bytes(packet)))
        for stream in chosen:
            language = stream.metadata.get("language")
            found.append((stream.type, stream.codec_context.name, language, held[stream.index]))
    return found


@pytest.mark.parametrize("settings", [{"factor": 2}, {"fps": "60000/1001"}])
def test_every_track_is_copied(tmp_path, settings):
    source = film(tmp_path / "in.mkv")
    interpolate_video(source, tmp_path / "out.mkv", Fade(), **settings)
    assert tracks(tmp_path / "out.mkv") == tracks(source)
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert after.metadata["title"] == "Ein Film"
        assert after.chapters() == before.chapters()
        attached = [[s for s in one.streams if s.type == "attachment"] for one in (before, after)]
        assert [s.data for s in attached[1]] == [s.data for s in attached[0]] == [b"no real font"]
        assert attached[1][0].name == "schrift.ttf"
        covers = [s for s in after.streams.video if s.disposition & Disposition.attached_pic]
        assert [bytes(next(after.demux(cover))) for cover in covers] == [PNG]
        assert not after.streams.video[0].disposition & Disposition.attached_pic


def test_a_cover_goes_from_one_container_to_the_other(tmp_path):
    source = film(tmp_path / "in.mkv", subtitles=None)
    interpolate_video(source, tmp_path / "out.mp4", Fade())
    interpolate_video(tmp_path / "out.mp4", tmp_path / "again.mkv", Fade())
    for name in ("out.mp4", "again.mkv"):
        with av.open(str(tmp_path / name)) as made:
            covers = [s for s in made.streams.video if s.disposition & Disposition.attached_pic]
            assert [bytes(next(made.demux(cover))) for cover in covers] == [PNG]
    assert len(read(tmp_path / "out.mp4")[0]) == 50


def test_what_a_container_does_not_take_is_said(tmp_path, caplog):
    source = film(tmp_path / "in.mkv")
    interpolate_video(source, tmp_path / "out.webm", Fade(), encoding=Encoding(preset="8"))
    assert "the audio track of" in caplog.text and ".mkv takes it as it is" in caplog.text
    assert "the attachment schrift.ttf" in caplog.text
    with av.open(str(tmp_path / "out.webm")) as made:
        assert [sound.codec_context.name for sound in made.streams.audio] == ["opus", "opus"]


def test_captions_inside_of_frames_are_said_to_be_lost(tmp_path, caplog):
    plain = write(tmp_path / "plain.h264", [grey(0)] * 3, 25, None, "libx264", "yuv420p")
    captions = b"\xb5\x00\x31GA94\x03\x42\xff" + 2 * b"\xfc\x94\x2c" + b"\xff"
    unit = b"\0\0\0\1\x06\x04" + bytes([len(captions)]) + captions + b"\x80"
    data = plain.read_bytes()
    slice_ = data.index(b"\0\0\1\x65")
    (tmp_path / "in.h264").write_bytes(data[:slice_] + unit + data[slice_:])
    interpolate_video(tmp_path / "in.h264", tmp_path / "out.mkv", Fade())
    assert "closed captions" in caplog.text
    caplog.clear()
    interpolate_video(plain, tmp_path / "plain.mkv", Fade())
    assert not caplog.records


def test_what_a_container_lists_and_refuses_is_converted(tmp_path, caplog):
    """FFmpeg's muxer of .mov names FLAC among what it takes."""
    source = film(tmp_path / "in.mkv", sounds=("flac", "aac"), subtitles=None)
    interpolate_video(source, tmp_path / "out.mov", Fade())
    assert "(flac) does not fit into .mov and is converted to aac" in caplog.text
    found = [(kind, name) for kind, name, *_ in tracks(tmp_path / "out.mov")]
    assert found == [("audio", "aac"), ("audio", "aac")]


def test_opus_goes_into_webm(tmp_path):
    source = film(tmp_path / "in.mkv", sounds=("libopus",), subtitles=None)
    interpolate_video(source, tmp_path / "out.webm", Fade(), encoding=Encoding(preset="8"))
    assert packets(tmp_path / "out.webm") == packets(source)


def flash_and_beep(path):
    """When the picture turns light, and when the sound begins."""
    shown, times = read(path)
    flash = next(t for frame, t in zip(shown, times, strict=True) if frame.mean() > 205)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            whole = 1 if frame.format.name.startswith("flt") else 32768
            wave = frame.to_ndarray()[
                0, :: 1 if frame.format.is_planar else frame.layout.nb_channels
            ]
            loud = np.flatnonzero(np.abs(wave / whole) > 0.3)
            if loud.size:
                return float(flash), frame.time + loud[0] / frame.sample_rate
    raise AssertionError("no beep")


RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "settings", [{"factor": 2}, {"factor": 5}, {"fps": "60000/1001"}, {"fps": 50}]
)
def test_flash_and_beep_stay_together(tmp_path, rate, settings):
    """A flash and a beep at one moment, three seconds in, are at one moment afterwards."""
    frames = [grey(0)] * round(3 * rate) + [grey(200)] * 10
    moment = round(3 * rate) / rate
    ending = "mkv" if rate == 25 else "mp4"
    source = write(tmp_path / f"in.{ending}", frames, rate, None, "libx264", "yuv420p", 0, moment)
    before = flash_and_beep(source)
    interpolate_video(source, tmp_path / f"out.{ending}", Fade(), **settings)
    assert packets(tmp_path / f"out.{ending}") == packets(source)
    after = flash_and_beep(tmp_path / f"out.{ending}")
    assert after[1] == pytest.approx(before[1], abs=1e-3)
    # The flash may fall between two frames of an even rate, and is then shown with the next.
    wait = 0 if "factor" in settings else 1 / float(Fraction(settings["fps"]))
    assert -2e-3 <= after[0] - before[0] <= wait + 2e-3


def test_slow_motion_drops_sound_or_stretches_it(tmp_path):
    frames = [grey(0)] * 20 + [grey(200)] * 20
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p", 0, Fraction(20, 25))
    interpolate_video(source, tmp_path / "out.mp4", Fade(), factor=4, slowmo=True)
    _, times = read(tmp_path / "out.mp4")
    assert times == [Fraction(number, 25) for number in range(160)]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio

    stretched = tmp_path / "stretched.mp4"
    interpolate_video(source, stretched, Fade(), factor=4, slowmo=True, sound="stretch")
    flash, beep = flash_and_beep(stretched)
    assert flash == pytest.approx(4 * 20 / 25, abs=1e-3)
    # Stretching mixes windows of 43 ms, here twice: an onset begins to be heard that much earlier.
    assert beep == pytest.approx(flash, abs=3 * 0.043)
    with av.open(str(stretched)) as container:
        length = sum(frame.samples for frame in container.decode(audio=0)) / 48000
        assert length == pytest.approx(4 * 40 / 25, abs=0.2)


def test_stretched_sound_keeps_its_time_behind_a_gap(tmp_path):
    """A track that is silent for two seconds without a packet, and tells no layout."""
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(100):
            frame = av.VideoFrame.from_ndarray(grey(200 if number >= 75 else 0))
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start, loudness in ((0, 0), (2.5, 0), (3, 20000)):
            wave = np.sin(np.arange(24000) / 5) * loudness
            frame = av.AudioFrame.from_ndarray(wave.astype("i2")[None], "s16", "mono")
            frame.sample_rate, frame.pts = 48000, int(start * 48000)
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    settings = {"factor": 3, "slowmo": True, "sound": "stretch", "size": "24x16"}
    interpolate_video(source, tmp_path / "out.mkv", Fade(), **settings)
    flash, beep = flash_and_beep(tmp_path / "out.mkv")
    assert flash == pytest.approx(9, abs=2e-3)
    assert beep == pytest.approx(flash, abs=3 * 0.043)


def test_pitch_stays_in_slow_motion(tmp_path):
    source = film(tmp_path / "in.mkv", sounds=("aac",), subtitles=None)
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=3, slowmo=True, sound="stretch")
    pitches = []
    for path in (source, tmp_path / "out.mkv"):
        with av.open(str(path)) as container:
            wave = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        part = wave[12000:36000]
        pitches.append(np.argmax(np.abs(np.fft.rfft(part * np.hanning(part.size)))))
    assert abs(pitches[0] - pitches[1]) <= 2


def test_chapters_and_subtitles_slow_down_with_the_pictures(tmp_path):
    source = film(tmp_path / "in.mkv")
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=2, slowmo=True)
    shown = [
        time
        for kind, *_, held in tracks(tmp_path / "out.mkv")
        if kind == "subtitle"
        for time, _ in held
    ]
    assert shown == [0, 1.0]
    with av.open(str(tmp_path / "out.mkv")) as made:
        ends = [chapter["end"] * chapter["time_base"] for chapter in made.chapters()]
    assert ends == [1, 2]


def test_a_part_of_a_video_has_that_part_of_the_sound(tmp_path):
    source = film(tmp_path / "in.mkv")
    interpolate_video(source, tmp_path / "out.mkv", Fade(), duration=0.6)
    assert len(read(tmp_path / "out.mkv")[0]) == 30
    for (kind, *_, ours), (*_, theirs) in zip(
        tracks(tmp_path / "out.mkv"), tracks(source), strict=True
    ):
        assert ours == [one for one in theirs if one[0] < 0.6], kind
    with av.open(str(tmp_path / "out.mkv")) as made:
        ends = [float(chapter["end"] * chapter["time_base"]) for chapter in made.chapters()]
    assert ends == [0.5, 0.6]


def test_nothing_is_said_where_nothing_is_lost(tmp_path, caplog):
    source = film(tmp_path / "in.mkv")
    with caplog.at_level(logging.WARNING):
        interpolate_video(source, tmp_path / "out.mkv", Fade())
    assert not caplog.records
