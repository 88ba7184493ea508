"""Damage that decoders conceal is noticed: nothing is passed on as good that is not."""

import logging
import os

import av
import cv2
import numpy as np
import pytest

from tests.media.test_source import noise, scene
from tests.video.clips import Fade, write
from tfvfi.errors import InputError
from tfvfi.media.reports import picture_reports
from tfvfi.media.source import open_source
from tfvfi.video import interpolate_video

# Container, codec and pixel format; how a frame of it is damaged so that it still decodes.
CONCEALED = {
    "H.264, the first frame": ("mkv", "libx264", "yuv420p", 0),
    "H.264, a later frame": ("mkv", "libx264", "yuv420p", 6),
    "FFV1, which has checksums": ("mkv", "ffv1", "bgr0", 5),
    "MPEG-2": ("ts", "mpeg2video", "yuv420p", 0),
    "Flash": ("flv", "flv", "yuv420p", 4),
    "JPEG": ("avi", "mjpeg", "yuvj420p", 3),
    "GIF": ("gif", "gif", "bgr8", 2),
}


def position(path, number):
    """Where the bytes of a frame are, and how many."""
    with av.open(str(path)) as container:
        packet = [one for one in container.demux(video=0) if one.size][number]
        data = bytes(packet)
    return path.read_bytes().index(data[:200]), len(data)


@pytest.mark.parametrize("kind", CONCEALED)
def test_what_a_decoder_conceals_is_damage(tmp_path, kind, caplog):
    ending, codec, pixel_format, number = CONCEALED[kind]
    source = write(tmp_path / f"in.{ending}", noise(10), 25, None, codec, pixel_format)
    whole = len(list(open_source([source])))
    data = bytearray(source.read_bytes())
    if ending == "ts":
        # Between the headers of the packets in the middle of the first frame.
        for packet in range(20, 28):
            data[188 * packet + 20 : 188 * packet + 100] = bytes(80)
    else:
        start, length = position(source, number)
        hurt = length // 4
        data[start + hurt : start + 2 * hurt] = np.random.default_rng(2).bytes(hurt)
    source.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged: .*`damaged='keep'`"):
        list(open_source([source]))
    with caplog.at_level(logging.WARNING):
        kept = list(open_source([source], damaged="keep"))
    assert whole // 4 < len(kept) <= whole
    assert "are lost or incomplete" in caplog.text


@pytest.mark.parametrize("damaged", ["stop", "keep"])
def test_frames_are_counted_against_the_index(tmp_path, damaged):
    """An AVI without its table, and with a frame turned into filling: its header still has it."""
    source = write(tmp_path / "in.avi", noise(8), 25, None, "mjpeg", "yuvj420p")
    start, _ = position(source, 4)
    data = bytearray(source.read_bytes())
    data[start - 8 : start - 4] = b"JUNK"
    index = data.index(b"idx1")
    data[index : index + 4] = b"JUNK"
    source.write_bytes(data)
    if damaged == "stop":
        with pytest.raises(InputError, match="is damaged"):
            list(open_source([source]))
    else:
        assert 6 <= len(list(open_source([source], damaged="keep"))) <= 8


def test_a_frame_that_does_not_come_out_is_damage(tmp_path):
    """A decoder of AV1 may leave out a frame without a word."""
    frames = [scene(number, (64, 96)) for number in range(14)]
    source = write(tmp_path / "in.mp4", frames, 25, None, "libsvtav1", "yuv420p")
    silent = 0
    for number in range(2, 14):
        start, length = position(source, number)
        data = bytearray(source.read_bytes())
        data[start + length - 1] ^= 0xFF
        data[start + 1] ^= 0x04
        (tmp_path / "hurt.mp4").write_bytes(data)
        try:
            silent += len(list(open_source([tmp_path / "hurt.mp4"]))) < 14
        except InputError as error:
            assert "is damaged" in str(error) or "no frame" in str(error)
    assert not silent


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9"])
def test_a_short_video_that_loses_its_end_is_damaged(tmp_path, codec):
    """Half of half a second is as much damage as half of an hour."""
    ending = "webm" if codec == "libvpx-vp9" else "mkv"
    source = write(tmp_path / f"in.{ending}", noise(14), 25, None, codec, "yuv420p")
    start, _ = position(source, 7)
    data = bytearray(source.read_bytes())
    data[start - 40 :] = bytes(len(data) - start + 40)
    source.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        list(open_source([source]))


@pytest.mark.parametrize(
    ("ending", "codec", "pixel_format"),
    [
        *(("mp4", codec, "yuv420p") for codec in ("libx264", "libx265", "libsvtav1", "mpeg4")),
        *(("mkv", codec, "yuv420p") for codec in ("ffv1", "mpeg2video", "libvpx-vp9")),
        *(("avi", "mjpeg", "yuvj420p"), ("ts", "libx264", "yuv420p"), ("gif", "gif", "bgr8")),
        *(
            ("mov", "prores_ks", "yuv422p10le"),
            ("flv", "flv", "yuv420p"),
            ("wmv", "wmv2", "yuv420p"),
        ),
    ],
)
def test_what_is_whole_is_not_damaged(tmp_path, ending, codec, pixel_format, caplog):
    frames = [scene(number, (64, 96)) for number in range(30)]
    source = write(tmp_path / f"in.{ending}", frames, 25, None, codec, pixel_format)
    assert len(list(open_source([source]))) == 30
    assert not caplog.records


def test_frames_before_the_first_whole_one_are_no_damage(tmp_path):
    """A recording that begins in the middle of a group of pictures, as all of broadcasts do."""
    options = {"faststart": False}
    source = write(
        tmp_path / "in.ts",
        [scene(number % 20, (64, 96)) for number in range(60)],
        25,
        None,
        "mpeg2video",
        "yuv420p",
        gop_size=15,
        **options,
    )
    data = source.read_bytes()
    table, start = data[: 188 * 3], data[188 * 6 :]
    source.write_bytes(table + start)
    assert 40 <= len(list(open_source([source]))) <= 60


PICTURES = {
    "JPEG": ("jpg", [], r"Corrupt JPEG|premature|Premature"),
    "TIFF": ("tif", [cv2.IMWRITE_TIFF_COMPRESSION, 5], "LZWDecode|code not yet in table"),
    "deflated TIFF": ("tif", [cv2.IMWRITE_TIFF_COMPRESSION, 8], "ZIPDecode"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_with_warnings_are_damaged(tmp_path, kind, capfd, caplog):
    ending, settings, said = PICTURES[kind]
    for number in range(3):
        data = cv2.imencode(f".{ending}", noise(1)[0], settings)[1]
        if number == 1:
            middle = len(data) // 2
            # A marker in the middle of a JPEG, where there is none.
            hurt = b"\xff\x11" if ending == "jpg" else bytes(range(256)) * 2
            data[middle : middle + len(hurt)] = list(hurt)
        data.tofile(tmp_path / f"{number}.{ending}")
    source = tmp_path / f"%d.{ending}"
    with pytest.raises(InputError, match=rf"1\.{ending} is damaged: .*({said}).*damaged='keep'"):
        interpolate_video(source, tmp_path / "out", Fade(), progress=False)
    assert capfd.readouterr().err == ""
    count = interpolate_video(source, tmp_path / "out", Fade(), damaged="keep", progress=False)
    assert count == 5
    assert capfd.readouterr().err == ""
    assert f"1.{ending} is damaged" in caplog.text


def test_pictures_that_are_none_write_nothing_to_standard_error(tmp_path, capfd):
    for ending in ("png", "tif", "bmp", "ppm", "webp", "jpg"):
        whole = cv2.imencode(f".{ending}", noise(1)[0])[1]
        for name, data in (("0", whole), ("1", whole[: len(whole) // 3])):
            data.tofile(tmp_path / f"{name}.{ending}")
        with pytest.raises(InputError):
            interpolate_video(tmp_path / f"%d.{ending}", tmp_path / "out", Fade(), progress=False)
    assert capfd.readouterr().err == ""


def test_what_others_write_meanwhile_is_not_lost(capfd):
    with picture_reports() as found:
        os.write(2, b"Corrupt JPEG data: premature end of data segment\na word of mine\n")
    assert found == ["Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == "a word of mine\n"
    with picture_reports() as found:
        np.zeros(3)
    assert not found
