"""Image files on the client's side: what is sent, and what is written."""

from pathlib import Path

import numpy as np

from tfvfi.errors import InputError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
ENDINGS = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG}
JPEG_QUALITY = 95


def sendable(path: str | Path) -> bytes:
    """The file as it is, or as PNG where the server would read another picture or none.

    A server reads PNG and JPEG, and does not know how the camera was held.
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
    """Refuses the name of a file that is not written."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise InputError(f"the output ends in {', '.join(ENDINGS)}. Received: {path}")


def as_ending_says(content: bytes, path: str | Path) -> bytes:
    """An image file in the format of a name's ending: as it came where it is that already."""
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
    except cv2.error:  # Nothing at all, or more pixels than OpenCV takes.
        frame = None
    if frame is None:
        raise InputError(f"{path} is no image that can be read")
    return np.ascontiguousarray(frame[..., ::-1])


def _encoded(ending: str, frame: np.ndarray) -> bytes:
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if ENDINGS[ending] == JPEG else []
    return cv2.imencode(ending, frame[..., ::-1], quality)[1].tobytes()
