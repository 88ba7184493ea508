"""Encodes single pictures."""

import cv2
import numpy as np

from tfvfi.errors import InputError

# For each format: the ending, the bit depths, whether it holds transparency, and OpenCV's settings.
FORMATS = {
    "png": (".png", (8, 16), True, ()),
    "jpeg": (".jpg", (8,), False, (cv2.IMWRITE_JPEG_QUALITY, 95)),
    "webp": (".webp", (8,), True, (cv2.IMWRITE_WEBP_QUALITY, 95)),
    "tiff": (".tif", (16,), True, ()),
}
# OpenCV stores colors in the order blue, green, red.
TURNED = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def encode(image: np.ndarray, form: str) -> np.ndarray:
    """Encodes a picture as the bytes of a file.

    Args:
        image: H x W x 3 or 4, uint8 or uint16; converted to a bit depth that the format has.
        form: One of `FORMATS`.

    Raises:
        InputError: The format cannot hold a picture of this size.
    """
    ending, depths, _, settings = FORMATS[form]
    if image.dtype == np.uint16 and 16 not in depths:
        image = np.rint(image / np.float32(257)).astype(np.uint8)
    elif image.dtype == np.uint8 and 8 not in depths:
        image = image.astype(np.uint16) * np.uint16(257)
    turned = cv2.cvtColor(image, TURNED[image.shape[-1]])
    done, data = cv2.imencode(ending, turned, list(settings))
    if not done:
        raise InputError(f"a picture of {image.shape[1]}x{image.shape[0]} cannot be a {form}")
    return data
