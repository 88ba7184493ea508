"""The properties of a video's appearance that must be preserved."""

import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

# FFmpeg's numbers for the matrix, primaries and transfer function: unspecified, and HDTV.
UNTOLD, BT709 = 2, 1
# FFmpeg's numbers for the color range.
LIMITED, FULL = 1, 2
# Side data of frames that is not passed on to encoders, and its description.
UNKEPT = {
    "A53_CC": "subtitles inside of the frames (closed captions)",
    "DYNAMIC_HDR_PLUS": "light told frame by frame (HDR10+)",
    "DYNAMIC_HDR_VIVID": "light told frame by frame (HDR Vivid)",
    "DOVI_METADATA": "light told frame by frame (Dolby Vision)",
    "DOVI_RPU_BUFFER": "light told frame by frame (Dolby Vision)",
    "AMBIENT_VIEWING_ENVIRONMENT": "the light around the screen (ambient viewing environment)",
    "SPHERICAL": "that the picture is all around (360 degrees)",
}


@dataclass(frozen=True)
class Light:
    """The metadata for displays of high dynamic range, in the form that codecs expect.

    Attributes:
        mastering: x and y of green, blue, red and white, then the highest and lowest luminance;
            None if they are not stated.
        content: The luminance of the brightest pixel and the highest mean luminance of a frame, in
            nits; None if they are not stated.
    """

    mastering: tuple[Fraction, ...] | None = None
    content: tuple[int, int] | None = None


@dataclass(frozen=True)
class Look:
    """The colors, bit depth and geometry of a video.

    Attributes:
        colorspace: FFmpeg's number of the matrix between RGB and YUV.
        color_range: FFmpeg's number of the range.
        color_primaries: FFmpeg's number of the primaries.
        color_trc: FFmpeg's number of the transfer function.
        rotation: The angle in degrees by which players rotate the frames.
        pixel_aspect: The width of a pixel over its height; None if it is not stated.
        depth: The number of bits of a color value.
        subsampling: "420", "422" or "444"; None for formats other than YUV.
        alpha: Whether frames have transparency.
        light: The metadata for displays of high dynamic range.
        unkept: Descriptions of the side data of frames that is not kept.
    """

    colorspace: int = UNTOLD
    color_range: int = 0
    color_primaries: int = UNTOLD
    color_trc: int = UNTOLD
    rotation: int = 0
    pixel_aspect: Fraction | None = None
    depth: int = 8
    subsampling: str | None = None
    alpha: bool = False
    light: Light = Light()
    unkept: tuple[str, ...] = ()

    def written(self, rgb: bool, full: bool) -> "Look":
        """Returns the look of these frames when they are written as RGB or YUV.

        RGB has no matrix, and has the full range. A source in RGB is written as YUV of BT.709 with
        the limited range, like nearly all YUV, and tagged as such because players guess
        differently.

        Args:
            rgb: Whether the frames are written as RGB.
            full: Whether the codec supports the full range.
        """
        if rgb:
            return replace(self, colorspace=UNTOLD, color_range=FULL)
        if self.subsampling is not None:
            return self if full else replace(self, color_range=LIMITED)
        told = {
            name: BT709
            for name in ("color_primaries", "color_trc")
            if getattr(self, name) == UNTOLD
        }
        return replace(self, colorspace=BT709, color_range=LIMITED, **told)


def look_of(stream: Any, first: Any) -> Look:
    """Returns the look of a video stream.

    Args:
        stream: A stream of PyAV, open for reading.
        first: Its first decoded frame.
    """
    context = stream.codec_context
    told = {data.type.name: bytes(data) for data in first.side_data}
    return Look(
        colorspace=int(context.colorspace),
        color_range=int(context.color_range),
        color_primaries=int(context.color_primaries),
        color_trc=int(context.color_trc),
        rotation=int(first.rotation),
        pixel_aspect=stream.sample_aspect_ratio or None,
        depth=max(8, first.format.components[0].bits),
        subsampling=_subsampling(first.format),
        alpha=_has_alpha(first, context.name),
        light=_light(told),
        unkept=tuple(dict.fromkeys(words for name, words in UNKEPT.items() if name in told)),
    )


def _subsampling(form: Any) -> str | None:
    """Returns the chroma subsampling of a pixel format."""
    if form.is_rgb or form.has_palette or len(form.components) < 3:
        return None
    wide, high = form.chroma_width(16), form.chroma_height(16)
    return {(8, 8): "420", (8, 16): "422", (16, 16): "444"}.get((wide, high), "444")


def _has_alpha(first: Any, codec: str) -> bool:
    if not any(part.is_alpha for part in first.format.components):
        return False
    # Frames of a GIF always have an alpha channel, but few use it.
    return codec != "gif" or bool((first.to_ndarray(format="rgba")[..., 3] < 255).any())


def _light(told: dict[str, bytes]) -> Light:
    mastering, content = told.get("MASTERING_DISPLAY_METADATA"), told.get("CONTENT_LIGHT_LEVEL")
    return Light(
        mastering=_mastering(mastering) if mastering else None,
        content=struct.unpack_from("2I", content) if content else None,
    )


def _mastering(data: bytes) -> tuple[Fraction, ...] | None:
    """Reads FFmpeg's AVMasteringDisplayMetadata."""
    *pairs, has_primaries, has_luminance = struct.unpack_from("22i", data)
    if not (has_primaries and has_luminance):
        return None
    numbers = [
        Fraction(top, bottom) for top, bottom in zip(pairs[::2], pairs[1::2], strict=True) if bottom
    ]
    if len(numbers) < 10:
        return None
    red, green, blue, white = (numbers[i : i + 2] for i in range(0, 8, 2))
    lowest, highest = numbers[8:]
    return (*green, *blue, *red, *white, highest, lowest)
