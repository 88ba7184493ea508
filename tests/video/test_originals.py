"""Source frames go to the encoder as they came; new frames beside them do not flicker."""

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, write
from tfvfi.media.colors import Converter
from tfvfi.media.look import Look
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video

BT709, LIMITED, FULL = 1, 1, 2


def sharp(number=0, size=(96, 128)):
    """Rectangles in the strongest colors, whose edges lie anywhere."""
    draw = np.random.default_rng(number)
    image = np.zeros((*size, 3), np.uint8)
    for _ in range(60):
        top, left = draw.integers(0, size[0]), draw.integers(0, size[1])
        high, wide = draw.integers(3, 40, 2)
        image[top : top + high, left : left + wide] = draw.choice([0, 30, 220, 255], 3)
    return image


def natural(number=0, size=(96, 128)):
    """Soft colors, as of nearly all that is filmed."""
    noise = np.random.default_rng(number).uniform(50, 200, (5, 7, 3)).astype("f4")
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC).clip(16, 235).astype("u1")


def planes(path):
    """The decoded planes of every frame, brightness and colors."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            array = frame.to_ndarray()
            found.append((array[: frame.height].astype(float), array[frame.height :].astype(float)))
    return found


def source(path, pictures, pixel_format="yuv420p", **tags):
    tags = {"colorspace": BT709, "color_range": LIMITED, **tags}
    return write(path, pictures, 25, None, "ffv1", pixel_format, **tags)


KINDS = {
    "4:2:0": ("yuv420p", {}),
    "4:2:2": ("yuv422p", {}),
    "full range": ("yuv420p", {"color_range": FULL}),
    "nothing known": ("yuv420p", {"colorspace": 2, "color_range": 0}),
    "4:2:0 10": ("yuv420p10le", {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{"factor": 1}, {"factor": 3}, {"fps": 50}])
def test_source_frames_lose_nothing(tmp_path, kind, settings):
    pixel_format, tags = KINDS[kind]
    before = source(tmp_path / "in.mkv", [sharp(n) for n in range(3)], pixel_format, **tags)
    output = tmp_path / "out.mkv"
    encoding = Encoding("ffv1", pixel_format=pixel_format)
    interpolate_video(
        before, output, Fade(), encoding=encoding, scene_cuts="mix", progress=False, **settings
    )
    step = settings.get("factor", 2)
    for ours, theirs in zip(planes(output)[::step], planes(before), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_frames_at_rest_are_the_source_frame(tmp_path):
    before = source(tmp_path / "in.mkv", [sharp()] * 3)
    encoding = Encoding("ffv1", pixel_format="yuv420p")
    interpolate_video(before, tmp_path / "out.mkv", Fade(), encoding=encoding, progress=False)
    (expected, *_), made = planes(before), planes(tmp_path / "out.mkv")
    assert len(made) == 6
    for ours in made:
        np.testing.assert_array_equal(ours[0], expected[0])
        np.testing.assert_array_equal(ours[1], expected[1])


def test_what_was_a_jpeg_loses_nothing(tmp_path):
    before = write(tmp_path / "in.avi", [sharp(n) for n in range(3)], 25, None, "mjpeg", "yuvj420p")
    encoding = Encoding("h264", crf=0)
    interpolate_video(before, tmp_path / "out.mkv", Fade(), encoding=encoding, scene_cuts="mix")
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert made.streams.video[0].codec_context.color_range == FULL
    for ours, theirs in zip(planes(tmp_path / "out.mkv")[::2], planes(before), strict=True):
        np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("crf", [1, 18])
def test_strong_colors_at_the_lowest_loss(tmp_path, crf):
    """Through RGB alone they came back at 31 to 35 dB."""
    before = source(tmp_path / "in.mkv", [sharp(n) for n in range(3)])
    encoding = Encoding("h264", crf=crf)
    interpolate_video(before, tmp_path / "out.mp4", Fade(), encoding=encoding, scene_cuts="mix")
    for ours, theirs in zip(planes(tmp_path / "out.mp4")[::2], planes(before), strict=True):
        error = np.mean((ours[1] - theirs[1]) ** 2)
        assert 10 * np.log10(255**2 / error) > (48 if crf == 1 else 36)


def test_frames_of_another_size_range_or_kind_take_the_usual_way(tmp_path):
    before = source(tmp_path / "in.mkv", [natural(n) for n in range(3)], color_range=FULL)
    settings = {"scene_cuts": "mix", "progress": False, "overwrite": True}
    for encoding, extra in (
        (Encoding("h264", crf=0), {"size": "64x48"}),
        (Encoding("h264", crf=0, pixel_format="yuv444p"), {}),
        (Encoding("prores"), {}),
    ):
        output = tmp_path / "out.mov"
        interpolate_video(before, output, Fade(), encoding=encoding, **extra, **settings)
        made = next(iter(open_source([output]))).image
        expected = next(iter(open_source([before]))).image
        expected = cv2.resize(expected, made.shape[1::-1], interpolation=cv2.INTER_AREA)
        whole = np.iinfo(made.dtype).max / 255
        assert np.abs(made / whole - expected.astype(float)).mean() < 1.5


@pytest.mark.parametrize(("picture", "level", "part"), [(natural, 0.05, 0.5), (sharp, 1, 8)])
def test_new_frames_do_not_flicker_beside_them(tmp_path, picture, level, part):
    """A scene at rest, with noise that makes new frames take their own way.

    The mean of brightness and colors must not alternate visibly, nor that of any 8 x 8 block.
    """
    noise = np.random.default_rng(1)
    pictures = []
    for _ in range(4):
        moved = picture(3).astype(int) + noise.integers(-2, 3, (96, 128, 3))
        pictures.append(moved.clip(0, 255).astype(np.uint8))
    before = source(tmp_path / "in.mkv", pictures)
    encoding = Encoding("h264", crf=0)
    interpolate_video(before, tmp_path / "out.mkv", Fade(), encoding=encoding, scene_cuts="mix")
    made = planes(tmp_path / "out.mkv")[:-1]
    for channel in range(2):
        old, new = (np.mean([frame[channel] for frame in made[n::2]], axis=0) for n in range(2))
        difference = new - old
        assert abs(difference.mean()) < level
        blocks = difference.reshape(difference.shape[0] // 8, 8, -1, 8).mean((1, 3))
        assert np.abs(blocks).max() < part


def test_colors_that_are_soft_come_back_from_rgb(tmp_path):
    """The way back averages just what the way there spreads: it is its inverse."""
    (before, *_) = open_planes(source(tmp_path / "in.mkv", [natural(1)]))
    look = Look(colorspace=BT709, color_range=LIMITED, subsampling="420")
    converter = Converter()
    back = converter.frame(converter.array(before, False, False), "yuv420p", look)
    np.testing.assert_array_equal(back.to_ndarray(), before.to_ndarray())


def open_planes(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))
