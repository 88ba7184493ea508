"""Encodes images and flow as bytes; `pictures.decode` decodes the images."""

import zlib

import cv2
import numpy as np

from tfvfi.data.tfrecord import CorruptRecordError

QUALITY = {"jpeg": cv2.IMWRITE_JPEG_QUALITY, "webp": cv2.IMWRITE_WEBP_QUALITY}
ENDINGS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
ENCODINGS = tuple(ENDINGS)


def encode_image(image: np.ndarray, encoding: str = "png", quality: int = 95) -> bytes:
    """Encodes an RGB uint8 image; the quality applies to JPEG and WebP."""
    settings = [QUALITY[encoding], quality] if encoding in QUALITY else []
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(ENDINGS[encoding], bgr, settings)[1].tobytes()


def encode_flow(flow: np.ndarray) -> bytes:
    """Encodes flow of (height, width, 4) as compressed float16."""
    return zlib.compress(flow.astype("<f2").tobytes())


def decode_flow(data: bytes, height: int, width: int) -> np.ndarray:
    """Decodes float32 flow; raises `CorruptRecordError` if it does not have this size."""
    size = height * width * 4 * 2
    unpacker = zlib.decompressobj()
    try:
        # The limit is one byte more than fits, so that data that would expand further is detected
        # and not unpacked.
        values = unpacker.decompress(data, size + 1)
    except zlib.error:
        values = b""
    if len(values) != size:
        raise CorruptRecordError(f"the record holds flow that is not {height}x{width}x4")
    return np.frombuffer(values, "<f2").astype(np.float32).reshape(height, width, 4)
