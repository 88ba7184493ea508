"""Image files on the side of the client: reading, sending and writing them."""

from pathlib import Path

import numpy as np

from tfvfi.errors import InputError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
ENDINGS = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG}
JPEG_QUALITY = 95


def sendable(path: str | Path) -> bytes:
    """The file as it is, or as PNG where the server would misread it.

    A server reads PNG and JPEG only, and ignores the orientation that a camera records.
    """
    content = _read(path)
    upright = _decoded(path, content)
    if not content.startswith((PNG, JPEG)):
        return png(upright)
    lying = _decoded(path, content, turn=False)
    return content if np.array_equal(upright, lying) else png(upright)


def pixels(path: str | Path) -> np.ndarray:
    """The picture, H x W x 3, RGB, uint8, upright."""
    return _decoded(path, _read(path))


def png(frame: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    return _encoded(".png", frame)


def check_ending(path: str | Path) -> None:
    """Raises `InputError` for a file name with an unsupported ending."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise InputError(f"the output ends in {', '.join(ENDINGS)}. Received: {path}")


def as_ending_says(content: bytes, path: str | Path) -> bytes:
    """The image in the format of the file name's ending; unchanged if it has that format."""
    ending = Path(path).suffix.lower()
    if content.startswith(ENDINGS[ending]):
        return content
    return _encoded(ending, _decoded("the server's answer", content))


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _decoded(path: str | Path, content: bytes, turn: bool = True) -> np.ndarray:
    import cv2

    flags = cv2.IMREAD_COLOR if turn else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        frame = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # Either an empty file, or more pixels than OpenCV accepts.
        frame = None
    if frame is None:
        raise InputError(f"{path} is not an image that can be read")
    return np.ascontiguousarray(frame[..., ::-1])


def _encoded(ending: str, frame: np.ndarray) -> bytes:
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if ENDINGS[ending] == JPEG else []
    return cv2.imencode(ending, frame[..., ::-1], quality)[1].tobytes()
