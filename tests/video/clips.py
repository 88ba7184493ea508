"""Small real video files with known content."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tfvfi.media.colors import EXACT, Converter
from tfvfi.video.writing.svt import kept_calm


class Fade:
    """Mixes two frames by time: an interpolator whose answers are known."""

    name = "fade"

    def __init__(self) -> None:
        self.pairs = 0

    def interpolate(self, a, b, times=(0.5,)):
        self.pairs += 1
        mixed = [a + (b.astype("float64") - a) * time for time in times]
        if a.dtype.kind == "f":
            return [frame.astype(a.dtype) for frame in mixed]
        return [np.rint(frame).astype(a.dtype) for frame in mixed]


def grey(level: int, size: tuple[int, int] = (32, 48)) -> np.ndarray:
    """A frame of one level with a gradient across, so that it is no flat field."""
    ramp = np.linspace(0, 30, size[1])[None, :, None] + np.zeros((*size, 3))
    return (ramp + level).clip(0, 255).astype(np.uint8)


def write(
    path: Path,
    frames: Sequence[np.ndarray],
    rate: Fraction | int = 25,
    times: Sequence[Fraction] | None = None,
    codec: str = "ffv1",
    pixel_format: str = "bgr0",
    rotation: int = 0,
    beep_at: Fraction | None = None,
    faststart: bool = False,
    **color: int,
) -> Path:
    """Writes frames, losslessly unless told otherwise, and a beep in silence if asked for."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(codec, rate=rate)
        context = stream.codec_context
        context.height, context.width = frames[0].shape[:2]
        context.pix_fmt = pixel_format
        base = Fraction(1, 90000) if times else 1 / Fraction(rate)
        context.time_base = base
        for name, value in color.items():
            setattr(context, name, value)
        if rotation:
            stream.set_display_rotation(rotation)
        with kept_calm():
            context.open()
        sound = out.add_stream("aac", rate=48000, layout="mono") if beep_at is not None else None
        for number, image in enumerate(frames):
            form = "rgb24" if image.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(image, format=form).reformat(
                format=pixel_format,
                interpolation=EXACT,
                dst_colorspace=color.get("colorspace"),
                dst_color_range=color.get("color_range"),
            )
            frame.pts = round(times[number] / base) if times else number
            frame.time_base = base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            length = len(frames) / Fraction(rate)
            samples = np.zeros((1, int(length * 48000)), np.float32)
            start = int(beep_at * 48000)
            samples[0, start : start + 4800] = np.sin(np.arange(4800) / 5) * 0.8
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 48000
            frame.pts = 0
            out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    """All frames and their times."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    deep = decoded[0].format.components[0].bits > 8
    converter = Converter()
    return (
        [converter.array(frame, deep, alpha=False) for frame in decoded],
        [frame.pts * Fraction(frame.time_base) for frame in decoded],
    )


def packets(path: Path) -> list[bytes]:
    """The bytes of every sound packet."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
