"""Single pictures, written."""

import cv2
import numpy as np

from tfvfi.errors import InputError

# Format -> ending, the bits of a value that it holds, whether it can be transparent, settings.
FORMATS = {
    "png": (".png", (8, 16), True, ()),
    "jpeg": (".jpg", (8,), False, (cv2.IMWRITE_JPEG_QUALITY, 95)),
    "webp": (".webp", (8,), True, (cv2.IMWRITE_WEBP_QUALITY, 95)),
    "tiff": (".tif", (16,), True, ()),
}
# OpenCV's order of colors is the other one.
TURNED = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def encode(image: np.ndarray, form: str) -> np.ndarray:
    """The bytes of a file that holds the picture.

    Args:
        image: H x W x 3 or 4, uint8 or uint16; changed to a depth that the format has.
        form: One of `FORMATS`.
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
