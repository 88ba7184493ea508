"""What counts as a clip, and that its frames are those a player shows."""

import os
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from tests.conftest import psnr
from tests.data.small_videos import scene
from tests.video import clips as media
from tfvfi.data import clip_parts
from tfvfi.data.clip_parts import Skipped, Taking
from tfvfi.data.records import Example, tfrecord
from tfvfi.errors import InputError
from tfvfi.media import clips

FRAMES = scene(6)


def read(path):
    """The frames and times of the only clip there."""
    (clip,) = clips.find(str(path))
    return zip(*clips.frames(clip), strict=True)


def write_pictures(folder, frames=FRAMES, name="frame_{}.png"):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        turned = frame[..., ::-1] if frame.ndim == 3 else frame
        cv2.imwrite(str(folder / name.format(number)), turned)
    return folder


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_honored(tmp_path, rotation):
    path = media.write(
        tmp_path / "turned.mov", FRAMES, codec="png", pixel_format="rgb24", rotation=rotation
    )
    frames, _ = read(path)
    expected = [np.rot90(frame, rotation // 90) for frame in FRAMES]
    np.testing.assert_array_equal(np.stack(frames), np.stack(expected))
    # OpenCV turns frames by itself.
    np.testing.assert_array_equal(frames[0], cv2.VideoCapture(str(path)).read()[1][..., ::-1])


@pytest.mark.parametrize(
    ("pixel_format", "codec"),
    [
        ("yuv420p10le", "ffv1"),
        ("yuv422p10le", "ffv1"),
        ("yuv444p12le", "ffv1"),
        ("yuv444p", "libx264"),
        ("yuv444p10le", "libx264"),
        ("gbrp10le", "ffv1"),
        ("rgb48le", "ffv1"),
        ("gray", "ffv1"),
        ("gray16le", "ffv1"),
    ],
)
def test_depths_and_formats_are_read_correctly(tmp_path, pixel_format, codec):
    """Against the frames that went in; small colors are lost where there are fewer of them."""
    path = media.write(tmp_path / "deep.mkv", FRAMES, codec=codec, pixel_format=pixel_format)
    frames, _ = read(path)
    for frame, truth in zip(frames, FRAMES, strict=True):
        assert frame.dtype == np.uint8
        if "gray" in pixel_format:
            truth = cv2.cvtColor(cv2.cvtColor(truth, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        blurred = [cv2.blur(image, (9, 9)) for image in (frame, truth)]
        assert psnr(*blurred) > 40
        if "444" in pixel_format or "gb" in pixel_format:
            assert psnr(frame, truth) > 34


def test_times_are_those_of_presentation(tmp_path):
    times = [Fraction(n, 50) for n in (0, 1, 4, 6, 7, 10)]
    _, found = read(media.write(tmp_path / "uneven.mkv", FRAMES, rate=50, times=times))
    assert [float(time) for time in found] == pytest.approx([float(t) for t in times], abs=1e-3)


def test_records_tell_uneven_times(tmp_path):
    times = [Fraction(n, 50) for n in (0, 1, 3, 6, 7, 9)]
    path = media.write(tmp_path / "uneven.mkv", FRAMES, rate=50, times=times)
    report = clip_parts.make(str(tmp_path), *clips.find(str(path)), Taking(patch_size=64))
    (part,) = tmp_path.glob("*.tfrecord")
    with part.open("rb") as file:
        found = [Example.unpack(tfrecord.read(file, offset)) for offset in report.offsets]
    assert {one.start for one in found} == {0, 3}
    for one in found:
        assert one.times == pytest.approx([0, 1 / 3, 1], abs=0.02)


def test_sound_and_covers_are_no_frames(tmp_path):
    path = media.write(
        tmp_path / "sound.mp4", FRAMES, codec="libx264", pixel_format="yuv420p", beep_at=Fraction(0)
    )
    frames, _ = read(path)
    assert len(frames) == len(FRAMES)


def test_raw_streams_without_times_are_even(tmp_path):
    path = tmp_path / "raw.264"
    media.write(tmp_path / "in.mp4", FRAMES, codec="libx264", pixel_format="yuv420p")
    with av.open(str(tmp_path / "in.mp4")) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    _, times = read(path)
    assert len(times) == len(FRAMES)
    assert len({second - first for first, second in pairwise(times)}) == 1


def test_a_folder_of_frames_is_a_clip(tmp_path):
    """Numbers by value: 10 comes after 9."""
    long = scene(12)
    folder = write_pictures(tmp_path / "drawn", long)
    (clip,) = clips.find(str(folder))
    assert clip.name == "drawn"
    assert clip.bytes == sum(path.stat().st_size for path in folder.iterdir())
    frames, times = zip(*clips.frames(clip), strict=True)
    np.testing.assert_array_equal(np.stack(frames), np.stack(long))
    assert len({second - first for first, second in pairwise(times)}) == 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_frames_may_be_grey_or_deep(tmp_path, dtype):
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in FRAMES]
    stored = [frame.astype(dtype) * (257 if dtype == "uint16" else 1) for frame in grey]
    frames, _ = read(write_pictures(tmp_path / "grey", stored))
    np.testing.assert_array_equal(np.stack(frames), np.stack(grey)[..., None].repeat(3, -1))


def test_what_a_folder_holds(tmp_path):
    """Folders of frames anywhere, videos by their endings; a video's thumbnails are no clip."""
    write_pictures(tmp_path / "all" / "a" / "frames")
    write_pictures(tmp_path / "all" / "b" / "more", name="{}.jpg")
    write_pictures(tmp_path / "all" / "videos", name="thumbnail{}.png")
    for name in ("one.mkv", "TWO.MKV", "notes.txt", "no_ending", "._one.mkv"):
        media.write(tmp_path / "x.mkv", FRAMES).rename(tmp_path / "all" / "videos" / name)
    names = [clip.name for clip in clips.find(str(tmp_path / "all"))]
    assert names == ["a/frames", "b/more", "videos/TWO.MKV", "videos/one.mkv"]
    assert len(clips.find(f"{tmp_path}/all/*/*")) == 6
    names = [clip.name for clip in clips.find(f"{tmp_path}/all/**/*.mkv")]
    assert names == ["one.mkv"]
    assert [clip.name for clip in clips.find(f"{tmp_path}/all/[ab]/*")] == ["a/frames", "b/more"]
    assert [clip.name for clip in clips.find(f"{tmp_path}/all/videos/no_ending")] == ["no_ending"]


@pytest.mark.parametrize("odd", ["smaller", "damaged", "gone"])
def test_frames_that_do_not_fit_skip_the_folder(tmp_path, odd):
    folder = write_pictures(tmp_path / "drawn")
    last = folder / "frame_5.png"
    if odd == "smaller":
        cv2.imwrite(str(last), FRAMES[0][:100])
    elif odd == "damaged":
        last.write_bytes(last.read_bytes()[:50])
    else:
        last.unlink()
        last.symlink_to(tmp_path / "nowhere.png")
    (clip,) = clips.find(str(folder))
    found = clip_parts.make(str(tmp_path), clip, Taking(patch_size=64))
    assert isinstance(found, Skipped)
    assert "frame_5.png" in found.reason or "No such file" in found.reason


def test_a_clip_that_changed_is_made_again(tmp_path):
    path = media.write(tmp_path / "a.mkv", FRAMES)
    (clip,) = clips.find(str(path))
    os.utime(path, ns=(0, clip.modified + 1))
    (changed,) = clips.find(str(path))
    assert changed.key("") != clip.key("")
    assert clip.key("other settings") != clip.key("")


@pytest.mark.parametrize("videos", ["", "nowhere", "nowhere/*.mp4"])
def test_nothing_found_is_told(tmp_path, videos):
    with pytest.raises(InputError, match="`videos` is a folder of videos or of frames"):
        clips.find(f"{tmp_path}/{videos}")
