"""Pictures are decoded within bounds, whatever they claim."""

import struct

import cv2
import numpy as np
import pytest

from tfvfi.errors import InputError
from tfvfi.media import pictures
from tfvfi.media.pictures import BadPictureError

IMAGE = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
SETTINGS = {
    "png": (".png", []),
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 90]),
    "progressive": (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "restarts": (".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
    "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "lossless webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
}


def encoded(name: str, image: np.ndarray = IMAGE) -> bytes:
    ending, settings = SETTINGS[name]
    return cv2.imencode(ending, image[..., ::-1], settings)[1].tobytes()


@pytest.mark.parametrize("name", SETTINGS)
def test_sizes_are_read_from_the_first_bytes(name):
    data = encoded(name)
    assert pictures.claimed_size(data) == (37, 53)
    assert pictures.decode(data, (37, 53)).shape == (37, 53, 3)
    with pytest.raises(BadPictureError, match="it claims to be 53x37, not 37x53"):
        pictures.decode(data, (53, 37))


def test_extended_webp_tells_its_size():
    canvas = struct.pack("<I", 52)[:3] + struct.pack("<I", 36)[:3]
    data = b"RIFF" + bytes(4) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    assert pictures.claimed_size(data) == (37, 53)


@pytest.mark.parametrize("name", ["png", "lossless webp"])
def test_lossless_pictures_come_back(name):
    np.testing.assert_array_equal(pictures.decode(encoded(name)), IMAGE)


def test_sixteen_bits_stay():
    deep = (IMAGE * 257.0 - 3 * (IMAGE > 0)).astype(np.uint16)
    np.testing.assert_array_equal(pictures.decode(encoded("png", deep)), deep)


def test_gray_and_alpha_become_three_channels():
    gray = cv2.imencode(".png", IMAGE[..., 0])[1].tobytes()
    np.testing.assert_array_equal(pictures.decode(gray), IMAGE[..., :1].repeat(3, -1))
    alpha = cv2.imencode(".png", np.dstack([IMAGE[..., ::-1], IMAGE[..., 0]]))[1].tobytes()
    np.testing.assert_array_equal(pictures.decode(alpha), IMAGE)


def test_jpeg_is_decoded_as_accurately_as_tensorflow_can():
    import tensorflow as tf

    expected = tf.io.decode_jpeg(encoded("jpeg"), dct_method="INTEGER_ACCURATE").numpy()
    assert np.abs(pictures.decode(encoded("jpeg")).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("keep", [0, 1, 3, 11, 12, 20, 25, 30])
def test_cut_pictures_are_refused(name, keep):
    with pytest.raises(BadPictureError):
        pictures.decode(encoded(name)[:keep], (37, 53))


def test_a_huge_claim_is_refused_before_decoding():
    data = encoded("png")
    huge = data[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + data[24:]
    with pytest.raises(BadPictureError, match="claims to be 2147483647x2147483647"):
        pictures.decode(huge, (37, 53))
    with pytest.raises(BadPictureError, match="which is too large"):
        pictures.decode(huge)


def test_noise_after_a_jpegs_beginning_ends():
    for seed in range(200):
        noise = np.random.default_rng(seed).integers(0, 256, 300, np.uint8).tobytes()
        pictures.claimed_size(b"\xff\xd8\xff" + noise)
        pictures.claimed_size(b"\xff\xd8" + b"\xff" * 300)


def test_files_that_are_none_are_said(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a\.png cannot be read as a picture"):
        pictures.read(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"there is no file .*b\.png"):
        pictures.read(tmp_path / "b.png")


def test_a_picture_with_warnings_is_damaged(tmp_path, capfd):
    data = bytearray(encoded("jpeg"))
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\x11"
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.jpg is damaged: Corrupt JPEG data"):
        pictures.read(tmp_path / "a.jpg")
    assert capfd.readouterr().err == ""


def test_pictures_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("f10.png", "f9.png", "f1.jpg", "notes.txt", "._f9.png", "f\u00b2.png"):
        (tmp_path / name).write_bytes(b"")
    names = [path.name for path in pictures.in_folder(tmp_path)]
    assert names == ["f1.jpg", "f9.png", "f10.png", "f\u00b2.png"]
