"""Colors as they went in: matrix, range, bits, light; checked against arithmetic of our own."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.media.colors import Converter
from tfvfi.media.look import Look
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video

LOSSLESS = Encoding(codec="ffv1")
BT709, SMPTE170M, BT601, BT2020, LIMITED, FULL = 1, 6, 5, 9, 1, 2
# Shares of red and blue in brightness, by matrix.
SHARES = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}


def picture(size=(96, 128), low=40, high=210):
    noise = np.random.default_rng(3).uniform(low, high, (4, 6, 3))
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC).clip(20, 235)


def by_hand(frame, matrix, full):
    """RGB of a 4:2:0 frame in floats, from its planes."""
    height, width = frame.height, frame.width
    planes = frame.to_ndarray().astype(float)
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    blue, red = (
        cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) - 128 for part in chroma
    )
    luma, blue, red = (
        (luma / 255, blue / 255, red / 255) if full else ((luma - 16) / 219, blue / 224, red / 224)
    )
    share_red, share_blue = SHARES[matrix]
    r = luma + 2 * (1 - share_red) * red
    b = luma + 2 * (1 - share_blue) * blue
    g = (luma - share_red * r - share_blue * b) / (1 - share_red - share_blue)
    return 255 * np.stack([r, g, b], axis=-1)


@pytest.mark.parametrize("matrix", SHARES)
@pytest.mark.parametrize("full", [False, True])
def test_conversion_agrees_with_the_definition_in_both_directions(matrix, full):
    """FFmpeg's usual one is darker by more than a level."""
    image = picture().astype(np.uint8)
    look = Look(colorspace=matrix, color_range=FULL if full else LIMITED, subsampling="420")
    frame = Converter().frame(image, "yuv420p", look)
    reference = by_hand(frame, matrix, full)
    assert abs(np.mean(reference - image)) < 0.15
    frame.colorspace, frame.color_range = matrix, FULL if full else LIMITED
    back = Converter().array(frame, deep=False, alpha=False)
    assert abs(np.mean(back - reference)) < 0.15
    assert np.abs(back - reference).mean() < 0.7


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_generations_do_not_drift(tmp_path, codec):
    """Four times through the pipeline: neither darker nor with chroma on the move."""
    frames = [picture((96, 128)).astype(np.uint8)] * 4
    source = write(
        tmp_path / "0.mkv",
        frames,
        25,
        None,
        "libx264",
        "yuv420p",
        colorspace=BT709,
        color_range=LIMITED,
    )
    (first, *_), _ = read(source)
    before = source
    for number in range(1, 5):
        after = tmp_path / f"{number}.mkv"
        interpolate_video(before, after, Fade(), 1, encoding=Encoding(codec, crf=4))
        before = after
    (last, *_), _ = read(before)
    difference = last.astype(float) - first
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.25
    assert np.abs(difference).mean() < 1.5


@pytest.mark.parametrize("matrix", [BT601, SMPTE170M, BT709, BT2020])
@pytest.mark.parametrize("span", [LIMITED, FULL])
def test_matrix_and_range_are_kept(tmp_path, matrix, span):
    """Strong colors come back as they were: a wrong matrix or range would move them by 10s."""
    frames = [np.full((32, 48, 3), color, np.uint8) for color in ((200, 40, 60), (30, 160, 210))]
    tags = {"colorspace": matrix, "color_range": span, "color_primaries": matrix, "color_trc": 1}
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv444p", 0, None, **tags)
    interpolate_video(
        source, tmp_path / "out.mp4", Fade(), 2, scene_cuts="mix", encoding=Encoding(crf=0)
    )
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        told = [getattr(context, name) for name in tags]
        assert told == list(tags.values())
    made = read(tmp_path / "out.mp4")[0]
    for ours, theirs in zip(made[::2], read(source)[0], strict=True):
        assert np.abs(ours.mean(axis=(0, 1)) - theirs.mean(axis=(0, 1))).max() < 1.5


def test_source_and_new_frames_do_not_flicker(tmp_path):
    """A still scene of noise below the limit stays as bright in new frames as in old ones."""
    draw = np.random.default_rng(0).normal
    frames = [
        (picture() + draw(0, 6, (96, 128, 3))).clip(0, 255).astype(np.uint8) for _ in range(6)
    ]
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p", colorspace=BT709)
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, encoding=Encoding(crf=4))
    levels = [frame.mean() for frame in read(tmp_path / "out.mp4")[0]]
    assert np.ptp(levels) < 0.5


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_what_was_rgb_is_told_as_hdtv(tmp_path, ending):
    """Players guess BT.601 or BT.709 by the size if nobody tells them."""
    image = np.zeros((32, 48, 3), np.uint8)
    image[:] = 200, 40, 60
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image[..., ::-1])
    source = tmp_path / "%d.png"
    if ending == "gif":
        interpolate_video(source, tmp_path / "in.gif", Fade(), 1)
        source = tmp_path / "in.gif"
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, encoding=Encoding(crf=1))
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        told = [context.colorspace, context.color_range, context.color_primaries]
        assert told == [BT709, LIMITED, BT709]
    np.testing.assert_allclose(
        read(tmp_path / "out.mp4")[0][0].mean(axis=(0, 1)), image[0, 0], atol=2
    )


def test_ten_bits_stay_ten_bits(tmp_path):
    frames = [np.full((32, 48, 3), level, np.uint16) for level in (20000, 20400)]
    source = write(tmp_path / "in.mkv", frames, 25, None, "ffv1", "gbrp10le")
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=2, encoding=LOSSLESS)
    made = read(tmp_path / "out.mkv")[0]
    assert made[0].dtype == np.uint16
    np.testing.assert_allclose([frame.mean() for frame in made[:3]], [20000, 20200, 20400], atol=80)


HDR = (
    "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400"
)


@pytest.mark.parametrize(
    ("codec", "ending"), [("h265", ".mp4"), ("h265", ".mkv"), ("av1", ".mkv"), ("h264", ".mp4")]
)
def test_what_displays_of_high_range_are_told_is_passed_on(tmp_path, codec, ending, caplog):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libx265", rate=25, options={"x265-params": HDR})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 64, 64, "yuv420p10le"
        context.color_primaries, context.color_trc, context.colorspace = BT2020, 16, BT2020
        for number in range(3):
            image = np.full((64, 64, 3), 9000 + 3000 * number, np.uint16)
            frame = av.VideoFrame.from_ndarray(image, "rgb48le")
            frame.pts = number
            out.mux(stream.encode(frame.reformat(format="yuv420p10le", dst_colorspace=BT2020)))
        out.mux(stream.encode(None))
    before = open_source([source]).look
    assert before.light.mastering[8] == 1000 and before.light.content == (1000, 400)
    output = tmp_path / f"out{ending}"
    interpolate_video(source, output, Fade(), 2, encoding=Encoding(codec))
    after = open_source([output]).look
    assert after.depth == 10
    assert (after.color_primaries, after.color_trc, after.colorspace) == (BT2020, 16, BT2020)
    assert after.light.content == before.light.content
    ours, theirs = after.light.mastering, before.light.mastering
    np.testing.assert_allclose([float(x) for x in ours], [float(x) for x in theirs], rtol=2e-3)
    assert "is not told of the light" not in caplog.text
    interpolate_video(source, tmp_path / "out.mov", Fade(), 2, encoding=Encoding("prores"))
    assert "prores_ks is not told of the light" in caplog.text


@pytest.mark.parametrize("ending", [".gif", ".webp", ".apng", ""])
def test_what_cannot_say_how_it_was_held_is_turned_upright(tmp_path, ending):
    frame = np.full((32, 48, 3), 60, np.uint8)
    frame[:8, :8] = 220
    source = write(tmp_path / "in.mp4", [frame] * 2, 25, None, "libx264", "yuv420p", 90)
    interpolate_video(source, tmp_path / f"out{ending}", Fade(), 1)
    first = next(iter(open_source([tmp_path / f"out{ending}"]))).image
    assert first.shape == (48, 32, 3)
    assert first[-8:, :8].mean() > 200 and first[:-10].mean() < 70


def test_rotation_and_the_shape_of_pixels_are_kept(tmp_path, caplog):
    frames = [grey(level) for level in (0, 40, 80)]
    source = write(
        tmp_path / "in.mp4",
        frames,
        25,
        None,
        "libx264",
        "yuv420p",
        90,
        Fraction(0),
        sample_aspect_ratio=Fraction(4, 3),
    )
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2)
    before, after = open_source([source]).look, open_source([tmp_path / "out.mp4"]).look
    assert before.rotation != 0 and after.rotation == before.rotation
    assert after.pixel_aspect == before.pixel_aspect == Fraction(4, 3)
    interpolate_video(source, tmp_path / "square.mp4", Fade(), size="64x32")
    assert open_source([tmp_path / "square.mp4"]).look.pixel_aspect == 1
    interpolate_video(source, tmp_path / "out", Fade())
    assert "pixels of" in caplog.text and "`size='64x32'`" in caplog.text


@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("tags", [{}, {"colorspace": BT709}])
@pytest.mark.parametrize(
    ("codec", "ending"), [("h264", ".mp4"), ("h264", ".mov"), ("h264", ".mkv"), ("h265", ".mp4")]
)
def test_a_range_without_a_matrix_is_kept(tmp_path, span, tags, codec, ending):
    frames = [grey(30 * number, (64, 96)) for number in range(3)]
    tags = {"color_range": span, **tags}
    source = write(tmp_path / "in.mkv", frames, 25, None, "ffv1", "yuv420p", **tags)
    interpolate_video(source, tmp_path / f"out{ending}", Fade(), encoding=Encoding(codec))
    before, after = (open_source([path]).look for path in (source, tmp_path / f"out{ending}"))
    assert after.color_range == before.color_range == span
    assert after.colorspace == before.colorspace


def test_the_light_where_a_video_is_to_be_seen_is_said_to_be_lost(tmp_path, caplog):
    plain = write(tmp_path / "plain.h264", [grey(0)] * 3, 25, None, "libx264", "yuv420p")
    # 31.4 lux; white as of daylight.
    ambient = (314000).to_bytes(4, "big") + (15635).to_bytes(2, "big") + (16450).to_bytes(2, "big")
    unit = b"\0\0\0\1\x06\x94" + bytes([len(ambient)]) + ambient + b"\x80"
    data = plain.read_bytes()
    slice_ = data.index(b"\0\0\1\x65")
    # No three zeros may follow each other inside of a unit.
    unit = unit[:4] + unit[4:].replace(b"\0\0", b"\0\0\3")
    (tmp_path / "in.h264").write_bytes(data[:slice_] + unit + data[slice_:])
    interpolate_video(tmp_path / "in.h264", tmp_path / "out.mp4", Fade())
    assert "ambient viewing environment" in caplog.text
