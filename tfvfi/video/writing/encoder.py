"""Encodes frames to packets; every segment gets a new encoder, so that segments can be joined."""

import logging
from fractions import Fraction
from math import gcd

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.colors import Converter, fresh_copy
from tfvfi.media.look import FULL, LIMITED, UNTOLD, Light, Look
from tfvfi.video.writing.encoding import CODECS, Encoding, suitable_format
from tfvfi.video.writing.svt import kept_calm

logger = logging.getLogger(__name__)

# The length of a segment in pixels and in frames. Each segment begins with a key frame, so short
# ones take more space; the unfinished part of one is rendered again after an interruption.
SEGMENT_PIXELS, SHORTEST_SEGMENT, LONGEST_SEGMENT = 2**28, 32, 240
# The most ticks per second of a clock, and the largest number in FFmpeg's fractions (32 bits).
FINEST_CLOCK, LARGEST_INT = 10_000_000, 2**31 - 1
# The approximate number of ticks per second to which inexact times are rounded.
GOOD_CLOCK = 90_000
# Rates that are passed to encoders are simplified, because they are used only for rate control.
RATE_DENOMINATOR = 100_000


class Encoder:
    """Encodes the frames of one video.

    Args:
        codec: One of `CODECS`.
        encoding: The settings, already checked.
        look: The look of the source.
        size: The height and width.
        time_base: The unit of which all times are multiples.
        rate: The approximate number of frames per second, for the encoder's rate control.

    Raises:
        InputError: The codec does not take frames of this size or look.
    """

    def __init__(
        self,
        codec: str,
        encoding: Encoding,
        look: Look,
        size: tuple[int, int],
        time_base: Fraction,
        rate: Fraction,
    ):
        self.codec = CODECS[codec]
        if size[1] < self.codec.narrowest:
            raise InputError(
                f"{codec} takes frames of at least {self.codec.narrowest} pixels in width; "
                f"received {size[1]}: name another codec, or a larger size"
            )
        self.size = size
        self.time_base = time_base
        rate = min(rate, self.codec.highest_rate, 1 / time_base)
        self.rate = rate.limit_denominator(RATE_DENOMINATOR)
        self.pixel_format = encoding.pixel_format or suitable_format(codec, look, size)
        self.look = look.written(
            rgb=av.VideoFormat(self.pixel_format).is_rgb, full=self.codec.has_range
        )
        self.keeps_colors = (self.look.colorspace, self.look.color_range) == (
            look.colorspace,
            look.color_range,
        )
        self.converter = Converter()
        self.options = self._options(encoding)
        pixels = size[0] * size[1]
        self.segment = min(LONGEST_SEGMENT, max(SHORTEST_SEGMENT, SEGMENT_PIXELS // pixels))
        self._context: av.CodecContext | None = None
        self._ticks: dict[int, int] = {}
        self._last_stamp: int | None = None

    def describe(self, context: av.CodecContext) -> None:
        """Sets the size, format, times, options and colors of an encoder."""
        context.height, context.width = self.size
        context.pix_fmt = self.pixel_format
        context.time_base = self.time_base
        context.framerate = self.rate
        context.options = self.options
        if self.look.pixel_aspect:
            context.sample_aspect_ratio = self.look.pixel_aspect
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            setattr(context, name, getattr(self.look, name))

    def placed(self, time: Fraction, length: Fraction) -> tuple[int, int]:
        """Returns the time and length of the next frame in ticks; no two frames share a time.

        Args:
            time: The time at which it should be shown, in seconds.
            length: How long it should be shown, in seconds.
        """
        stamp = round(time / self.time_base)
        if self._last_stamp is not None:
            stamp = max(stamp, self._last_stamp + 1)
        self._last_stamp = stamp
        return stamp, max(1, round((time + length) / self.time_base) - stamp)

    def frame(self, image: np.ndarray) -> av.VideoFrame:
        """Returns an image in the encoder's format; of a source frame the planes, where they fit.

        Args:
            image: H x W x 3 or 4, uint8 or uint16.
        """
        frame = self._as_it_was(image)
        return self.converter.frame(image, self.pixel_format, self.look) if frame is None else frame

    def encode(self, frame: av.VideoFrame, stamp: int, ticks: int) -> list[av.Packet]:
        """Encodes a frame and returns the packets that are ready.

        Args:
            frame: The picture, see `frame`.
            stamp: The time at which it is shown, see `placed`.
            ticks: How long it is shown.

        Raises:
            InputError: The encoder refuses the settings.
        """
        if self._context is None:
            self._context = av.CodecContext.create(self.codec.encoder, "w")
            self.describe(self._context)
            # Containers store the header that all segments share at their beginning.
            self._context.flags |= int(av.codec.context.Flags.global_header)
            self._open(self._context)
        frame.pts, frame.duration, frame.time_base = stamp, ticks, self.time_base
        self._ticks[stamp] = ticks
        return self._packets(frame)

    def _as_it_was(self, image: np.ndarray) -> av.VideoFrame | None:
        """Returns the unchanged planes of a source frame if the encoder takes them, or None."""
        frame = getattr(image, "original", None)
        if frame is None or not self.keeps_colors or (frame.height, frame.width) != self.size:
            return None
        # The older format names for the full range have the same planes.
        older = frame.format.name.startswith("yuvj")
        if frame.format.name.replace("yuvj", "yuv") != self.pixel_format:
            return None
        if older and self.look.color_range != FULL:
            return None
        told = (int(frame.colorspace), int(frame.color_range))
        if told != (self.look.colorspace, self.look.color_range):
            return None
        return fresh_copy(frame, self.pixel_format)

    def _open(self, context: av.CodecContext) -> None:
        try:
            with kept_calm():
                context.open()
        except (ValueError, av.FFmpegError) as error:
            raise InputError(refusal(self.codec, error)) from None

    def end_segment(self) -> list[av.Packet]:
        """Ends the segment and returns its remaining packets."""
        if self._context is None:
            return []
        packets = self._packets(None)
        self._context = None
        self._ticks.clear()
        return packets

    def _packets(self, frame: av.VideoFrame | None) -> list[av.Packet]:
        try:
            packets = self._context.encode(frame)
        except (ValueError, av.FFmpegError) as error:
            raise InputError(refusal(self.codec, error)) from None
        for packet in packets:
            packet.time_base = self.time_base
            packet.duration = self._ticks.pop(packet.pts, 0)
        return packets

    def _options(self, encoding: Encoding) -> dict[str, str]:
        crf = self.codec.crf if encoding.crf is None else encoding.crf
        options = dict(self.codec.options)
        if crf is not None:
            options["crf"] = str(crf)
        if encoding.preset is not None:
            options[self.codec.preset_option] = str(encoding.preset)
        for told in (_light_options(self.codec.encoder, self.look.light), self._range_options()):
            for name, value in told.items():
                options[name] = ":".join(filter(None, (options.get(name), value)))
        return options

    def _range_options(self) -> dict[str, str]:
        """Returns the option that makes x264 write the limited range if no other color is known.

        x264 writes all color tags or none, and regards the limited range alone as none.
        """
        known = (self.look.colorspace, self.look.color_primaries, self.look.color_trc)
        if self.codec.encoder != "libx264" or self.look.color_range != LIMITED:
            return {}
        return {} if set(known) != {UNTOLD} else {"x264-params": "videoformat=component"}


def clock(*times: Fraction) -> Fraction:
    """Returns a time base in which all of the times are whole numbers, if it is not too fine.

    Args:
        times: The times, the most important first. If the time base would be too fine, the first
            few are exact and the others nearly exact.
    """
    base = Fraction(0)
    for number, time in enumerate(times):
        both = Fraction(
            gcd(base.numerator * time.denominator, time.numerator * base.denominator),
            base.denominator * time.denominator,
        )
        if 1 / both > FINEST_CLOCK or both.denominator > LARGEST_INT:
            if number == 0:
                return Fraction(1, FINEST_CLOCK)
            return base / max(1, round(base * GOOD_CLOCK))
        base = both
    return base


def refusal(codec: object, error: Exception) -> str:
    """Returns a message for the user about an encoder's refusal."""
    legal = [f"crf 0 to {codec.worst_crf}"] if codec.crf is not None else []
    if codec.presets:
        legal.append(f"preset {', '.join(codec.presets)}")
    known = "; ".join(legal) or "no crf or preset"
    said = getattr(error, "strerror", None) or error
    return f"{codec.encoder} refuses these settings or this size ({said}); it takes: {known}"


def _light_options(encoder: str, light: Light) -> dict[str, str]:
    """Returns the encoder's options for the metadata of high dynamic range."""
    names = {
        "libx264": ("x264-params", "mastering-display", "cll", (50000, 10000)),
        "libx265": ("x265-params", "master-display", "max-cll", (50000, 10000)),
        "libsvtav1": ("svtav1-params", "mastering-display", "content-light", (1, 1)),
    }
    if light == Light():
        return {}
    if encoder not in names:
        logger.warning(
            "%s is not told of the light of the source's display; h264, h265 and av1 are", encoder
        )
        return {}
    option, mastering, content, units = names[encoder]
    told = []
    if light.mastering:
        colors = [_number(value * units[0]) for value in light.mastering[:8]]
        bounds = [_number(value * units[1]) for value in light.mastering[8:]]
        pairs = zip(("G", "B", "R", "WP"), colors[::2], colors[1::2], strict=True)
        display = "".join(f"{name}({x},{y})" for name, x, y in pairs)
        told.append(f"{mastering}={display}L({','.join(bounds)})")
    if light.content:
        told.append(f"{content}={light.content[0]},{light.content[1]}")
    return {option: ":".join(told)}


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.5f}"
