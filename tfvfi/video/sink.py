"""Where frames go: a video, an animation or a folder. It appears only when it is complete."""

import logging
import os
import shutil
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.video import pictures
from tfvfi.video.animation import JOINED
from tfvfi.video.copier import Copier
from tfvfi.video.encoder import Encoder, refusal
from tfvfi.video.encoding import CONTAINERS, has_alpha
from tfvfi.video.parts import Parts, read_segment

ENDINGS = (*CONTAINERS, *JOINED)
# A folder is replaced only if its files are named as we name them.
DIGITS = 8


class VideoFile:
    """A video that is written aside and renamed when it is complete.

    Args:
        path: Where it is to appear.
        encoder: Makes the packets.
        parts: Where finished segments are kept.
        copier: Makes a copier of the other streams, given the container; None: there are none.
    """

    def __init__(
        self,
        path: Path,
        encoder: Encoder,
        parts: Parts,
        copier: Callable[[av.container.OutputContainer], Copier] | None = None,
    ):
        self.path = path
        self.aside = path.with_name(f".{path.stem}.partial{path.suffix}")
        self.encoder = encoder
        self.parts = parts
        self.keeps_alpha = has_alpha(encoder.pixel_format)
        self.done = self.number = self.in_segment = 0
        self.last_stamp: int | None = None
        try:
            self.container = av.open(str(self.aside), "w")
        except (av.FFmpegError, OSError) as error:
            raise InputError(f"{self.aside} cannot be written: {error.strerror}") from None
        try:
            self.stream = self._stream()
            self.copier = copier(self.container) if copier else None
            self.container.start_encoding()
        except (ValueError, av.FFmpegError) as error:
            self.discard()
            said = refusal(encoder.codec, error)
            raise InputError(f"{path.name} cannot be written like this: {said}") from None
        for segment in parts.segments():
            frames, packets = read_segment(segment)
            self._mux(packets)
            self.done += frames
            self.number += 1

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a frame that is shown at `time`; None: one of the first `done`, which are there."""
        if image is None:
            return
        self._add(self.encoder.encode(image, time, length))
        self.in_segment += 1
        if self.in_segment == self.encoder.segment:
            self._end_segment()

    def finish(self) -> None:
        """Completes the file and lets it appear."""
        if self.in_segment:
            self._end_segment()
        try:
            if self.copier:
                self.copier.copy_until(None)
            self.container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None
        os.replace(self.aside, self.path)
        self.parts.remove()

    def discard(self) -> None:
        """Leaves finished parts if they are kept, and nothing else."""
        try:
            self.container.close()
        except (av.FFmpegError, OSError, ValueError):
            logging.debug("%s could not be closed", self.aside, exc_info=True)
        self.aside.unlink(missing_ok=True)
        self.parts.discard()

    def _stream(self) -> Any:
        """The stream of pictures; its own encoder is opened for the header alone."""
        stream = self.container.add_stream(
            self.encoder.codec.encoder, rate=self.encoder.rate, options=self.encoder.options
        )
        self.encoder.describe(stream.codec_context)
        stream.time_base = self.encoder.time_base
        if self.encoder.look.rotation:
            stream.set_display_rotation(self.encoder.look.rotation)
        if self.keeps_alpha and self.encoder.codec.encoder == "libvpx-vp9":
            stream.metadata["alpha_mode"] = "1"
        return stream

    def _add(self, packets: list[av.Packet]) -> None:
        try:
            # Muxing changes the clock of packets: they are kept as the encoder made them.
            self.parts.keep(packets)
        except OSError as error:
            raise self._cannot_write(error) from None
        self._mux(packets)

    def _end_segment(self) -> None:
        self._add(self.encoder.end_segment())
        try:
            self.parts.finish_segment(self.number, self.in_segment)
        except OSError as error:
            raise self._cannot_write(error) from None
        self.number += 1
        self.in_segment = 0

    def _mux(self, packets: Iterable[av.Packet]) -> None:
        try:
            for packet in packets:
                packet.time_base = self.encoder.time_base
                packet.stream = self.stream
                # Uneven times can make a segment begin before the one before it ends.
                if self.last_stamp is not None and packet.dts <= self.last_stamp:
                    packet.dts = min(self.last_stamp + 1, packet.pts)
                self.last_stamp = packet.dts
                if self.copier:
                    self.copier.copy_until(packet.dts * self.encoder.time_base)
                self.container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> InputError:
        return InputError(f"{self.path} cannot be written: {error.strerror}")


class PictureFolder:
    """Numbered pictures in a folder, or the animation that is joined from them.

    Args:
        path: Where it is to appear.
        form: One of `pictures.FORMATS`.
        parts: Where the pictures wait until all are there.
    """

    def __init__(self, path: Path, form: str, parts: Parts):
        self.path = path
        self.form = form
        self.parts = parts
        self.ending, _, self.keeps_alpha, _ = pictures.FORMATS[form]
        self.folder = parts.pictures()
        self.done = 0
        while self._picture(self.done).exists():
            self.done += 1
        self.lengths: list[Fraction] = []

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a picture; None: one of the first `done`, which are there."""
        target = self._picture(len(self.lengths))
        self.lengths.append(length)
        if image is None:
            return
        aside = target.with_name(f".{target.name}")
        try:
            pictures.encode(image, self.form).tofile(aside)
            os.replace(aside, target)
        except OSError as error:
            raise self._cannot_write(error) from None

    def finish(self) -> None:
        """Lets the folder or the animation appear, in place of an older one."""
        join = JOINED.get(self.path.suffix.lower())
        try:
            if join is None:
                if self.path.exists():
                    shutil.rmtree(self.path)
                os.replace(self.folder, self.path)
            else:
                aside = self.parts.folder / self.path.name
                files = [self._picture(number) for number in range(len(self.lengths))]
                join[1](aside, files, self.lengths)
                os.replace(aside, self.path)
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None
        self.parts.remove()

    def discard(self) -> None:
        """Leaves the pictures if they are kept, and nothing else."""
        self.parts.discard()

    def _picture(self, number: int) -> Path:
        return self.folder / f"{number:0{DIGITS}d}{self.ending}"

    def _cannot_write(self, error: OSError) -> InputError:
        return InputError(f"{self.path} cannot be written: {error.strerror}")


def check_output(path: Path, overwrite: bool) -> None:
    """Refuses, before any work, an output that cannot be or that would be overwritten."""
    if path.suffix and path.suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise InputError(
            f"a video or animation ends in one of {known}, a folder of pictures has no ending; "
            f"received {path}"
        )
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; name another output, or pass --overwrite")
    if path.suffix and path.is_dir():
        raise InputError(f"{path} is a folder and cannot become a video")
    if not path.suffix and path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file and cannot become a folder of pictures")
    if path.is_dir() and any(_is_foreign(child) for child in path.iterdir()):
        raise InputError(f"{path} holds files that were not written here and is left alone")
    make_folder(path.absolute().parent)


def make_folder(folder: Path) -> None:
    """Makes a folder that can be written to, or says why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"nothing can be written to the folder {folder}")


def _is_foreign(child: Path) -> bool:
    endings = [ending for ending, *_ in pictures.FORMATS.values()]
    return not (child.suffix in endings and child.stem.isdigit() and len(child.stem) == DIGITS)
