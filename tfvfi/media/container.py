"""Video files, opened with care for what they may hold: references, old encodings, odd codecs."""

import codecs
import re
from pathlib import Path
from typing import Any

import av
from av import logging as av_logging

from tfvfi.errors import InputError

PLAYLISTS = ("concat", "hls", "dash", "imf")
# How words that are not UTF-8 are decoded.
OLD_ENCODING = "tfvfi-windows-1252"


def open_container(path: Path) -> av.container.InputContainer:
    """Opens a file of its own: one that only refers to others is refused.

    Metadata should be UTF-8. Bytes that are not are read as Windows-1252, which old tools wrote.

    Args:
        path: The file.
    """
    try:
        container = av.open(
            # Absolute, so that a name like "http:x.mp4" is not taken for an address.
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
    """Index of the stream that moves: covers are pictures as well.

    Args:
        container: An open file.
        path: Its name, for messages.
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
    """The four characters by which a file names a codec that FFmpeg does not know."""
    before = av_logging.get_level()
    # The description of a file is among the messages that are usually not collected.
    av_logging.set_level(av_logging.INFO)
    try:
        described = container.dumps_format()
    finally:
        av_logging.set_level(before)
    found = re.search(rf"Stream #0:{stream.index}\b.*?: none \((.+?) / 0x", described)
    return found[1] if found else "unknown"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """What stands for bytes that are not UTF-8; a handler of `codecs.register_error`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    words = "".join(
        codecs.decode(wrong[i : i + 1], "cp1252", "ignore") or "\ufffd" for i in range(len(wrong))
    )
    return words, error.end


codecs.register_error(OLD_ENCODING, _as_windows_1252)
