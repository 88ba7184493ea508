"""What claims too much is refused before it is decoded."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, grey, write
from tfvfi.errors import InputError
from tfvfi.media.claims import claimed_size, read_within
from tfvfi.media.source import open_source
from tfvfi.media.webp import chunk
from tfvfi.video import interpolate_video

SIDE = 30_000


def png(width, height):
    """A tiny file that claims to be large."""
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)

    def part(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = part(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + rows + part(b"IEND", b"")


def bmp(width, height):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 200, 0, 0, 54) + head + bytes(100)


def tiff(width, height):
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (273, 4, 1, 200)]
    packed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + packed + bytes(200)


def ppm(width, height):
    return b"P6\n# from a camera\n%d %d\n255\n" % (width, height) + bytes(50)


def webp(width, height):
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + chunk(b"VP8X", bytes(4) + canvas)


@pytest.mark.parametrize("make", [png, bmp, tiff, ppm, webp])
def test_a_picture_bomb_is_one_sentence(tmp_path, make):
    ending = make.__name__
    paths = [tmp_path / f"{number}.{ending}" for number in range(2)]
    for path in paths:
        path.write_bytes(make(SIDE, SIDE))
    with pytest.raises(InputError, match=r"claims 30000x30000 pixels; .*`max_pixels=900000000`"):
        interpolate_video(paths, tmp_path / "out", Fade())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("make", [png, bmp, tiff, ppm])
@pytest.mark.parametrize("side", [2**20 + 1, 2**31 - 1])
def test_what_the_decoder_refuses_is_one_sentence_too(tmp_path, make, side):
    path = tmp_path / f"a.{make.__name__}"
    path.write_bytes(make(side, 1))
    with pytest.raises(InputError, match=r"cannot be read as a picture|pixels"):
        interpolate_video([path, path], tmp_path / "out", Fade(), max_pixels=2**33)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif", "bmp", "ppm", "pgm", "pam"])
def test_sizes_of_what_opencv_writes(ending):
    data = cv2.imencode(f".{ending}", np.zeros((37, 53, 1 if ending == "pgm" else 3), np.uint8))[1]
    assert claimed_size(data.tobytes()) == (37, 53)


def test_sizes_of_other_tiff_files():
    big = b"MM\0*" + struct.pack(">IH", 8, 2)
    big += struct.pack(">HHIHH", 256, 3, 1, 53, 0) + struct.pack(">HHIHH", 257, 3, 1, 37, 0)
    assert claimed_size(big) == (37, 53)
    large = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2)
    large += struct.pack("<HHQQ", 256, 4, 1, 53) + struct.pack("<HHQQ", 257, 16, 1, 37)
    assert claimed_size(large) == (37, 53)


def test_headers_cut_anywhere_or_full_of_noise_raise_nothing():
    draw = np.random.default_rng(0)
    for make in (png, bmp, tiff, ppm, webp):
        data = make(53, 37)
        for keep in range(len(data)):
            claimed_size(data[:keep])
        for _ in range(50):
            noisy = bytearray(data)
            noisy[draw.integers(4, len(noisy))] = draw.integers(256)
            claimed_size(bytes(noisy))


def test_a_sparse_file_of_gigabytes_is_not_read(tmp_path):
    for name, start in (("zeros.png", b""), ("begins.png", png(16, 16))):
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(start)
            file.truncate(2**31)
        with pytest.raises(InputError, match=r"no PNG|does not take 2048 MiB"):
            read_within(path)


def test_frames_of_a_video_are_limited_too(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(0, (64, 96))] * 2)
    with pytest.raises(InputError, match=r"in\.mkv claims 96x64 pixels; more than 6000"):
        open_source([source], max_pixels=6000)
    with pytest.raises(InputError, match=r"`size` asks for frames of 90000x60000"):
        interpolate_video(source, tmp_path / "out.mkv", Fade(), size="90000x")


def test_frames_that_grow_beyond_the_limit_are_damage(tmp_path):
    for name, size in (("a", (32, 48)), ("b", (320, 480))):
        write(tmp_path / f"{name}.ts", [grey(100, size)] * 4, 25, None, "mpeg2video", "yuv420p")
    source = tmp_path / "in.ts"
    source.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    assert len(list(open_source([source]))) > 6
    with pytest.raises(InputError, match="is damaged"):
        list(open_source([source], max_pixels=100_000))
