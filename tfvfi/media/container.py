"""Opens video files safely: with references, old text encodings or unknown codecs."""

import codecs
import re
from pathlib import Path
from typing import Any

import av
from av import logging as av_logging

from tfvfi.errors import InputError

PLAYLISTS = ("concat", "hls", "dash", "imf")
# The name of the error handler for text that is not UTF-8.
OLD_ENCODING = "tfvfi-windows-1252"


def open_container(path: Path) -> av.container.InputContainer:
    """Opens a video file; a file that only refers to other files is refused.

    Metadata should be UTF-8. Other bytes are read as Windows-1252, which old tools wrote.

    Args:
        path: The file.

    Raises:
        InputError: The file cannot be read as a video.
    """
    try:
        container = av.open(
            # The path is absolute, so that a name like "http:x.mp4" is not taken for an address.
            str(path.absolute()),
            options={"protocol_whitelist": "file"},
            metadata_errors=OLD_ENCODING,
        )
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as a video: {error.strerror}") from None
    if container.format.name in PLAYLISTS:
        container.close()
        raise InputError(f"{path} cannot be read as a video: it is a list of other files")
    return container


def picture_stream(container: Any, path: Path) -> int:
    """Returns the index of the video stream, which is not a cover picture.

    Args:
        container: An open file.
        path: The name of the file, for messages.

    Raises:
        InputError: There is no video stream, or its codec is unknown.
    """
    for stream in container.streams.video:
        if not int(stream.disposition) & int(av.stream.Disposition.attached_pic):
            if stream.codec_context is None:
                raise InputError(
                    f"{path} cannot be decoded: this FFmpeg does not know the codec "
                    f"'{codec_tag(container, stream)}' of its video; convert it with the program "
                    "that wrote it, to H.264 for example"
                )
            return stream.index
    raise InputError(f"{path} has no video stream")


def codec_tag(container: Any, stream: Any) -> str:
    """Returns the four characters with which a file names a codec that FFmpeg does not know."""
    before = av_logging.get_level()
    # FFmpeg logs the description of a file at a level that is usually not collected.
    av_logging.set_level(av_logging.INFO)
    try:
        described = container.dumps_format()
    finally:
        av_logging.set_level(before)
    found = re.search(rf"Stream #0:{stream.index}\b.*?: none \((.+?) / 0x", described)
    return found[1] if found else "unknown"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decodes bytes that are not UTF-8; a handler for `codecs.register_error`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    words = "".join(
        codecs.decode(wrong[i : i + 1], "cp1252", "ignore") or "\ufffd" for i in range(len(wrong))
    )
    return words, error.end


codecs.register_error(OLD_ENCODING, _as_windows_1252)
