"""Where frames go: a video file or a folder of pictures. Either appears only when complete."""

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.video.source import Look

CONTAINERS = (".mp4", ".mov", ".m4v", ".mkv", ".webm")
# Codec -> FFmpeg's encoder, its quality setting by default, pixel formats for 8 and 10 bits.
CODECS = {
    "h264": ("libx264", 18, ("yuv420p", "yuv420p10le")),
    "h265": ("libx265", 20, ("yuv420p", "yuv420p10le")),
    "av1": ("libsvtav1", 28, ("yuv420p", "yuv420p10le")),
    "vp9": ("libvpx-vp9", 24, ("yuv420p", "yuv420p10le")),
    "prores": ("prores_ks", None, ("yuv422p10le", "yuv422p10le")),
    "ffv1": ("ffv1", None, ("bgr0", "gbrp10le")),
}


@dataclass(frozen=True)
class Encoding:
    """How a video is written; None: the default of the container or codec.

    Attributes:
        codec: One of `CODECS`.
        crf: Quality: 0 is best, about 18 is hard to tell from the original.
        preset: The encoder's own word for how long it may think.
        pixel_format: FFmpeg's name of a pixel format.
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    pixel_format: str | None = None


class VideoFile:
    """A video that is written aside and renamed when it is complete.

    Args:
        path: Where it is to appear.
        size: Height and width.
        look: Colours and rotation to keep.
        time_base: Times are multiples of it.
        rate: About how many frames a second, for the encoder's rate control.
        encoding: Codec and quality.
        copied_from: A file whose sound and other streams are copied unchanged.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        look: Look,
        time_base: Fraction,
        rate: Fraction,
        encoding: Encoding,
        copied_from: Path | None = None,
    ):
        self.path = path
        self.aside = path.with_name(f".{path.stem}.partial{path.suffix}")
        self.look = look
        self.time_base = time_base
        codec = encoding.codec or ("vp9" if path.suffix == ".webm" else "h264")
        if codec not in CODECS:
            raise InputError(f"there is no codec '{codec}'; there are: {', '.join(CODECS)}")
        encoder, crf, formats = CODECS[codec]
        if crf is None and encoding.crf is not None:
            raise InputError(f"{codec} has no crf; leave it out")
        self.container = av.open(str(self.aside), "w")
        try:
            chosen = {
                "crf": crf if encoding.crf is None else encoding.crf,
                "preset": encoding.preset,
            }
            options = {name: str(value) for name, value in chosen.items() if value is not None}
            self.stream = self.container.add_stream(encoder, rate=rate, options=options)
            self._describe(size, encoding.pixel_format or self._pixel_format(formats, size))
            self.copier = Copier(copied_from, self.container) if copied_from else None
        except (ValueError, av.FFmpegError) as error:
            self.discard()
            raise InputError(
                f"{codec} cannot be written to {path.suffix} like this: {error}"
            ) from None

    def write(self, image: np.ndarray, time: Fraction) -> None:
        """Adds a frame that is shown at `time`."""
        form = "rgb24" if image.dtype == np.uint8 else "rgb48le"
        frame = av.VideoFrame.from_ndarray(image, format=form)
        context = self.stream.codec_context
        matrix = self.look.colorspace if self.look.colorspace != 2 else None
        frame = frame.reformat(
            format=context.pix_fmt,
            dst_colorspace=matrix if context.pix_fmt.startswith("yuv") else None,
            dst_color_range=self.look.color_range or None,
        )
        frame.pts = round(time / self.time_base)
        frame.time_base = self.time_base
        if self.copier:
            self.copier.copy_until(time)
        self._mux(self._encode(frame))

    def finish(self) -> None:
        """Completes the file and lets it appear."""
        self._mux(self._encode(None))
        if self.copier:
            self.copier.copy_until(None)
        self.container.close()
        os.replace(self.aside, self.path)

    def discard(self) -> None:
        """Leaves nothing."""
        try:
            self.container.close()
        except (av.FFmpegError, ValueError):
            logging.debug("%s could not be closed", self.aside, exc_info=True)
        self.aside.unlink(missing_ok=True)

    def _describe(self, size: tuple[int, int], pixel_format: str) -> None:
        context = self.stream.codec_context
        context.height, context.width = size
        context.pix_fmt = pixel_format
        context.time_base = self.time_base
        self.stream.time_base = self.time_base
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            if name == "colorspace" and not pixel_format.startswith("yuv"):
                continue
            setattr(context, name, getattr(self.look, name))
        if self.look.rotation:
            self.stream.set_display_rotation(self.look.rotation)

    def _pixel_format(self, formats: tuple[str, str], size: tuple[int, int]) -> str:
        chosen = formats[self.look.depth > 8]
        # Half the colour resolution needs even sides.
        odd = size[0] % 2 or size[1] % 2
        return chosen.replace("420", "444").replace("422", "444") if odd else chosen

    def _encode(self, frame: av.VideoFrame | None) -> list[av.Packet]:
        try:
            return self.stream.encode(frame)
        except (ValueError, av.FFmpegError) as error:
            encoder = self.stream.codec_context.name
            raise InputError(
                f"{encoder} refuses these settings ({error}); its crf, preset and pixel format "
                "are its own: leave them out, or take values that it knows"
            ) from None

    def _mux(self, packets: list[av.Packet]) -> None:
        try:
            self.container.mux(packets)
        except (av.FFmpegError, OSError) as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror}") from None


class Copier:
    """Copies every stream but the pictures, packet by packet, as time goes on."""

    def __init__(self, path: Path, target: av.container.OutputContainer):
        self.source = av.open(str(path))
        self.target = target
        self.streams = {}
        for stream in self.source.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            if stream.codec_context.name not in target.supported_codecs:
                logging.warning(
                    "The %s track of %s (%s) does not fit into the output's container and is left "
                    "out; .mkv takes every kind",
                    stream.type,
                    path,
                    stream.codec_context.name,
                )
                continue
            self.streams[stream.index] = target.add_stream_from_template(stream)
        self.packets = self._packets()
        self.waiting: av.Packet | None = None

    def copy_until(self, time: Fraction | None) -> None:
        """Writes what belongs before `time`; None: all that is left."""
        while True:
            self.waiting = self.waiting or next(self.packets, None)
            if self.waiting is None:
                return
            stamp = self.waiting.dts if self.waiting.dts is not None else self.waiting.pts
            if time is not None and stamp is not None and stamp * self.waiting.time_base > time:
                return
            self.waiting.stream = self.streams[self.waiting.stream.index]
            self.target.mux(self.waiting)
            self.waiting = None

    def _packets(self) -> Iterator[av.Packet]:
        if self.streams:
            chosen = [self.source.streams[index] for index in self.streams]
            for packet in self.source.demux(chosen):
                if packet.dts is not None or packet.pts is not None:
                    yield packet
        self.source.close()


class PictureFolder:
    """Numbered PNG files in a folder that appears when it is complete."""

    def __init__(self, path: Path):
        self.path = path
        self.aside = path.with_name(f".{path.name}.partial")
        shutil.rmtree(self.aside, ignore_errors=True)
        self.aside.mkdir()
        self.count = 0

    def write(self, image: np.ndarray, time: Fraction) -> None:
        """Adds a picture."""
        target = self.aside / f"{self.count:08d}.png"
        done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if not done:
            raise InputError(f"{target} could not be encoded")
        data.tofile(target)
        self.count += 1

    def finish(self) -> None:
        """Lets the folder appear, in place of an older one."""
        if self.path.exists():
            shutil.rmtree(self.path)
        os.replace(self.aside, self.path)

    def discard(self) -> None:
        """Leaves nothing."""
        shutil.rmtree(self.aside, ignore_errors=True)


def check_output(path: Path, overwrite: bool) -> None:
    """Refuses, before any work, an output that cannot be or that would be overwritten."""
    if path.suffix and path.suffix.lower() not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        raise InputError(
            f"a video ends in one of {known}, a folder of pictures has no ending; received {path}"
        )
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; name another output, or pass --overwrite")
    if path.suffix and path.is_dir():
        raise InputError(f"{path} is a folder and cannot become a video")
    if not path.suffix and path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file and cannot become a folder of pictures")
    if path.is_dir() and any(_is_foreign(child) for child in path.iterdir()):
        raise InputError(f"{path} holds files that were not written here and is left alone")
    parent = path.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {parent} cannot be made: {error.strerror}") from None
    if not os.access(parent, os.W_OK):
        raise InputError(f"nothing can be written to the folder {parent}")


def _is_foreign(child: Path) -> bool:
    return not (child.suffix == ".png" and child.stem.isdigit() and len(child.stem) == 8)
